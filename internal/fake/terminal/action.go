package terminal

import (
	"context"
	"fmt"
	"strings"
)

// What a person does at the terminal. Each action changes what the terminal holds,
// then pushes the posts that devices were seen to make of it, and returns when the
// gateway has acknowledged all of them.

// AddUser adds a user with a name, and with a password and a card if u has them, or
// replaces these in a user that is there already. Templates and pictures of u are not
// looked at: enrol them.
func (t *Terminal) AddUser(ctx context.Context, u User) error {
	if u.PIN == "" || strings.ContainsAny(u.PIN+u.Name+u.Password+u.Card, "\t\r\n\x00") {
		return fmt.Errorf("adding user %q: want a PIN, and no tabs or line breaks anywhere", u.PIN)
	}
	codes := []int{opUserAdded}
	if u.Password != "" {
		codes = append(codes, opPasswordEnrolled)
	}
	if u.Card != "" {
		codes = append(codes, opCardEnrolled)
	}
	t.mu.Lock()
	held, found := t.users[u.PIN]
	if !found {
		held = &User{PIN: u.PIN, Fingers: make(map[int]string)}
		t.users[u.PIN] = held
	}
	held.Name, held.Privilege, held.Password, held.Card = u.Name, u.Privilege, u.Password, u.Card
	record := userLine(held)
	t.mu.Unlock()
	return t.act(ctx, u.PIN, codes, post{"OPERLOG", record})
}

// Rename gives a user another name.
func (t *Terminal) Rename(ctx context.Context, pin, name string) error {
	return t.changeUser(ctx, pin, name, func(u *User) int {
		u.Name = name
		return opNameChanged
	})
}

// SetPrivilege makes a user an administrator (14) or an ordinary user (0).
func (t *Terminal) SetPrivilege(ctx context.Context, pin string, privilege int) error {
	return t.changeUser(ctx, pin, "", func(u *User) int {
		u.Privilege = privilege
		return opRoleChanged
	})
}

// SetPassword gives a user a password; an empty one takes it away.
func (t *Terminal) SetPassword(ctx context.Context, pin, password string) error {
	return t.changeUser(ctx, pin, password, func(u *User) int {
		code := codeOf(u.Password, password, opPasswordEnrolled, opPasswordChanged, opPasswordDeleted)
		u.Password = password
		return code
	})
}

// SetCard gives a user a card, decimal; an empty one takes it away.
func (t *Terminal) SetCard(ctx context.Context, pin, card string) error {
	return t.changeUser(ctx, pin, card, func(u *User) int {
		code := codeOf(u.Card, card, opCardEnrolled, opCardChanged, opCardDeleted)
		u.Card = card
		return code
	})
}

// EnrollFinger takes a new template of a finger: 0 to 4 left from little finger to
// thumb, 5 to 9 right from thumb to little finger.
func (t *Terminal) EnrollFinger(ctx context.Context, pin string, finger int) error {
	if finger < 0 || finger > 9 {
		return fmt.Errorf("enrolling finger %d: want 0 to 9", finger)
	}
	template := t.drawTemplate(pin, finger)
	if _, err := t.change(pin, func(u *User) int {
		u.Fingers[finger] = template
		return opFingerEnrolled
	}); err != nil {
		return err
	}
	return t.act(ctx, pin, []int{opFingerEnrolled}, post{"OPERLOG", fingerLine(pin, finger, template)})
}

// EnrollFace takes a new face, as visible-light terminals do: the picture, the
// template, and the picture once more for the screen, in three posts.
func (t *Terminal) EnrollFace(ctx context.Context, pin string) error {
	picture, err := t.drawPhoto(pin)
	if err != nil {
		return err
	}
	template := t.drawFace(pin)
	code, err := t.change(pin, func(u *User) int {
		code := codeOf(u.Face, template, opFaceEnrolled, opFaceChanged, opFaceDeleted)
		u.Face, u.FacePhoto, u.Photo = template, picture, picture
		return code
	})
	if err != nil {
		return err
	}
	return t.act(ctx, pin, []int{code},
		post{"OPERLOG", facePhotoLine(pin, picture)},
		post{"BIODATA", faceLine(pin, template)},
		post{"OPERLOG", photoLine(pin, picture)})
}

// TakePhoto takes a new picture for the screen, which is no face to compare with.
func (t *Terminal) TakePhoto(ctx context.Context, pin string) error {
	picture, err := t.drawPhoto(pin)
	if err != nil {
		return err
	}
	code, err := t.change(pin, func(u *User) int {
		code := codeOf(u.Photo, picture, opPhotoEnrolled, opPhotoChanged, opPhotoChanged)
		u.Photo = picture
		return code
	})
	if err != nil {
		return err
	}
	return t.act(ctx, pin, []int{code}, post{"OPERLOG", photoLine(pin, picture)})
}

// DeleteFinger removes a finger. Only the operation log tells it.
func (t *Terminal) DeleteFinger(ctx context.Context, pin string, finger int) error {
	if _, err := t.change(pin, func(u *User) int {
		delete(u.Fingers, finger)
		return opFingerDeleted
	}); err != nil {
		return err
	}
	return t.act(ctx, pin, []int{opFingerDeleted})
}

// DeleteFace removes the face of a user. Only the operation log tells it.
func (t *Terminal) DeleteFace(ctx context.Context, pin string) error {
	if _, err := t.change(pin, func(u *User) int {
		u.Face, u.FacePhoto = "", ""
		return opFaceDeleted
	}); err != nil {
		return err
	}
	return t.act(ctx, pin, []int{opFaceDeleted})
}

// DeleteUser removes a user with all credentials. Only the operation log tells it.
func (t *Terminal) DeleteUser(ctx context.Context, pin string) error {
	t.mu.Lock()
	_, found := t.users[pin]
	delete(t.users, pin)
	t.mu.Unlock()
	if !found {
		return unknownUser(pin)
	}
	return t.act(ctx, pin, []int{opUserDeleted})
}

// Punch records attendance: status is the direction (0 in, 1 out, 255 not told),
// verify the method (1 finger, 3 password, 4 card, 15 face). The user need not be
// known.
func (t *Terminal) Punch(ctx context.Context, pin string, status, verify int) error {
	t.mu.Lock()
	t.punches++
	t.mu.Unlock()
	return t.Push(ctx, "ATTLOG", t.cfg.Habits.body([]string{punchLine(pin, t.wallTime(), status, verify)}))
}

// codeOf chooses the log's code for a value that becomes another.
func codeOf(old, next string, enrolled, changed, removed int) int {
	switch {
	case next == "":
		return removed
	case old == "":
		return enrolled
	}
	return changed
}

// changeUser changes what a USER record tells and pushes that record. text is what
// the change brings into the record, checked not to break its line.
func (t *Terminal) changeUser(ctx context.Context, pin, text string, change func(*User) int) error {
	if strings.ContainsAny(text, "\t\r\n\x00") {
		return fmt.Errorf("changing user %q: tabs and line breaks not allowed", pin)
	}
	var record string
	code, err := t.change(pin, func(u *User) int {
		code := change(u)
		record = userLine(u)
		return code
	})
	if err != nil {
		return err
	}
	return t.act(ctx, pin, []int{code}, post{"OPERLOG", record})
}

// change calls f with a user that is held, locked, and returns its code.
func (t *Terminal) change(pin string, f func(*User) int) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	u, found := t.users[pin]
	if !found {
		return 0, unknownUser(pin)
	}
	return f(u), nil
}

func unknownUser(pin string) error {
	return fmt.Errorf("user %q is not on this terminal: add it first", pin)
}

// A post is one upload of an action: a table and its one data record.
type post struct{ table, record string }

// act pushes the posts of an action, with its lines of the operation log where the
// habits want them.
func (t *Terminal) act(ctx context.Context, pin string, codes []int, posts ...post) error {
	at := t.wallTime()
	var log []string
	for _, code := range codes {
		log = append(log, oplogLine(code, at, pin))
	}
	habits := t.cfg.Habits

	// A removal has no data to ride on, so its line has a post of its own anyway; and
	// a log line belongs to the table OPERLOG only.
	own := habits.Log == LogOwnPost || habits.Log == LogFirst && (len(posts) == 0 || posts[0].table != "OPERLOG")
	if own {
		if err := t.Push(ctx, "OPERLOG", habits.body(log)); err != nil {
			return err
		}
	}
	for i, p := range posts {
		lines := []string{p.record}
		if i == 0 && habits.Log == LogFirst && !own {
			lines = append(log, p.record)
		}
		if err := t.Push(ctx, p.table, habits.body(lines)); err != nil {
			return err
		}
	}
	if habits.Log == LogLast {
		return t.Push(ctx, "OPERLOG", habits.body(log))
	}
	return nil
}

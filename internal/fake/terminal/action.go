package terminal

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// What a person does at the terminal. Each action changes what the terminal holds,
// then pushes the posts that devices were seen to make of it, and returns when the
// gateway has acknowledged all of them. Terminals of PUSH 3.x push rows without any
// operation log, and nothing at all of what is removed.

// AddUser adds a user with a name, and with a password and cards if u has them, or
// replaces these in a user that is there already. Templates and pictures of u are not
// looked at: enrol them.
func (t *Terminal) AddUser(ctx context.Context, u User) error {
	if u.PIN == "" || breaksLine(u.PIN+u.Name+u.LastName+u.Password+u.Card+u.SecondCard) {
		return fmt.Errorf("adding user %q: want a PIN, and no tabs or line breaks anywhere", u.PIN)
	}
	if u.LastName != "" && !t.isAccess() {
		return fmt.Errorf("adding user %q: want no last name, which PUSH 2.x does not have", u.PIN)
	}
	codes := []int{opUserAdded}
	if u.Password != "" {
		codes = append(codes, opPasswordEnrolled)
	}
	if u.Card+u.SecondCard != "" {
		codes = append(codes, opCardEnrolled)
	}
	t.mu.Lock()
	h, found := t.users[u.PIN]
	if !found {
		t.drawn["uid"]++
		h = &held{uid: t.drawn["uid"], pin: u.PIN, fingers: make(map[int]uint64)}
		t.users[u.PIN] = h
	}
	h.name, h.lastName, h.privilege, h.password, h.card, h.secondCard = u.Name, u.LastName, u.Privilege, u.Password, u.Card, u.SecondCard
	copied := h.clone()
	t.mu.Unlock()
	return t.act(ctx, u.PIN, codes, t.userPosts(copied, tellUser)...)
}

func breaksLine(text string) bool { return strings.ContainsAny(text, "\t\r\n\x00") }

// Rename gives a user another name.
func (t *Terminal) Rename(ctx context.Context, pin, name string) error {
	return t.changeUser(ctx, pin, name, tellName, func(h *held) int {
		h.name = name
		return opNameChanged
	})
}

// SetPrivilege makes a user an administrator (14) or an ordinary user (0).
func (t *Terminal) SetPrivilege(ctx context.Context, pin string, privilege int) error {
	return t.changeUser(ctx, pin, "", tellRole, func(h *held) int {
		h.privilege = privilege
		return opRoleChanged
	})
}

// SetPassword gives a user a password; an empty one takes it away.
func (t *Terminal) SetPassword(ctx context.Context, pin, password string) error {
	return t.changeUser(ctx, pin, password, tellPassword, func(h *held) int {
		code := codeOf(h.password, password, opPasswordEnrolled, opPasswordChanged, opPasswordDeleted)
		h.password = password
		return code
	})
}

// SetCard gives a user a card, decimal; an empty one takes it away.
func (t *Terminal) SetCard(ctx context.Context, pin, card string) error {
	return t.changeUser(ctx, pin, card, tellCard, func(h *held) int {
		code := codeOf(h.card, card, opCardEnrolled, opCardChanged, opCardDeleted)
		h.card = card
		return code
	})
}

// SetSecondCard gives a user a further card, decimal; an empty one takes it away.
func (t *Terminal) SetSecondCard(ctx context.Context, pin, card string) error {
	return t.changeUser(ctx, pin, card, tellSecondCard, func(h *held) int {
		// The log tells the removal of a user's card, and not of which: of the second
		// one devices tell only that cards changed.
		code := codeOf(h.secondCard, card, opCardEnrolled, opCardChanged, opCardChanged)
		h.secondCard = card
		return code
	})
}

// EnrollFinger takes a new template of a finger: 0 to 4 left from little finger to
// thumb, 5 to 9 right from thumb to little finger.
func (t *Terminal) EnrollFinger(ctx context.Context, pin string, finger int) error {
	if finger < 0 || finger > 9 {
		return fmt.Errorf("enrolling finger %d: want 0 to 9", finger)
	}
	times := t.next(fingerName(pin, finger))
	h, _, err := t.change(pin, func(h *held) int {
		h.fingers[finger] = times
		return opFingerEnrolled
	})
	if err != nil {
		return err
	}
	return t.act(ctx, pin, []int{opFingerEnrolled}, t.fingerOf(h, finger, t.finger(pin, finger, times)))
}

// EnrollFace takes a new face, as visible-light terminals do: the picture, the
// template, and the picture once more for the screen, in three posts. A near-infrared
// terminal takes 15 rows and no picture.
func (t *Terminal) EnrollFace(ctx context.Context, pin string) error {
	times := t.next(faceName(pin))
	var photo uint64
	if !t.cfg.NearInfrared {
		photo = t.next(photoName(pin))
	}
	_, code, err := t.change(pin, func(h *held) int {
		code := opFaceEnrolled
		if h.face != 0 {
			code = opFaceChanged
		}
		h.face = times
		if photo != 0 {
			h.facePhoto, h.photo = photo, photo
		}
		return code
	})
	if err != nil {
		return err
	}
	face := t.faceOf(pin, t.face(pin, times))
	if photo == 0 {
		return t.act(ctx, pin, []int{code}, t.scatter([]post{face})...)
	}
	picture := t.photo(pin, photo)
	return t.act(ctx, pin, []int{code},
		t.scatter([]post{t.picture(true, pin, picture), face, t.picture(false, pin, picture)})...)
}

// TakePhoto takes a new picture for the screen, which is no face to compare with.
func (t *Terminal) TakePhoto(ctx context.Context, pin string) error {
	times := t.next(photoName(pin))
	_, code, err := t.change(pin, func(h *held) int {
		code := opPhotoEnrolled
		if h.photo != 0 {
			code = opPhotoChanged
		}
		h.photo = times
		return code
	})
	if err != nil {
		return err
	}
	return t.act(ctx, pin, []int{code}, t.picture(false, pin, t.photo(pin, times)))
}

// DeleteFinger removes a finger. Only the operation log tells it, and not which finger.
func (t *Terminal) DeleteFinger(ctx context.Context, pin string, finger int) error {
	if _, _, err := t.change(pin, func(h *held) int {
		delete(h.fingers, finger)
		return opFingerDeleted
	}); err != nil {
		return err
	}
	return t.act(ctx, pin, []int{opFingerDeleted})
}

// DeleteFace removes the face of a user. Only the operation log tells it.
func (t *Terminal) DeleteFace(ctx context.Context, pin string) error {
	if _, _, err := t.change(pin, func(h *held) int {
		h.face, h.facePhoto = 0, 0
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

// changeUser changes what the record of a user tells and pushes that record. text is
// what the change brings into the record, checked not to break its line.
func (t *Terminal) changeUser(ctx context.Context, pin, text string, what told, change func(*held) int) error {
	if breaksLine(text) {
		return fmt.Errorf("changing user %q: tabs and line breaks not allowed", pin)
	}
	h, code, err := t.change(pin, change)
	if err != nil {
		return err
	}
	return t.act(ctx, pin, []int{code}, t.userPosts(h, what)...)
}

// change calls f with a user that is held, locked, and returns a copy of it and the code.
func (t *Terminal) change(pin string, f func(*held) int) (held, int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h, found := t.users[pin]
	if !found {
		return held{}, 0, unknownUser(pin)
	}
	code := f(h)
	return h.clone(), code, nil
}

func unknownUser(pin string) error {
	return fmt.Errorf("user %q is not on this terminal: add it first", pin)
}

// act pushes the posts of an action, with its lines of the operation log where the
// habits want them.
func (t *Terminal) act(ctx context.Context, pin string, codes []int, posts ...post) error {
	t.wake()
	if t.isAccess() {
		return t.pushAll(ctx, posts)
	}
	if err := t.pushLate(ctx); err != nil {
		return err
	}
	at := t.wallTime()
	var log []string
	for _, code := range codes {
		log = append(log, t.oplogLine(code, at, pin))
	}
	lines := post{operlog, log}
	where := t.cfg.Habits.log(t.draw("log"))

	// A removal has no data to ride on, so its line has a post of its own anyway; and
	// a log line belongs to the table OPERLOG only.
	ridesOn := len(posts) > 0 && posts[0].table == operlog
	switch {
	case where == LogNever:
	case where == LogOnly, len(posts) == 0:
		posts = []post{lines}
	case where == LogFirst && ridesOn:
		posts = append([]post{{operlog, append(log, posts[0].records...)}}, posts[1:]...)
	case where == LogFirst, where == LogOwnPost:
		posts = append([]post{lines}, posts...)
	case where == LogLast:
		posts = append(slices.Clip(posts), lines)
	case where == LogLate:
		t.mu.Lock()
		t.late = append(t.late, log...)
		t.mu.Unlock()
	}
	return t.pushAll(ctx, posts)
}

// pushAll pushes posts one after the other, with the pauses that the habits want.
func (t *Terminal) pushAll(ctx context.Context, posts []post) error {
	for i, p := range posts {
		if r := t.draw("pause"); i > 0 && t.cfg.Habits.shows(Pauses, r, 2) {
			if err := wait(ctx, time.Duration(r.Int64N(int64(t.cfg.Pause)))); err != nil {
				return err
			}
		}
		if err := t.Push(ctx, p.table, t.body(p.records)); err != nil {
			return err
		}
	}
	return nil
}

// pushLate pushes the lines of the operation log that were kept back.
func (t *Terminal) pushLate(ctx context.Context) error {
	t.mu.Lock()
	late := t.late
	t.late = nil
	t.mu.Unlock()
	if len(late) == 0 {
		return nil
	}
	return t.Push(ctx, operlog, t.body(late))
}

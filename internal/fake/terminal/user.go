package terminal

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A User is a person as the terminal knows them. Templates and pictures are the text
// that the terminal pushes: padded standard base64.
type User struct {
	PIN        string
	Name       string
	LastName   string // PUSH 3.x only; Name is the first name then
	Privilege  int    // 0 user, 14 administrator; an odd one is disabled
	Password   string // "" for none
	Card       string // decimal, "" for none
	SecondCard string // decimal, "" for none

	Fingers   map[int]string // by finger, 0 to 9
	Face      []string       // rows of the template: one, or 15 of a near-infrared face
	FacePhoto string         // the picture that it was made from (BIOPHOTO)
	Photo     string         // the picture that the screen shows (USERPIC)
}

// held is what a terminal keeps of a user: of templates and pictures only which
// drawing they are, 0 for none.
type held struct {
	uid                        uint64
	pin, name, lastName        string
	privilege                  int
	password, card, secondCard string

	fingers                map[int]uint64
	face, facePhoto, photo uint64
}

// User returns a copy of what the terminal holds of a user.
func (t *Terminal) User(pin string) (User, bool) {
	h, found := t.copyOf(pin)
	if !found {
		return User{}, false
	}
	return t.user(h), true
}

// Users returns a copy of all that the terminal holds, ordered by PIN as text.
func (t *Terminal) Users() []User {
	var all []User
	for _, h := range t.copies() {
		all = append(all, t.user(h))
	}
	return all
}

// copyOf returns a copy of what is held of a user.
func (t *Terminal) copyOf(pin string) (held, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h, found := t.users[pin]
	if !found {
		return held{}, false
	}
	return h.clone(), true
}

// copies returns copies of all that is held, ordered by PIN as text.
func (t *Terminal) copies() []held {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]held, 0, len(t.users))
	for _, h := range t.users {
		all = append(all, h.clone())
	}
	slices.SortFunc(all, func(a, b held) int { return strings.Compare(a.pin, b.pin) })
	return all
}

func (h *held) clone() held {
	c := *h
	c.fingers = maps.Clone(h.fingers)
	return c
}

// user draws what h stands for.
func (t *Terminal) user(h held) User {
	u := User{PIN: h.pin, Name: h.name, LastName: h.lastName, Privilege: h.privilege, Password: h.password,
		Card: h.card, SecondCard: h.secondCard, Fingers: make(map[int]string, len(h.fingers)), Face: t.face(h.pin, h.face)}
	for finger, times := range h.fingers {
		u.Fingers[finger] = t.finger(h.pin, finger, times)
	}
	u.Photo = t.photo(h.pin, h.photo)
	if u.FacePhoto = u.Photo; h.facePhoto != h.photo {
		u.FacePhoto = t.photo(h.pin, h.facePhoto)
	}
	return u
}

// State returns what a receiver knows of each user once it was told everything, by PIN:
//
//	name, last-name   "" where there is none
//	role              User or Admin
//	password, card, card/1
//	finger/0 … finger/9, face/0 …, photo   the first digits of the SHA-256 of the text
//
// A fact that there is not is missing, but for names. Package fake/endpoint makes the
// same of callbacks.
func (t *Terminal) State() map[string]map[string]string {
	state := make(map[string]map[string]string)
	for _, h := range t.copies() {
		state[h.pin] = t.user(h).facts()
	}
	return state
}

func (u User) facts() map[string]string {
	facts := map[string]string{"name": u.Name, "last-name": u.LastName, "role": "User"}
	if u.Privilege&^1 != 0 {
		facts["role"] = "Admin"
	}
	note := func(name, value string) {
		if value != "" {
			facts[name] = value
		}
	}
	note("password", u.Password)
	note("card", u.Card)
	note("card/1", u.SecondCard)
	for finger, template := range u.Fingers {
		note("finger/"+strconv.Itoa(finger), digest(template))
	}
	for row, template := range u.Face {
		note("face/"+strconv.Itoa(row), digest(template))
	}
	note("photo", digest(u.Photo))
	return facts
}

func digest(text string) string {
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

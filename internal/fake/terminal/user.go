package terminal

import (
	"maps"
	"slices"
	"strings"
)

// A User is a person as the terminal knows them. Templates and pictures are the text
// that the terminal pushes: padded standard base64.
type User struct {
	PIN       string
	Name      string
	Privilege int    // 0 user, 14 administrator
	Password  string // "" for none
	Card      string // decimal, "" for none

	Fingers   map[int]string // by finger, 0 to 9
	Face      string         // visible-light template
	FacePhoto string         // the picture that it was made from (BIOPHOTO)
	Photo     string         // the picture that the screen shows (USERPIC)
}

func (u *User) clone() User {
	c := *u
	c.Fingers = maps.Clone(u.Fingers)
	return c
}

// User returns a copy of what the terminal holds of a user.
func (t *Terminal) User(pin string) (User, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	u, found := t.users[pin]
	if !found {
		return User{}, false
	}
	return u.clone(), true
}

// Users returns a copy of all that the terminal holds, ordered by PIN as text.
func (t *Terminal) Users() []User {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]User, 0, len(t.users))
	for _, u := range t.users {
		all = append(all, u.clone())
	}
	slices.SortFunc(all, func(a, b User) int { return strings.Compare(a.PIN, b.PIN) })
	return all
}

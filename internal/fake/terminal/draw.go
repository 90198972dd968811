package terminal

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// A Choice says which actions may be drawn.
type Choice struct {
	Users    int  // the most that the terminal holds, from PIN 1 on; 0 means 20
	Removals bool // removals of credentials too, which not every dialect of callbacks tells
}

// An Action is what was drawn and done, such as "rename" of a user.
type Action struct{ What, PIN string }

// Draw draws an action and does it: what people do at a terminal, enrolments most often.
// Terminals of PUSH 3.x draw no removals, of which they would tell nothing. The error is
// that of the action.
func (t *Terminal) Draw(ctx context.Context, c Choice) (Action, error) {
	if c.Users == 0 {
		c.Users = 20
	}
	r := t.draw("action")
	pin := strconv.Itoa(1 + r.IntN(c.Users))
	h, found := t.copyOf(pin)
	if !found {
		u := User{PIN: pin, Name: t.NewName(pin)}
		if r.IntN(2) == 0 {
			u.Password = t.NewPassword(pin)
		}
		if r.IntN(2) == 0 {
			u.Card = t.NewCard(pin)
		}
		if first, last, two := strings.Cut(u.Name, " "); two && t.isAccess() && r.IntN(4) == 0 {
			u.Name, u.LastName = first, last
		}
		return Action{"add", pin}, t.AddUser(ctx, u)
	}
	what := t.drawWhat(r, c, h)
	return Action{what, pin}, t.perform(ctx, r, what, h)
}

// drawWhat draws what is done to a user who is there.
func (t *Terminal) drawWhat(r *rand.Rand, c Choice, h held) string {
	usual := []string{"rename", "role", "password", "password", "card", "card", "second card",
		"finger", "finger", "finger", "face", "face", "punch", "punch", "punch", "stranger"}
	if h.facePhoto == 0 { // else the screen shows the picture of the face
		usual = append(usual, "photo")
	}
	if t.isAccess() {
		return usual[r.IntN(len(usual))]
	}
	usual = append(usual, "delete")
	if !c.Removals {
		return usual[r.IntN(len(usual))]
	}
	usual = append(usual, "remove password", "remove card")
	if len(h.fingers) > 0 {
		usual = append(usual, "remove finger")
	}
	if h.face != 0 {
		usual = append(usual, "remove face")
	}
	return usual[r.IntN(len(usual))]
}

func (t *Terminal) perform(ctx context.Context, r *rand.Rand, what string, h held) error {
	pin := h.pin
	switch what {
	case "rename":
		return t.Rename(ctx, pin, t.NewName(pin))
	case "role":
		return t.SetPrivilege(ctx, pin, 14-h.privilege&^1)
	case "password":
		return t.SetPassword(ctx, pin, t.NewPassword(pin))
	case "card":
		return t.SetCard(ctx, pin, t.NewCard(pin))
	case "second card":
		return t.SetSecondCard(ctx, pin, t.NewCard(pin))
	case "finger":
		return t.EnrollFinger(ctx, pin, r.IntN(10))
	case "face":
		return t.EnrollFace(ctx, pin)
	case "photo":
		return t.TakePhoto(ctx, pin)
	case "punch":
		return t.Punch(ctx, pin, r.IntN(2), 1)
	case "stranger":
		return t.Refuse(ctx)
	case "delete":
		return t.DeleteUser(ctx, pin)
	case "remove password":
		return t.SetPassword(ctx, pin, "")
	case "remove card":
		return t.SetCard(ctx, pin, "")
	case "remove finger":
		return t.DeleteFinger(ctx, pin, slices.Min(slices.Collect(maps.Keys(h.fingers))))
	case "remove face":
		return t.DeleteFace(ctx, pin)
	}
	return nil
}

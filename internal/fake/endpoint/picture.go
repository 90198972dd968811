package endpoint

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fingerpost/fingerpost/callback"
)

// Unsure is the value of a fact that the callbacks leave open: terminals tell that a
// finger was removed, and not which.
const Unsure = "?"

// A Picture is what a receiver knows of users from the callbacks that it acknowledged,
// in the order in which they came. Its zero value knows nobody and is ready. Repeats
// change nothing.
type Picture struct {
	devices map[string]*devicePicture
	applied map[string]int64 // highest sequence by lane
}

type devicePicture struct {
	users   map[string]map[string]string
	punches int
}

// Add takes the next callback.
func (p *Picture) Add(r Received) {
	if !r.Acknowledged() || r.ParseErr != nil || r.Lane != "" && r.Sequence <= p.applied[r.Lane] {
		return
	}
	if p.devices == nil {
		p.devices, p.applied = make(map[string]*devicePicture), make(map[string]int64)
	}
	p.applied[r.Lane] = r.Sequence
	d := p.devices[r.StgID]
	if d == nil {
		d = &devicePicture{users: make(map[string]map[string]string)}
		p.devices[r.StgID] = d
	}
	switch c := r.Callback; {
	case c.User != nil:
		d.update(*c.User)
	case c.Deleted != nil:
		delete(d.users, c.Deleted.UserID)
	case c.Removed != nil:
		d.remove(*c.Removed)
	case c.Punch != nil:
		d.punches++
	}
}

// Users returns what is known of the users of a device, by its stgid and their id:
//
//	name, last-name   "" where there is none
//	role              User or Admin
//	password, card, card/1
//	finger/0 … finger/9, palm/0 …, face/0 …, photo   the first digits of the SHA-256 of Data
//
// A fact that is not known is missing, but for names; [Unsure] stands for one that may
// have been removed. The result is the Picture's own.
func (p *Picture) Users(stgID string) map[string]map[string]string {
	if d := p.devices[stgID]; d != nil {
		return d.users
	}
	return nil
}

// Punches returns how many punches of a device came.
func (p *Picture) Punches(stgID string) int {
	if d := p.devices[stgID]; d != nil {
		return d.punches
	}
	return 0
}

func (d *devicePicture) update(u callback.UserUpdated) {
	facts := d.users[u.UserID]
	if facts == nil {
		facts = make(map[string]string)
		d.users[u.UserID] = facts
	}
	facts["name"], facts["last-name"], facts["role"] = u.FirstName, u.LastName, cmp.Or(u.UserType, callback.RoleUser)
	if u.Photo != nil {
		facts["photo"] = digest(string(u.Photo.Data))
	}
	for _, t := range u.Template {
		value := string(t.Data)
		if t.Type != callback.Password && t.Type != callback.Card {
			value = digest(value)
		}
		facts[factName(t.Type, t.Index)] = value
	}
}

func (d *devicePicture) remove(r callback.CredentialRemoved) {
	facts := d.users[r.UserID]
	if facts == nil {
		return
	}
	if r.Index != "" || r.Type == callback.Password || r.Type == callback.Card {
		delete(facts, factName(r.Type, r.Index))
		return
	}
	var meant []string
	for name := range facts {
		if kind, _, _ := strings.Cut(factName(r.Type, "0"), "/"); name == kind || strings.HasPrefix(name, kind+"/") {
			meant = append(meant, name)
		}
	}
	for _, name := range meant {
		if r.Type == callback.Face || len(meant) == 1 { // a face goes with all its rows
			delete(facts, name)
		} else {
			facts[name] = Unsure
		}
	}
}

// factName names a credential of a user.
func factName(of callback.Type, index string) string {
	switch of {
	case callback.Password:
		return "password"
	case callback.Card:
		if index != "" {
			return "card/" + index
		}
		return "card"
	case callback.Fingerprint:
		return "finger/" + cmp.Or(index, "0")
	}
	name := strings.ToLower(string(of))
	if name == "photo" {
		return name
	}
	return name + "/" + cmp.Or(index, "0")
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// Diff returns what differs between the users that a receiver knows and those that a
// terminal holds, a line each that names user and fact and never a value. Facts that
// skip says so of are not compared; a nil skip compares all.
func Diff(got, want map[string]map[string]string, skip func(fact string) bool) []string {
	if skip == nil {
		skip = func(string) bool { return false }
	}
	var found []string
	users := slices.Concat(slices.Collect(maps.Keys(got)), slices.Collect(maps.Keys(want)))
	slices.Sort(users)
	for _, user := range slices.Compact(users) {
		known, received := got[user]
		held, there := want[user]
		switch {
		case !there:
			found = append(found, fmt.Sprintf("user %q is known and not held", user))
			continue
		case !received:
			found = append(found, fmt.Sprintf("user %q is held and not known", user))
			continue
		}
		for _, what := range diffFacts(known, held, skip) {
			found = append(found, fmt.Sprintf("user %q: %s", user, what))
		}
	}
	return found
}

func diffFacts(known, held map[string]string, skip func(string) bool) []string {
	var found []string
	names := slices.Concat(slices.Collect(maps.Keys(known)), slices.Collect(maps.Keys(held)))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		value, received := known[name]
		truth, there := held[name]
		switch {
		case skip(name) || value == Unsure || value == truth && received == there:
		case !there:
			found = append(found, name+" is known and not held")
		case !received:
			found = append(found, name+" is held and not known")
		default:
			found = append(found, name+" is another one")
		}
	}
	return found
}

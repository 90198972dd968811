package enroll

import (
	"encoding/json"
	"math/bits"
	"strings"
)

// Kinds is a set of kinds of change; a single kind is a set of one.
type Kinds uint16

// The kinds of change, product.md section 4.
const (
	User        Kinds = 1 << iota // a new user, a name or a role
	Password                      // a password
	Card                          // a card number
	Fingerprint                   // a finger's template
	Face                          // a face's templates
	Palm                          // a palm's templates
	Photo                         // a picture of the user
	UserDeleted
	CredentialRemoved
	Punch // attendance
)

// Named sets. Updates is what an endpoint gets unless it chooses otherwise.
const (
	Updates  = User | Password | Card | Fingerprint | Face | Palm | Photo
	AllKinds = Updates | UserDeleted | CredentialRemoved | Punch
)

// kindNames are stored and shown in the API; never change them. Index = bit.
var kindNames = [...]string{"user", "password", "card", "fingerprint", "face", "palm", "photo",
	"user-deleted", "credential-removed", "punch"}

// Has reports whether k and other share a kind.
func (k Kinds) Has(other Kinds) bool { return k&other != 0 }

// Names returns the kinds in k by name, in the order of the constants.
func (k Kinds) Names() []string {
	names := make([]string, 0, bits.OnesCount16(uint16(k)))
	for i, name := range kindNames {
		if k&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// String returns the names, joined by commas: the form in the store and in flags.
func (k Kinds) String() string {
	for i, name := range kindNames {
		if k == 1<<i {
			return name
		}
	}
	return strings.Join(k.Names(), ",")
}

// ParseKinds reads a list of kinds by name, joined by commas; updates, punches and
// all name sets. An empty text is the empty set.
func ParseKinds(text string) (Kinds, error) {
	var set Kinds
	for name := range strings.SplitSeq(text, ",") {
		switch name = strings.TrimSpace(name); name {
		case "":
			continue
		case "updates":
			set |= Updates
			continue
		case "punches":
			set |= Punch
			continue
		case "all":
			set |= AllKinds
			continue
		}
		kind := kindOf(name)
		if kind == 0 {
			return 0, Invalid("kinds", clip(name), "updates, punches, all, or a list of "+AllKinds.String())
		}
		set |= kind
	}
	return set, nil
}

func kindOf(name string) Kinds {
	for i, known := range kindNames {
		if name == known {
			return 1 << i
		}
	}
	return 0
}

// MarshalJSON writes the names as a list.
func (k Kinds) MarshalJSON() ([]byte, error) { return json.Marshal(k.Names()) }

// UnmarshalJSON reads a list of names as [ParseKinds] does.
func (k *Kinds) UnmarshalJSON(data []byte) error {
	var names []string
	if err := json.Unmarshal(data, &names); err != nil {
		return err
	}
	set, err := ParseKinds(strings.Join(names, ","))
	if err != nil {
		return err
	}
	*k = set
	return nil
}

// A Class of changes has lanes of its own, so that no punch waits for a face.
type Class string

// The classes. The texts are stored and shown in the API; never change them.
const (
	ClassUpdates Class = "updates" // users and credentials, also their removal
	ClassPunches Class = "punches" // attendance
)

// Class returns the class that changes of kind k belong to.
func (k Kinds) Class() Class {
	if k.Has(Punch) {
		return ClassPunches
	}
	return ClassUpdates
}

package enroll

import (
	"time"
)

// A ChangeID is the store's number of a change. Numbers only grow and are never
// given twice, also after purges.
type ChangeID int64

// A Change is one fact: this user on this device is now different. It is stored
// once and never altered. All that a callback's body says comes from the change and
// the endpoint's settings, so the change carries what was true of its device.
type Change struct {
	ID          ChangeID
	OperationID OperationID
	Device      DeviceID
	Kinds       Kinds
	UserID      PIN
	ReceivedAt  time.Time // commit time of its first record, UTC, whole milliseconds
	Content
}

// Content is the part of a change that is sealed in the store.
type Content struct {
	Serial   Serial
	Label    string
	TimeZone string // IANA name, in force when the change was made

	// What the mirror knew of the user.
	Name      string
	LastName  string
	Privilege int

	OperationTime WallTime // "" when unknown
	Templates     []Template
	Photo         *Data
	Removed       *Removed
	Punch         *PunchDetail
}

// A Template is one element of a callback's Template list.
type Template struct {
	Kind      Kinds  // one of Password, Card, Fingerprint, Face, Palm
	Index     string // finger, hand, row of a face, "1" for a second card; "" for none
	Algorithm string
	Version   string
	Data      Data
}

// Removed names a credential that is gone.
type Removed struct {
	Kind  Kinds
	Index string // "" where the kind has none, or the device did not say
}

// A PunchDetail is what a punch says beside who and when.
type PunchDetail struct {
	Status      int
	Verify      int
	WorkCode    string
	Temperature string
	Mask        *bool
	Direction   Direction // the device's setting when it came
}

// Class returns the class of lanes that c belongs to.
func (c Change) Class() Class { return c.Kinds.Class() }

// Size estimates the memory that c takes, in bytes.
func (c Change) Size() int {
	n := 512 + len(c.Name) + len(c.LastName) + len(c.Label)
	for _, t := range c.Templates {
		n += 96 + len(t.Data.Bytes)
	}
	if c.Photo != nil {
		n += len(c.Photo.Bytes)
	}
	return n
}

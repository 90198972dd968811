package callback

import (
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// A Callback is what one callback says. Exactly one of User, Punch, Deleted and
// Removed is set.
type Callback struct {
	User    *UserUpdated
	Punch   *PunchLog
	Deleted *UserDeleted
	Removed *CredentialRemoved

	OperationID string // names the change: the same in every attempt
	AuthToken   Masked // proves the sender; the endpoint's own, or the device's

	// OperationTime is what the device's clock showed, whole seconds, in a zone of
	// the device's offset. Zero: unknown.
	OperationTime time.Time
	// ZoneUnknown tells that OperationTime came without a zone: its clock reading is
	// right, its zone is given as UTC. Parse sets it, the encoder ignores it.
	ZoneUnknown bool

	// DownloadedAt is when the gateway got it, UTC, whole milliseconds. Zero in
	// bodies without it.
	DownloadedAt time.Time

	SerialNumber string // of the device; "" in bodies without it
	LabelName    string // of the device; "" in bodies without it
}

// UserUpdated says that a user is new or different. It carries what is known of the
// user, and the credential that changed: a photo, elements of Template, or none.
type UserUpdated struct {
	UserID    string // text: leading zeros and letters are real
	FirstName string // the whole name, from devices that have but one
	LastName  string
	UserType  string // RoleUser or RoleAdmin; "" in bodies without it, written as RoleUser
	Photo     *Photo // nil: none
	Template  []Template
}

// The values of UserUpdated.UserType.
const (
	RoleUser  = "User"
	RoleAdmin = "Admin"
)

// A Template is one credential. Its Size on the wire is the number of characters of
// Data, its UserID that of the user.
type Template struct {
	Type  Type
	Index string // finger, hand, row of a face, "1" for a second card; else ""
	Data  Masked // base64 of a template or picture; a password or decimal card number as text
}

// A Photo is a picture of the user.
type Photo struct {
	Data Masked // base64 of the picture, usually JPEG
}

// A Type is what a Template is. Parse leaves words that it does not know as they came.
type Type string

// The types, spelled as on the wire.
const (
	Fingerprint Type = "Fingerprint"
	Face        Type = "Face"
	Palm        Type = "Palm"
	Card        Type = "Card"
	Password    Type = "Password"
)

// ParseType accepts the types in any case, as vendors spell them in several.
// It reports whether it knows the word; if not, the result is text itself.
func ParseType(text string) (Type, bool) {
	for _, t := range []Type{Fingerprint, Face, Palm, Card, Password} {
		if strings.EqualFold(text, string(t)) {
			return t, true
		}
	}
	return Type(text), false
}

// UserDeleted says that a user is gone from the device.
type UserDeleted struct {
	UserID string
}

// CredentialRemoved says that a user lost one credential.
type CredentialRemoved struct {
	UserID string
	Type   Type
	Index  string // "" where the type has none, or the device did not say
}

// Masked is text that must not end up in a log. Printing, logging or marshalling it
// gives its length; convert it to a string to get at the text.
type Masked string

func (m Masked) masked() string { return fmt.Sprintf("(%d bytes)", len(m)) }

// Format writes the length for every verb, so that %s, %q, %v and %#v are all safe.
func (m Masked) Format(f fmt.State, _ rune) { fmt.Fprint(f, m.masked()) }

// LogValue returns the length.
func (m Masked) LogValue() slog.Value { return slog.StringValue(m.masked()) }

// MarshalText returns the length. Bodies are written by [Callback.AppendJSON] only.
func (m Masked) MarshalText() ([]byte, error) { return []byte(m.masked()), nil }

// A FieldError says which field of a callback makes no sense. It never contains the
// field's content, which may be a credential.
type FieldError struct {
	Field string // path from the root, for instance "RealTime.PunchLog.LogTime"
	Want  string // what would be right
}

func (e *FieldError) Error() string {
	return fmt.Sprintf("callback: %s: want %s", e.Field, e.Want)
}

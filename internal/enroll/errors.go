package enroll

import (
	"errors"
	"fmt"
)

// Sentinels that a caller decides by. Each arrives wrapped with what was tried.
var (
	// ErrUnknownDevice: no approved device has this serial number.
	ErrUnknownDevice = errors.New("unknown device")
	// ErrNotFound: nothing has this name or id.
	ErrNotFound = errors.New("not found")
	// ErrExists: the name, serial number or stgid is taken.
	ErrExists = errors.New("exists already")
	// ErrBusy: this device has as many uploads waiting as it may.
	ErrBusy = errors.New("too many uploads of this device wait")
	// ErrTooManyUsers: the upload names more users than a device may have.
	ErrTooManyUsers = errors.New("more users than a device may have")
	// ErrClock: our clock is earlier than times of ours in the store. Terminals set their
	// clocks from ours, so none gets an answer from which it could.
	ErrClock = errors.New("our clock has been set back")
	// ErrStopping: the store takes nothing new.
	ErrStopping = errors.New("stopping")
)

// An OwedError reports that something of a device still waits, so that removing the
// device would lose it.
type OwedError struct{ Owed }

func (e *OwedError) Error() string {
	return fmt.Sprintf("%d deliveries and %d drafts wait", e.Deliveries, e.Drafts)
}

// An ItemError reports which of a list something is wrong with.
type ItemError struct {
	Item int // counted from 0
	Err  error
}

func (e *ItemError) Error() string { return fmt.Sprintf("item %d: %v", e.Item, e.Err) }
func (e *ItemError) Unwrap() error { return e.Err }

// An InvalidError reports wrong input of a person: which field, what it was, and
// what would be right. It never carries a secret value.
type InvalidError struct {
	Field string // name as in the API, for instance "time_zone"
	Value string // as given, "" if absent or secret
	Want  string // what would be right, for instance `an IANA zone such as "Asia/Kolkata"`
}

func (e *InvalidError) Error() string {
	if e.Value == "" {
		return fmt.Sprintf("%s: want %s", e.Field, e.Want)
	}
	return fmt.Sprintf("%s %q: want %s", e.Field, e.Value, e.Want)
}

// Invalid returns an [InvalidError].
func Invalid(field, value, want string) error {
	return &InvalidError{Field: field, Value: value, Want: want}
}

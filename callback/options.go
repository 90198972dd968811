package callback

import (
	"errors"
	"fmt"
)

// ErrNotExpressible reports that a dialect has no way to say something. Trying again
// does not help.
var ErrNotExpressible = errors.New("the dialect cannot express it")

// Options are the choices of an endpoint. The zero value is dialect niya as
// documented.
type Options struct {
	Dialect      Dialect
	UserIDs      UserIDs
	Times        Times // "" as the dialect and the kind of callback have it
	DeviceFields bool  // SerialNumber and LabelName are the last keys of RealTime
	RootCopies   bool  // AuthToken and OperationID stand at the root too
}

// A Dialect is one vendor's way to write callbacks.
type Dialect string

// Niya is the dialect that Niya Labs documents, and the default.
const Niya Dialect = "niya"

// UserIDs chooses the JSON type of user ids. A number is written only for an id that
// is a canonical decimal of at most 2^53-1, so that none loses a digit or a zero.
type UserIDs string

// The choices of UserIDs; "" is AsDocumented.
const (
	AsDocumented UserIDs = "documented" // as in the sample of that kind
	AsNumber     UserIDs = "number"
	AsString     UserIDs = "string"
)

// Times chooses how OperationTime, LogTime and Time are written. DownloadedAt has one
// form only.
type Times string

// The choices of Times.
const (
	GMT   Times = "gmt"   // "2006-01-02 15:04:05 GMT +0530"; Time in UTC
	Plain Times = "plain" // "2006-01-02 15:04:05" on the device's clock, Time too
	ISO   Times = "iso"   // "2006-01-02T15:04:05+05:30"; Time in UTC
)

// Check reports the first choice that does not exist.
func (o Options) Check() error {
	switch o.Dialect {
	case "", Niya:
	default:
		return fmt.Errorf("callback: no encoder for dialect %q", o.Dialect)
	}
	switch o.UserIDs {
	case "", AsDocumented, AsNumber, AsString:
	default:
		return fmt.Errorf("callback: no such type of user ids: %q", o.UserIDs)
	}
	switch o.Times {
	case "", GMT, Plain, ISO:
	default:
		return fmt.Errorf("callback: no such style of times: %q", o.Times)
	}
	return nil
}

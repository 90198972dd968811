package deliver

import (
	"time"

	"github.com/fingerpost/fingerpost/callback"
	"github.com/fingerpost/fingerpost/internal/enroll"
)

// A time of a device is suspect when it lies so far from the time of receipt
// (wire-format.md section 5).
const (
	suspectAhead  = 2 * time.Hour
	suspectBehind = 90 * 24 * time.Hour
)

// render makes the body of a callback: a pure function of the change and the
// endpoint's settings, so that every attempt has the same bytes. It reports whether
// the device's time is suspect.
func render(d enroll.Delivery, e enroll.Endpoint) ([]byte, bool, error) {
	c := d.Change
	token := e.AuthToken
	if d.Token != "" {
		token = d.Token
	}
	out := callback.Callback{
		OperationID:  string(c.OperationID),
		AuthToken:    callback.Masked(token.Reveal()),
		DownloadedAt: c.ReceivedAt,
		SerialNumber: string(c.Serial),
		LabelName:    c.Label,
	}
	if c.OperationTime != "" {
		zone, err := enroll.ParseZone(c.TimeZone)
		if err != nil {
			return nil, false, err
		}
		out.OperationTime = c.OperationTime.In(zone)
	}
	switch {
	case c.Punch != nil:
		out.Punch = &callback.PunchLog{UserID: string(c.UserID), Status: c.Punch.Status, Verify: c.Punch.Verify,
			Temperature: c.Punch.Temperature, FaceMask: c.Punch.Mask}
	case c.Kinds.Has(enroll.UserDeleted):
		out.Deleted = &callback.UserDeleted{UserID: string(c.UserID)}
	case c.Removed != nil:
		out.Removed = &callback.CredentialRemoved{UserID: string(c.UserID), Type: typeOf(c.Removed.Kind), Index: c.Removed.Index}
	default:
		out.User = userUpdated(c, d.Kinds)
	}
	ahead := out.OperationTime.Sub(c.ReceivedAt)
	suspect := !out.OperationTime.IsZero() && (ahead > suspectAhead || -ahead > suspectBehind)
	body, err := out.Encode(callback.Options{
		Dialect:      callback.Dialect(e.Dialect),
		UserIDs:      callback.UserIDs(e.UserIDs),
		Times:        callback.Times(e.Times),
		DeviceFields: e.DeviceFields,
		RootCopies:   e.RootCopies,
	})
	return body, suspect, err
}

// userUpdated leaves out the templates of kinds that the endpoint did not choose.
func userUpdated(c *enroll.Change, chosen enroll.Kinds) *callback.UserUpdated {
	u := &callback.UserUpdated{UserID: string(c.UserID), FirstName: c.Name, LastName: c.LastName, UserType: callback.RoleUser}
	if c.Privilege&^1 != 0 { // bit 0 is "disabled"
		u.UserType = callback.RoleAdmin
	}
	for _, t := range c.Templates {
		if chosen.Has(t.Kind) {
			u.Template = append(u.Template, callback.Template{Type: typeOf(t.Kind), Index: t.Index, Data: callback.Masked(t.Data.Wire())})
		}
	}
	if c.Photo != nil && chosen.Has(enroll.Photo) {
		u.Photo = &callback.Photo{Data: callback.Masked(c.Photo.Wire())}
	}
	return u
}

func typeOf(kind enroll.Kinds) callback.Type {
	switch kind {
	case enroll.Password:
		return callback.Password
	case enroll.Card:
		return callback.Card
	case enroll.Face:
		return callback.Face
	case enroll.Palm:
		return callback.Palm
	}
	return callback.Fingerprint
}

package intake

import (
	"fmt"
	"slices"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// A query that compares does not delete so many users by itself.
const (
	missingUsers   = 10
	missingPercent = 5
)

// rowWait is how long a record that may be a row of an answer waits, from the last row
// on, for the device to say that it has answered. If it does not, the record was no row.
const rowWait = 10 * time.Second

// maxHeld is from how many rows on an answer is taken for what it seems: so many users
// do not change by hand while a device is asked for them.
const maxHeld = 200

// rowOfUser looks whether a record of a user is a row of the answer to a query. Rows
// that are not to be told are held back as drafts until the device says that it has
// answered, and known silently then. It reports whether this one is known silently at
// once. What comes with a line of the operation log was uploaded by the device itself.
func (d *decision) rowOfUser(u *enroll.Mirrored, r enroll.UserReport) bool {
	o := d.known.Order
	if o == nil || d.log.hasNew() || o.What != enroll.QueryUsers && o.UserID != u.UserID {
		return false
	}
	if !slices.Contains(d.follows.Came, u.UserID) {
		d.follows.Came = append(d.follows.Came, u.UserID)
	}
	switch {
	case o.Compare:
	case o.Tell && o.What == enroll.QueryUsers:
		d.tellAgain(u, r)
	case !o.Tell && o.Rows+len(d.follows.Came) > maxHeld:
		return true
	case !o.Tell:
		d.row = o.ID
	}
	return false
}

// rowOfTemplate is rowOfUser for templates and pictures: devices that send them for a
// query of all users are not told from devices on which one is enrolled just then, so
// only what is asked of one user counts.
func (d *decision) rowOfTemplate(pin enroll.PIN) {
	if o := d.known.Order; o != nil && !o.Tell && o.UserID == pin && !d.log.hasNew() {
		d.row = o.ID
	}
}

// isAnswered reports whether the order is over of which a draft may be a row, and
// whether the device said so.
func (d *decision) isAnswered(f *draft) (bool, bool) {
	if slices.Contains(d.follows.Ended, f.Row) {
		return true, true
	}
	o := d.known.Order
	if o == nil || o.ID != f.Row {
		return true, false
	}
	return len(d.follows.Came) == 0 && !d.known.At.Before(o.HandedAt.Add(rowWait)), false
}

// tellAgain forgets what a row would repeat, so that it is told: the operator asked for
// all users.
func (d *decision) tellAgain(u *enroll.Mirrored, r enroll.UserReport) {
	u.Known = false
	for name, said := range map[string]*string{namePassword: r.Password, nameCard: r.Card, nameSecondCard: r.SecondCard} {
		if said != nil && *said != "" {
			delete(u.Hashes, name)
		}
	}
}

// reset takes a line that tells of lost users without naming them.
func (d *decision) reset(r enroll.ResetReport) {
	d.follows.Unconfirmed = true
	d.follows.Alarms = append(d.follows.Alarms, enroll.Alarm{What: "users-lost", Text: fmt.Sprintf(
		"%s at %s: users may be gone. Compare with: fingerpost device sync %s", r.What, orUnknown(r.Time), d.known.Device.Serial)})
}

func orUnknown(t enroll.WallTime) string {
	if t == "" {
		return "an unknown time"
	}
	return string(t)
}

// answered takes the end of an order.
func (d *decision) answered(r enroll.AnswerReport) {
	o := d.known.Order
	d.follows.Ended = append(d.follows.Ended, r.ID)
	if o == nil || o.ID != r.ID {
		return
	}
	rows := o.Rows + len(d.follows.Came)
	switch {
	case o.What == enroll.CheckUser && rows == 0:
		d.deleted(d.mirrored(o.UserID), o.Time)
	case o.What == enroll.QueryUsers && r.Return >= 0:
		d.follows.Confirmed = true
		if o.Compare {
			d.compare(r, rows)
		}
	}
}

// compare tells the users gone that did not come for a query of all. It counts only if
// all rows came that the device speaks of, and does not believe that many are gone.
func (d *decision) compare(r enroll.AnswerReport, rows int) {
	missing := slices.DeleteFunc(slices.Clone(d.known.Missing), func(pin enroll.PIN) bool { return slices.Contains(d.follows.Came, pin) })
	if len(missing) == 0 || r.Return > rows || rows == 0 {
		return
	}
	if !d.known.Order.Tell && len(missing) > missingUsers && len(missing)*100 > d.known.Mirrors*missingPercent {
		d.follows.Confirmed = false
		d.follows.Unconfirmed = true
		d.follows.Alarms = append(d.follows.Alarms, enroll.Alarm{What: "users-missing", Text: fmt.Sprintf(
			"%d of %d users did not come when the device was asked for all. If they are really gone: fingerpost device sync %s --tell missing",
			len(missing), d.known.Mirrors, d.known.Device.Serial)})
		return
	}
	for _, pin := range missing {
		d.deleted(d.mirrored(pin), "")
	}
}

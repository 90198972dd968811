package intake

import (
	"fmt"
	"slices"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// What devices return for a user that they do not have (zk-push section 11).
const (
	noData = -4
	noUser = -10
)

// A query that compares does not delete so many users by itself.
const (
	missingUsers   = 10
	missingPercent = 5
)

// How long a record that may be a row of an answer waits for the device to say that it
// has answered; if it does not, the record was no row. Few rows are what a person does,
// and a device that answers says so at once; many are surely an answer.
const (
	fewRows     = 3
	fewRowsWait = 3 * time.Second // from the row on
	rowsWait    = time.Minute     // from the last row on
)

// maxHeld is from how many rows on an answer is taken for what it seems: so many users
// do not change by hand while a device is asked for them.
const maxHeld = maxDrafts / 4 // each may make several drafts

// rowOfUser looks whether a record of a user is a row of the answer to a query. Rows
// that are not to be told are held back as drafts until the device says that it has
// answered, and known silently then. It reports whether this one is known silently at
// once. What comes with a line of the operation log was uploaded by the device itself.
func (d *decision) rowOfUser(u *enroll.Mirrored, r enroll.UserReport) bool {
	o := d.known.Order
	if o == nil || o.What != enroll.QueryUsers && o.UserID != u.UserID {
		return false
	}
	if d.log.hasNew() && o.What != enroll.CheckUser { // to that, any record says that the user is there
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

// rowUntil returns until when a draft waits that may be a row of an answer, zero if it
// does not wait any more, and whether the device has said that it answered.
func (d *decision) rowUntil(f *draft) (time.Time, bool) {
	if slices.Contains(d.follows.Ended, f.Row) {
		return time.Time{}, !slices.Contains(d.failed, f.Row)
	}
	o := d.known.Order
	if o == nil || o.ID != f.Row {
		return time.Time{}, false
	}
	until := f.ReceivedAt.Add(fewRowsWait)
	if o.Rows+len(d.follows.Came) > fewRows {
		until = o.HandedAt.Add(rowsWait)
		if len(d.follows.Came) > 0 {
			until = d.known.At.Add(rowsWait)
		}
	}
	if !d.known.At.Before(until) {
		return time.Time{}, false
	}
	return until, false
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
	if r.Return < 0 {
		d.failed = append(d.failed, r.ID) // nothing that came was its answer
	}
	if o == nil || o.ID != r.ID {
		return
	}
	rows := o.Rows + len(d.follows.Came)
	switch {
	case o.What == enroll.CheckUser && rows == 0 && (r.Return >= 0 || r.Return == noData || r.Return == noUser):
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

package intake

import (
	"slices"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// maxDrafts is how many drafts of a device wait. What is more shortens the settle time:
// every upload of the device reads them.
const maxDrafts = 256

// awaitUser is how much longer than the settle time a credential waits for the record
// of a user that the mirror does not know.
const awaitUser = 10 * time.Second

// A draft is a change in the making. With a settle time of 0 it is closed by the
// upload that made it, and never stored.
type draft struct {
	enroll.Draft
	here  bool // made by this upload: its records still join
	dirty bool // to be stored
}

func (f *draft) close() { f.Closed, f.here, f.dirty = true, false, true }

// join returns the open draft of a credential, and notes that a record joins it.
func (d *decision) join(pin enroll.PIN, credential string) *draft {
	for _, f := range slices.Backward(d.drafts) {
		if f.UserID != pin || f.Credential != credential {
			continue
		}
		if f.Closed && !f.here || f.Row != d.row {
			return nil
		}
		f.dirty = true
		if f.settlesByRest() {
			latest := f.ReceivedAt.Add(4 * d.known.Device.Settle)
			if due := d.known.At.Add(d.known.Device.Settle); due.After(f.DueAt) && !due.After(latest) {
				f.DueAt = due
			}
		}
		return f
	}
	return nil
}

// settlesByRest reports whether a draft is complete only when nothing comes any more:
// faces and palms come in an unknown number of records, and a secondary picture before
// the one that counts.
func (f *draft) settlesByRest() bool {
	return f.Kinds.Has(enroll.Face|enroll.Palm) || f.Secondary
}

// draft begins a draft with report i.
func (d *decision) draft(i int, u *enroll.Mirrored, kinds enroll.Kinds, credential string) *draft {
	f := &draft{here: true, dirty: true, Draft: enroll.Draft{Credential: credential, Row: d.row,
		Change: d.change(u.UserID, kinds, d.log.explain(i, u.UserID, kinds)),
		DueAt:  d.known.At.Add(d.known.Device.Settle)}}
	d.drafts = append(d.drafts, f)
	return f
}

// gone appends what tells of a removal. Nothing joins it, but it keeps its place.
func (d *decision) gone(u *enroll.Mirrored, kinds enroll.Kinds, at enroll.WallTime) *draft {
	f := &draft{Draft: enroll.Draft{Change: d.change(u.UserID, kinds, at), DueAt: d.known.At, Row: d.row}}
	f.Name, f.LastName, f.Privilege, f.Named = u.Name, u.LastName, u.Privilege, true
	if kinds == enroll.UserDeleted || at != "" || d.known.Device.Settle == 0 {
		f.close()
	} else { // its line of the operation log may follow
		f.DueAt, f.dirty = d.known.At.Add(d.known.Device.Settle), true
	}
	d.drafts = append(d.drafts, f)
	return f
}

// sealOff closes the drafts of a user who is being deleted, with the names of now.
func (d *decision) sealOff(u *enroll.Mirrored) {
	for _, f := range d.drafts {
		if f.UserID == u.UserID && !f.Named {
			f.Name, f.LastName, f.Privilege, f.Named = u.Name, u.LastName, u.Privilege, true
			f.Awaits = false
			f.close()
		}
	}
}

// explainDrafts gives the time of line i to the drafts of earlier uploads that it
// explains, which closes those that need nothing more.
func (d *decision) explainDrafts(i int, r enroll.OperationReport) {
	if r.Time == "" || !d.log.isNew(i) {
		return
	}
	for _, f := range d.drafts {
		if f.UserID == r.UserID && !f.here && !f.Closed && f.OperationTime == "" && r.Explains.Has(f.Kinds) {
			f.OperationTime, f.dirty = r.Time, true
			d.log.use(i, f.Kinds)
		}
	}
	for _, u := range d.known.Untimed {
		if u.UserID == r.UserID && r.Explains.Has(u.Kinds) {
			d.follows.Late = max(d.follows.Late, d.known.At.Sub(u.ReceivedAt))
			d.log.answer(r.UserID)
		}
	}
}

// closeDrafts makes changes of the drafts that are done, in their order: an open
// draft holds back what came after it.
func (d *decision) closeDrafts() {
	held := false
	for i, f := range d.drafts {
		u := d.mirrored(f.UserID)
		d.await(f, u)
		tooMany := len(d.drafts)-i > maxDrafts
		until, silently := d.until(f)
		if silently {
			if f.ID != 0 {
				d.follows.Done = append(d.follows.Done, f.ID)
			}
			continue
		}
		if !held && !until.IsZero() && !tooMany {
			held, d.look = true, until // what is behind it waits for it
		}
		if held {
			if f.dirty {
				d.follows.Drafts = append(d.follows.Drafts, f.Draft)
			}
			continue
		}
		if f.ID != 0 {
			d.follows.Done = append(d.follows.Done, f.ID)
		}
		d.tell(f, u)
	}
}

// await has a new credential of an unknown user wait longer, and a waiting one no
// longer than others once its user is known.
func (d *decision) await(f *draft, u *enroll.Mirrored) {
	settle := d.known.Device.Settle
	switch {
	case f.ID == 0 && !f.Named && !u.Known && settle > 0 && !f.Awaits:
		f.Awaits = true
		f.DueAt = f.DueAt.Add(awaitUser)
		d.order(enroll.QueryUser, f.UserID)
	case f.Awaits && u.Known:
		f.Awaits, f.dirty = false, true
		f.DueAt = f.DueAt.Add(-awaitUser)
	}
}

// until returns until when a draft waits, zero if nothing can complete it any more, and
// whether it is to be known silently.
func (d *decision) until(f *draft) (time.Time, bool) {
	if f.Row != "" {
		if until, silently := d.rowUntil(f); silently || !until.IsZero() {
			return until, silently
		}
	}
	if d.isDone(f) {
		return time.Time{}, false
	}
	return f.DueAt, false
}

// isDone reports whether nothing can complete a draft any more.
func (d *decision) isDone(f *draft) bool {
	if !d.known.At.Before(f.DueAt) {
		return true
	}
	if f.Closed {
		return true
	}
	return !f.Awaits && f.OperationTime != "" && !f.settlesByRest()
}

// tell makes a change of a draft.
func (d *decision) tell(f *draft, u *enroll.Mirrored) {
	if f.OperationTime == "" && !f.Closed {
		f.OperationTime = d.log.explainAnyhow(f.UserID, f.Kinds)
	}
	if f.OperationTime == "" && f.Kinds.Has(enroll.Updates) {
		d.follows.Untimed = append(d.follows.Untimed, enroll.Untimed{UserID: f.UserID, Kinds: f.Kinds, ReceivedAt: f.ReceivedAt})
	}
	d.emit(f.Change, u, !f.Named)
}

// ask orders the records that a line of the operation log promised and that did not
// come: it may be all that a device sends by itself.
func (d *decision) ask() {
	for _, line := range d.log.unanswered(d.known.At) {
		d.order(enroll.QueryUser, line.UserID)
		if line.Explains.Has(enroll.Fingerprint) {
			d.order(enroll.QueryFingers, line.UserID)
		}
		if line.Explains.Has(enroll.Face | enroll.Photo) {
			d.order(enroll.QueryFaces, line.UserID)
		}
	}
}

func (d *decision) order(what enroll.OrderKind, pin enroll.PIN) {
	d.follows.Orders = append(d.follows.Orders, enroll.Order{What: what, UserID: pin, Tell: true})
}

// next returns when the device's drafts and lines of the operation log need another
// look, zero if they do not.
func (d *decision) next() time.Time {
	at := d.look
	sooner := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	for _, line := range d.log.lines {
		if !waitsForData(line.Operation) {
			continue
		}
		received := line.ReceivedAt
		if line.ID == 0 {
			received = d.known.At
		}
		sooner(received.Add(enroll.DataWait))
	}
	if !d.known.NextLine.IsZero() {
		sooner(d.known.NextLine)
	}
	return at
}

package intake

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// A decision in the making: what is known, as it becomes while reports are read, and
// what follows.
type decision struct {
	known   enroll.Known
	upload  hashedUpload
	log     operationLog
	users   map[enroll.PIN]*enroll.Mirrored // as they become
	touched []enroll.PIN                    // users to write, in order
	drafts  []*draft                        // in the order of their changes
	row     enroll.OrderID                  // the record at hand may be a row of the answer to this order
	failed  []enroll.OrderID                // ended without an answer
	look    time.Time                       // when the first draft that waits needs another look; zero: none waits
	follows enroll.Follows
}

// decide is the pure function from what is known to what follows from an upload, and
// when the device needs another look, zero if it does not. An empty upload closes what
// is due.
func decide(known enroll.Known, upload hashedUpload) (enroll.Follows, time.Time) {
	d := &decision{known: known, upload: upload, users: make(map[enroll.PIN]*enroll.Mirrored)}
	d.log = newOperationLog(known.Recent, upload.Reports)
	for _, k := range known.Drafts {
		d.drafts = append(d.drafts, &draft{Draft: k})
	}
	d.follows.Raw = upload.Raw
	told := make(map[enroll.PunchKey]bool)
	for i, report := range upload.Reports {
		switch r := report.(type) {
		case enroll.UserReport:
			d.log.answer(r.UserID)
			d.user(i, r)
			d.row = ""
		case enroll.TemplateReport:
			d.log.answer(r.UserID)
			d.template(i, r)
			d.row = ""
		case enroll.PictureReport:
			d.log.answer(r.UserID)
			d.picture(i, r)
			d.row = ""
		case enroll.OperationReport:
			d.operation(i, r)
		case enroll.PunchReport:
			if !known.Punches[r.PunchKey] && !told[r.PunchKey] {
				told[r.PunchKey] = true
				d.punch(r)
			}
		case enroll.ResetReport:
			d.reset(r)
		case enroll.AnswerReport:
			d.answered(r)
		case enroll.UnreadReport:
			d.follows.Unread = append(d.follows.Unread, r)
		case enroll.KeptReport:
			d.follows.Kept = append(d.follows.Kept, r)
		}
	}
	d.ask()
	d.tellZone()
	d.closeDrafts()
	for _, pin := range d.touched {
		if u := d.users[pin]; u.Known || len(u.Hashes) > 0 {
			d.follows.Users = append(d.follows.Users, *u)
		} else {
			d.follows.Forget = append(d.follows.Forget, pin)
		}
	}
	d.follows.Operations = d.log.toKeep()
	return d.follows, d.next()
}

// mirrored returns what is known of a user by now.
func (d *decision) mirrored(pin enroll.PIN) *enroll.Mirrored {
	if u, ok := d.users[pin]; ok {
		return u
	}
	u := d.known.Users[pin]
	u.UserID = pin
	u.Hashes = maps.Clone(u.Hashes) // decide may be called again with the same Known
	if u.Hashes == nil {
		u.Hashes = make(map[string]enroll.Hash)
	}
	d.users[pin] = &u
	return &u
}

func (d *decision) touch(pin enroll.PIN) {
	if !slices.Contains(d.touched, pin) {
		d.touched = append(d.touched, pin)
	}
}

// user takes a record of who a user is: the whole user from devices that send it
// whole, a part of it from others.
func (d *decision) user(i int, r enroll.UserReport) {
	u := d.mirrored(r.UserID)
	silent := d.rowOfUser(u, r)
	news := !u.Known
	u.Known = true
	for _, changed := range []bool{set(&u.Name, r.Name), set(&u.LastName, r.LastName), set(&u.Privilege, r.Privilege)} {
		news = news || changed
	}
	if news {
		d.touch(r.UserID)
	}
	for _, c := range []struct {
		kind        enroll.Kinds
		name, index string
		said        *string
	}{
		{enroll.Password, namePassword, "", r.Password},
		{enroll.Card, nameCard, "", r.Card},
		{enroll.Card, nameSecondCard, "1", r.SecondCard},
	} {
		hash := d.upload.hashes[i][c.name]
		switch {
		case c.said == nil || hash == u.Hashes[c.name]:
		case hash == "" && silent:
			delete(u.Hashes, c.name)
			d.touch(r.UserID)
		case hash == "":
			d.removed(u, c.kind, c.index, d.log.explain(i, r.UserID, c.kind|enroll.CredentialRemoved))
		case silent:
			u.Hashes[c.name] = hash
			d.touch(r.UserID)
		default:
			u.Hashes[c.name] = hash
			kinds := c.kind
			if news {
				kinds, news = kinds|enroll.User, false
			}
			d.template1(i, u, kinds, c.name, c.name, enroll.Template{Kind: c.kind, Index: c.index, Data: enroll.TextData(*c.said)})
		}
	}
	if news && !silent && d.join(r.UserID, "user") == nil {
		d.draft(i, u, enroll.User, "user")
	}
}

// set stores what was said and reports whether that is something else than before.
func set[T comparable](into *T, said *T) bool {
	if said == nil || *said == *into {
		return false
	}
	*into = *said
	return true
}

// template takes one record of a finger, a face or a palm. A near-infrared face
// comes in fifteen of them.
func (d *decision) template(i int, r enroll.TemplateReport) {
	name := nameTemplate(r)
	u, hash := d.mirrored(r.UserID), d.upload.hashes[i][name]
	if hash == "" || hash == u.Hashes[name] {
		return
	}
	u.Hashes[name] = hash
	d.rowOfTemplate(r.UserID)
	t := enroll.Template{Kind: r.Kind, Index: r.Number, Algorithm: r.Algorithm, Version: r.Version, Data: r.Data}
	if r.Kind == enroll.Face {
		t.Index = r.Row
	}
	d.template1(i, u, r.Kind, r.Kind.String()+"/"+r.Number, name, t)
}

// template1 puts a template, by its name in the mirror, into the draft of its credential.
func (d *decision) template1(i int, u *enroll.Mirrored, kinds enroll.Kinds, credential, name string, t enroll.Template) {
	d.touch(u.UserID)
	f := d.join(u.UserID, credential)
	if f == nil {
		f = d.draft(i, u, kinds, credential)
	}
	f.Kinds |= kinds
	if at := slices.Index(f.Elements, name); at >= 0 {
		f.Templates[at] = t
		return
	}
	f.Elements = append(f.Elements, name)
	f.Templates = append(f.Templates, t)
}

// picture takes a picture of a user. Visible-light terminals send the one that they
// compare with and a secondary copy, mostly the same picture again.
func (d *decision) picture(i int, r enroll.PictureReport) {
	u, hash := d.mirrored(r.UserID), d.upload.hashes[i][namePhoto]
	mine, other := namePhoto, nameUserPic
	if r.Secondary {
		mine, other = other, mine
	}
	if hash == "" || hash == u.Hashes[mine] || r.Secondary && hash == u.Hashes[nameCopy] {
		return
	}
	d.touch(r.UserID)
	d.rowOfTemplate(r.UserID)
	f := d.join(r.UserID, namePhoto)
	if f != nil && r.Secondary && !f.Secondary {
		u.Hashes[nameCopy] = hash // not told: the picture that counts is in the draft
		return
	}
	u.Hashes[mine] = hash
	switch {
	case f != nil:
	case hash == u.Hashes[other]:
		return // told already
	default:
		f = d.draft(i, u, enroll.Photo, namePhoto)
	}
	f.Secondary = r.Secondary
	f.Photo = &r.Data
}

// operation takes a line of the operation log: it may explain drafts of earlier
// uploads, and tells by itself that something is gone. That counts if the mirror has
// it, so a repeated line makes no change.
func (d *decision) operation(i int, r enroll.OperationReport) {
	d.explainDrafts(i, r)
	u := d.mirrored(r.UserID)
	switch r.Removes {
	case 0:
	case enroll.UserDeleted:
		d.deleted(u, r.Time)
	case enroll.Password:
		if u.Hashes[namePassword] != "" {
			d.removed(u, enroll.Password, "", r.Time)
		}
	case enroll.Card:
		if u.Hashes[nameCard] != "" {
			d.removed(u, enroll.Card, "", r.Time)
		}
	default:
		d.templatesRemoved(u, r)
	}
	if r.MayDelete && d.log.isNew(i) {
		d.follows.Orders = append(d.follows.Orders, enroll.Order{What: enroll.CheckUser, UserID: r.UserID, Tell: true, Time: r.Time})
	}
}

// deleted tells that a user is gone, if the mirror has one.
func (d *decision) deleted(u *enroll.Mirrored, at enroll.WallTime) {
	if !u.Known && len(u.Hashes) == 0 {
		return
	}
	d.sealOff(u)
	d.gone(u, enroll.UserDeleted, at)
	d.touch(u.UserID)
	*u = enroll.Mirrored{UserID: u.UserID, Hashes: make(map[string]enroll.Hash)}
}

// templatesRemoved tells that a user has lost a finger, a face, a palm or a picture.
// The line does not say which finger: the mirror forgets them all, and the device is
// asked for those that are left, to be known silently.
func (d *decision) templatesRemoved(u *enroll.Mirrored, r enroll.OperationReport) {
	had := len(u.Hashes)
	maps.DeleteFunc(u.Hashes, func(name string, _ enroll.Hash) bool {
		return strings.HasPrefix(name, r.Removes.String()+"/") || r.Removes == enroll.Photo && name == namePhoto
	})
	if len(u.Hashes) == had {
		return
	}
	d.touch(u.UserID)
	for _, f := range d.drafts {
		if f.UserID == u.UserID && f.Kinds.Has(r.Removes) {
			f.close()
		}
	}
	d.gone(u, enroll.CredentialRemoved, r.Time).Removed = &enroll.Removed{Kind: r.Removes}
	if r.Removes == enroll.Fingerprint {
		d.follows.Orders = append(d.follows.Orders, enroll.Order{What: enroll.QueryFingers, UserID: u.UserID})
	}
}

// removed tells that a user has lost a password or a card.
func (d *decision) removed(u *enroll.Mirrored, kind enroll.Kinds, index string, at enroll.WallTime) {
	name := kind.String()
	if index != "" {
		name += "/" + index
	}
	delete(u.Hashes, name)
	d.touch(u.UserID)
	if f := d.join(u.UserID, name); f != nil {
		f.close() // what comes later is a change of its own
	}
	d.gone(u, enroll.CredentialRemoved, at).Removed = &enroll.Removed{Kind: kind, Index: index}
}

// punch takes a line of attendance. Punches never wait.
func (d *decision) punch(r enroll.PunchReport) {
	d.follows.Punches = append(d.follows.Punches, r.PunchKey)
	c := d.change(r.UserID, enroll.Punch, r.Time)
	c.Punch = &enroll.PunchDetail{Status: r.Status, Verify: r.Verify, WorkCode: r.WorkCode,
		Temperature: r.Temperature, Mask: r.Mask, Direction: d.known.Device.Direction}
	d.emit(c, d.mirrored(r.UserID), true)
}

// change begins a change about a user.
func (d *decision) change(pin enroll.PIN, kinds enroll.Kinds, at enroll.WallTime) enroll.Change {
	return enroll.Change{Kinds: kinds, UserID: pin, ReceivedAt: d.known.At, Content: enroll.Content{
		Serial: d.known.Device.Serial, Label: d.known.Device.Label, TimeZone: d.known.Device.TimeZone, OperationTime: at}}
}

// emit makes a change follow, for the endpoints that chose it.
func (d *decision) emit(c enroll.Change, u *enroll.Mirrored, name bool) {
	if name {
		c.Name, c.LastName, c.Privilege = u.Name, u.LastName, u.Privilege
	}
	n := enroll.NewChange{Change: c}
	for _, choice := range d.known.Choices {
		if kinds := chosen(choice, c.Kinds, u); kinds != 0 {
			n.To = append(n.To, enroll.Recipient{Endpoint: choice.Endpoint, Kinds: kinds})
		}
	}
	d.follows.Changes = append(d.follows.Changes, n)
}

// chosen returns the kinds of a change that an endpoint wants to hear of. With faces
// "auto" it hears of a face's templates only where the device sent no picture.
func chosen(c enroll.Choice, kinds enroll.Kinds, u *enroll.Mirrored) enroll.Kinds {
	kinds &= c.Kinds
	if c.Faces == "auto" && (u.Hashes[namePhoto] != "" || u.Hashes[nameUserPic] != "") {
		kinds &^= enroll.Face
	}
	return kinds
}

package intake

import (
	"maps"
	"slices"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// A hashedUpload is an upload with the keyed hashes of its credentials, made before
// the store locks the device.
type hashedUpload struct {
	enroll.Upload
	hashes []map[string]enroll.Hash // beside Reports: name of a credential to hash
}

// Names of credentials in the mirror. They are stored: never change them.
const (
	namePassword   = "password"
	nameCard       = "card"
	nameSecondCard = "card/1"
	namePhoto      = "photo"
	nameUserPic    = "photo/user" // the secondary copy
)

// nameTemplate gives a template's name: kind, finger or hand, row, algorithm.
func nameTemplate(r enroll.TemplateReport) string {
	return r.Kind.String() + "/" + r.Number + "/" + r.Row + "/" + r.Algorithm
}

// hash makes the keyed hashes. The serial number and the user are part of each, so
// that equal passwords of two users do not show as equal.
func (in *Intake) hash(serial enroll.Serial, upload enroll.Upload) hashedUpload {
	out := hashedUpload{upload, make([]map[string]enroll.Hash, len(upload.Reports))}
	for i, report := range upload.Reports {
		h := make(map[string]enroll.Hash)
		add := func(user enroll.PIN, name string, content []byte) {
			if len(content) > 0 {
				h[name] = enroll.Hash(in.cfg.Hash(string(user), name, string(content)))
			}
		}
		switch r := report.(type) {
		case enroll.UserReport:
			add(r.UserID, namePassword, []byte(value(r.Password)))
			add(r.UserID, nameCard, []byte(value(r.Card)))
			add(r.UserID, nameSecondCard, []byte(value(r.SecondCard)))
		case enroll.TemplateReport:
			add(r.UserID, nameTemplate(r), r.Data.Bytes)
		case enroll.PictureReport:
			add(r.UserID, namePhoto, r.Data.Bytes)
		}
		out.hashes[i] = h
	}
	return out
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// needs names what the decision about an upload wants to know.
func needs(upload enroll.Upload) enroll.Needs {
	var n enroll.Needs
	users := make(map[enroll.PIN]bool)
	punches := make(map[enroll.PunchKey]bool)
	want := func(pin enroll.PIN) {
		if !users[pin] {
			users[pin] = true
			n.Users = append(n.Users, pin)
		}
	}
	for _, report := range upload.Reports {
		switch r := report.(type) {
		case enroll.UserReport:
			want(r.UserID)
		case enroll.TemplateReport:
			want(r.UserID)
		case enroll.PictureReport:
			want(r.UserID)
		case enroll.OperationReport:
			want(r.UserID)
		case enroll.PunchReport:
			want(r.UserID) // for the name
			if !punches[r.PunchKey] {
				punches[r.PunchKey] = true
				n.Punches = append(n.Punches, r.PunchKey)
			}
		}
	}
	return n
}

// A decision in the making: what is known, as it becomes while reports are read, and
// what follows.
type decision struct {
	known   enroll.Known
	upload  hashedUpload
	log     operationLog
	users   map[enroll.PIN]*enroll.Mirrored // as they become
	touched []enroll.PIN                    // users to write, in order
	open    map[enroll.PIN][]int            // changes that wait for the names of their user
	joined  map[credential]*join
	follows enroll.Follows
}

// A credential of a user, or "user" for who the user is.
type credential struct {
	user enroll.PIN
	name string
}

// A join is where the records of one credential in this upload meet.
type join struct {
	at       int            // place of the change
	elements map[string]int // template by its name in the mirror: place in the change
	primary  bool           // the picture is not a secondary copy
}

// decide is the pure function from what is known to what follows from an upload.
func decide(known enroll.Known, upload hashedUpload) enroll.Follows {
	d := &decision{known: known, upload: upload, users: make(map[enroll.PIN]*enroll.Mirrored),
		open: make(map[enroll.PIN][]int), joined: make(map[credential]*join)}
	d.log = newOperationLog(known.Recent, upload.Reports)
	d.follows.Raw = upload.Raw
	told := make(map[enroll.PunchKey]bool)
	for i, report := range upload.Reports {
		switch r := report.(type) {
		case enroll.UserReport:
			d.user(i, r)
		case enroll.TemplateReport:
			d.template(i, r)
		case enroll.PictureReport:
			d.picture(i, r)
		case enroll.OperationReport:
			d.operation(r)
		case enroll.PunchReport:
			if !known.Punches[r.PunchKey] && !told[r.PunchKey] {
				told[r.PunchKey] = true
				d.punch(r)
			}
		case enroll.UnreadReport:
			d.follows.Unread = append(d.follows.Unread, r)
		case enroll.KeptReport:
			d.follows.Kept = append(d.follows.Kept, r)
		}
	}
	for pin := range d.open {
		d.close(pin)
	}
	for _, pin := range d.touched {
		if u := d.users[pin]; u.Known || len(u.Hashes) > 0 {
			d.follows.Users = append(d.follows.Users, *u)
		} else {
			d.follows.Forget = append(d.follows.Forget, pin)
		}
	}
	d.follows.Operations = d.log.toKeep()
	return d.follows
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
	news := !u.Known
	u.Known = true
	for _, changed := range []bool{set(&u.Name, r.Name), set(&u.LastName, r.LastName), set(&u.Privilege, r.Privilege)} {
		news = news || changed
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
		case hash == "":
			d.removed(u, c.kind, c.index, d.log.explain(i, r.UserID, c.kind|enroll.CredentialRemoved))
		default:
			u.Hashes[c.name] = hash
			kinds := c.kind
			if news {
				kinds, news = kinds|enroll.User, false
			}
			t := enroll.Template{Kind: c.kind, Index: c.index, Data: enroll.TextData(*c.said)}
			d.joinTemplate(i, u, kinds, c.name, c.name, t)
		}
	}
	if news {
		d.touch(r.UserID)
		if _, told := d.joined[credential{r.UserID, "user"}]; !told { // names are filled in at the end
			d.joined[credential{r.UserID, "user"}] = &join{at: d.add(i, u, enroll.User)}
		}
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
	t := enroll.Template{Kind: r.Kind, Index: r.Number, Algorithm: r.Algorithm, Version: r.Version, Data: r.Data}
	if r.Kind == enroll.Face {
		t.Index = r.Row
	}
	d.joinTemplate(i, u, r.Kind, r.Kind.String()+"/"+r.Number, name, t)
}

// joinTemplate puts a template into the change of its credential: a new one, or the
// one that this upload made already.
func (d *decision) joinTemplate(i int, u *enroll.Mirrored, kinds enroll.Kinds, of, name string, t enroll.Template) {
	d.touch(u.UserID)
	j, ok := d.joined[credential{u.UserID, of}]
	if !ok {
		j = &join{at: d.add(i, u, kinds), elements: make(map[string]int)}
		d.joined[credential{u.UserID, of}] = j
	}
	c := &d.follows.Changes[j.at].Change
	c.Kinds |= kinds
	if at, ok := j.elements[name]; ok {
		c.Templates[at] = t
		return
	}
	j.elements[name] = len(c.Templates)
	c.Templates = append(c.Templates, t)
}

// picture takes a picture of a user. Visible-light terminals send the one that they
// compare with and a secondary copy, mostly the same picture again.
func (d *decision) picture(i int, r enroll.PictureReport) {
	u, hash := d.mirrored(r.UserID), d.upload.hashes[i][namePhoto]
	mine, other := namePhoto, nameUserPic
	if r.Secondary {
		mine, other = other, mine
	}
	if hash == "" || hash == u.Hashes[mine] {
		return
	}
	u.Hashes[mine] = hash
	d.touch(r.UserID)
	if hash == u.Hashes[other] {
		return
	}
	j, ok := d.joined[credential{r.UserID, namePhoto}]
	if !ok {
		j = &join{at: d.add(i, u, enroll.Photo)}
		d.joined[credential{r.UserID, namePhoto}] = j
	}
	if j.primary && r.Secondary {
		return
	}
	j.primary = !r.Secondary
	d.follows.Changes[j.at].Photo = &r.Data
}

// operation takes what a line of the operation log tells by itself: that something
// is gone. It counts if the mirror has it, so a repeated line makes no change.
func (d *decision) operation(r enroll.OperationReport) {
	u := d.mirrored(r.UserID)
	switch r.Removes {
	case enroll.UserDeleted:
		if !u.Known && len(u.Hashes) == 0 {
			return
		}
		d.addAt(u, enroll.UserDeleted, r.Time)
		d.close(r.UserID)
		d.touch(r.UserID)
		*u = enroll.Mirrored{UserID: r.UserID, Hashes: make(map[string]enroll.Hash)}
		maps.DeleteFunc(d.joined, func(c credential, _ *join) bool { return c.user == r.UserID })
	case enroll.Password:
		if u.Hashes[namePassword] != "" {
			d.removed(u, enroll.Password, "", r.Time)
		}
	case enroll.Card:
		if u.Hashes[nameCard] != "" {
			d.removed(u, enroll.Card, "", r.Time)
		}
	}
}

// removed tells that a user has lost a password or a card.
func (d *decision) removed(u *enroll.Mirrored, kind enroll.Kinds, index string, at enroll.WallTime) {
	name := kind.String()
	if index != "" {
		name += "/" + index
	}
	delete(u.Hashes, name)
	delete(d.joined, credential{u.UserID, name}) // what comes later in this upload is a change of its own
	d.touch(u.UserID)
	n := d.addAt(u, enroll.CredentialRemoved, at)
	d.follows.Changes[n].Removed = &enroll.Removed{Kind: kind, Index: index}
}

// punch takes a line of attendance.
func (d *decision) punch(r enroll.PunchReport) {
	d.follows.Punches = append(d.follows.Punches, r.PunchKey)
	n := d.addAt(d.mirrored(r.UserID), enroll.Punch, r.Time)
	d.follows.Changes[n].Punch = &enroll.PunchDetail{Status: r.Status, Verify: r.Verify, WorkCode: r.WorkCode,
		Temperature: r.Temperature, Mask: r.Mask, Direction: d.known.Device.Direction}
}

// add appends a change about report i, with the operation time that explains it, and
// returns its place.
func (d *decision) add(i int, u *enroll.Mirrored, kinds enroll.Kinds) int {
	return d.addAt(u, kinds, d.log.explain(i, u.UserID, kinds))
}

func (d *decision) addAt(u *enroll.Mirrored, kinds enroll.Kinds, at enroll.WallTime) int {
	n := len(d.follows.Changes)
	d.follows.Changes = append(d.follows.Changes, enroll.NewChange{Change: enroll.Change{
		Kinds: kinds, UserID: u.UserID, ReceivedAt: d.known.At, Content: enroll.Content{
			Serial: d.known.Device.Serial, Label: d.known.Device.Label, TimeZone: d.known.Device.TimeZone, OperationTime: at}}})
	d.open[u.UserID] = append(d.open[u.UserID], n)
	return n
}

// close gives the changes of a user the names that the mirror has of it by now, and
// to whom they go: in one upload the record of a finger may come before its user's.
func (d *decision) close(pin enroll.PIN) {
	u := d.users[pin]
	for _, n := range d.open[pin] {
		c := &d.follows.Changes[n]
		c.Name, c.LastName, c.Privilege = u.Name, u.LastName, u.Privilege
		for _, choice := range d.known.Choices {
			if kinds := chosen(choice, c.Kinds, u); kinds != 0 {
				c.To = append(c.To, enroll.Recipient{Endpoint: choice.Endpoint, Kinds: kinds})
			}
		}
	}
	delete(d.open, pin)
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

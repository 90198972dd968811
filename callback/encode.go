package callback

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Encode returns the body of c. See [Callback.AppendJSON].
func (c Callback) Encode(o Options) ([]byte, error) { return c.AppendJSON(nil, o) }

// AppendJSON appends the body of c to dst: compact JSON in UTF-8 without a line break
// at the end. Order of keys and every byte depend on c and o alone. Invalid UTF-8 is
// written as U+FFFD; < > & are not escaped.
//
// Errors are those of [Options.Check], [ErrNotExpressible], or a [FieldError] where c
// is not of exactly one kind or has no user id. With an error dst comes back as it was.
func (c Callback) AppendJSON(dst []byte, o Options) ([]byte, error) {
	if err := o.Check(); err != nil {
		return dst, err
	}
	if err := c.check(); err != nil {
		return dst, err
	}
	if err := c.expressibleInNiya(); err != nil {
		return dst, err
	}
	e := encoder{buf: slices.Grow(dst, c.size()), at: c.OperationTime, times: GMT, opts: o}
	if c.Punch != nil {
		e.times = Plain
	}
	if o.Times != "" {
		e.times = o.Times
	}
	e.niya(&c)
	return e.buf, nil
}

// check reports what makes c no callback at all.
func (c Callback) check() error {
	kinds, field, id := 0, "", ""
	if c.User != nil {
		kinds, field, id = kinds+1, "UserUpdated.UserID", c.User.UserID
	}
	if c.Punch != nil {
		kinds, field, id = kinds+1, "PunchLog.UserId", c.Punch.UserID
	}
	if c.Deleted != nil {
		kinds, field, id = kinds+1, "UserDeleted.UserID", c.Deleted.UserID
	}
	if c.Removed != nil {
		kinds, field, id = kinds+1, "CredentialRemoved.UserID", c.Removed.UserID
	}
	switch {
	case kinds != 1:
		return &FieldError{Field: "RealTime", Want: wantOneKind}
	case id == "":
		return &FieldError{Field: "RealTime." + field, Want: wantUserID}
	}
	return nil
}

const (
	wantOneKind = "exactly one of UserUpdated, PunchLog, UserDeleted, CredentialRemoved"
	wantUserID  = "a user id"
)

func (c Callback) expressibleInNiya() error {
	switch {
	case c.Removed != nil:
		return fmt.Errorf("encoding CredentialRemoved in dialect %q: %w", Niya, ErrNotExpressible)
	case c.Punch != nil && (c.Punch.Status < 0 || c.Punch.Verify < 0):
		return fmt.Errorf("encoding PunchLog without codes in dialect %q: %w", Niya, ErrNotExpressible)
	}
	return nil
}

// size estimates the length of the body from above, where nothing needs escapes, so
// that a photo is not copied again while the buffer grows.
func (c Callback) size() int {
	n := 512 + 2*len(c.AuthToken) + 2*len(c.OperationID) + len(c.SerialNumber) + len(c.LabelName)
	if u := c.User; u != nil {
		n += 2*len(u.UserID) + len(u.FirstName) + len(u.LastName)
		if u.Photo != nil {
			n += len(u.Photo.Data)
		}
		for _, t := range u.Template {
			n += 96 + len(u.UserID) + len(t.Data)
		}
	}
	return n
}

// An encoder writes one body. Its methods append and cannot fail: what could was
// checked before.
type encoder struct {
	buf   []byte
	at    time.Time // OperationTime
	times Times     // the endpoint's style, else the documented one
	opts  Options
}

// niya writes the whole body. RealTime begins with the kind; the order of what
// follows differs between the documented samples.
func (e *encoder) niya(c *Callback) {
	tokenFirst := false
	e.raw(`{"RealTime":{`)
	switch {
	case c.User != nil:
		tokenFirst = c.User.Photo != nil
		e.raw(`"UserUpdated":`)
		e.userUpdated(c.User)
	case c.Punch != nil:
		tokenFirst = true
		e.raw(`"PunchLog":`)
		e.niyaPunch(c.Punch)
	case c.Deleted != nil:
		e.raw(`"UserDeleted":`)
		e.userDeleted(c.Deleted)
	}
	if tokenFirst {
		e.field(`,"AuthToken":`, string(c.AuthToken))
		e.field(`,"OperationID":`, c.OperationID)
	} else {
		e.field(`,"OperationID":`, c.OperationID)
		e.field(`,"AuthToken":`, string(c.AuthToken))
	}
	e.raw(`,"Time":`)
	e.buf = appendEventTime(e.buf, e.at, e.times)
	e.raw(`,"DownloadedAt":`)
	e.buf = appendDownloadedAt(e.buf, c.DownloadedAt)
	if e.opts.DeviceFields {
		e.field(`,"SerialNumber":`, c.SerialNumber)
		e.field(`,"LabelName":`, c.LabelName)
	}
	e.raw(`}`)
	if e.opts.RootCopies {
		e.field(`,"AuthToken":`, string(c.AuthToken))
		e.field(`,"OperationID":`, c.OperationID)
	}
	e.raw(`}`)
}

func (e *encoder) userUpdated(u *UserUpdated) {
	if u.Photo == nil {
		e.userID(`{"UserID":`, u.UserID, false)
		e.field(`,"FirstName":`, u.FirstName)
	} else {
		e.field(`{"FirstName":`, u.FirstName)
	}
	e.field(`,"LastName":`, u.LastName)
	role := u.UserType
	if role == "" {
		role = RoleUser
	}
	e.field(`,"UserType":`, role)
	if u.Photo != nil {
		e.userID(`,"UserID":`, u.UserID, true)
	}
	e.raw(`,"OperationTime":`)
	e.buf = appendTime(e.buf, e.at, e.times)
	if u.Photo != nil {
		e.userID(`,"Photo":{"Type":"Base64","UserID":`, u.UserID, true)
		e.raw(`,"Size":`)
		data := string(u.Photo.Data)
		plain := isPlain(data) // asked once: data is long
		e.buf = strconv.AppendInt(e.buf, int64(characters(data, plain)), 10)
		e.raw(`,"Data":`)
		e.buf = appendChecked(e.buf, data, plain)
		e.raw(`}`)
	}
	e.raw(`,"Template":[`)
	for i, t := range u.Template {
		if i > 0 {
			e.raw(`,`)
		}
		e.template(t, u.UserID)
	}
	e.raw(`]}`)
}

// template writes one element. Passwords and cards have no Size, and an Index only
// where one tells two cards apart.
func (e *encoder) template(t Template, userID string) {
	e.field(`{"Type":`, string(t.Type))
	e.userID(`,"UserID":`, userID, false)
	data := string(t.Data)
	plain := isPlain(data) // asked once: data is long
	bare := t.Type == Password || t.Type == Card
	if !bare {
		e.raw(`,"Size":"`)
		e.buf = strconv.AppendInt(e.buf, int64(characters(data, plain)), 10)
		e.raw(`"`)
	}
	if !bare || t.Index != "" {
		e.field(`,"Index":`, t.Index)
	}
	e.raw(`,"Data":`)
	e.buf = appendChecked(e.buf, data, plain)
	e.raw(`}`)
}

// niyaPunch writes Type = method and InputType = direction, as raw codes: the reverse
// of what the other dialects mean by these names.
func (e *encoder) niyaPunch(p *PunchLog) {
	e.userID(`{"UserId":`, p.UserID, true)
	e.raw(`,"LogTime":`)
	e.buf = appendTime(e.buf, e.at, e.times)
	e.raw(`,"Type":`)
	e.buf = strconv.AppendInt(e.buf, int64(p.Verify), 10)
	e.raw(`,"InputType":`)
	e.buf = strconv.AppendInt(e.buf, int64(p.Status), 10)
	e.field(`,"Temperature":`, p.Temperature)
	e.raw(`}`)
}

func (e *encoder) userDeleted(d *UserDeleted) {
	e.userID(`{"UserID":`, d.UserID, false)
	e.raw(`,"OperationTime":`)
	e.buf = appendTime(e.buf, e.at, e.times)
	e.raw(`}`)
}

// userID writes the key and id. documented tells whether the sample has a number there.
func (e *encoder) userID(key, id string, documented bool) {
	number := documented
	switch e.opts.UserIDs {
	case AsNumber:
		number = true
	case AsString:
		number = false
	}
	if number && isCanonicalDecimal(id) {
		e.raw(key)
		e.raw(id)
		return
	}
	e.field(key, id)
}

// field writes the key, given with its punctuation, and value as a JSON string.
func (e *encoder) field(key, value string) {
	e.buf = append(e.buf, key...)
	e.buf = appendText(e.buf, value)
}

func (e *encoder) raw(text string) { e.buf = append(e.buf, text...) }

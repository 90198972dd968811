package callback

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Parse reads the body of a callback, ours or that of another vendor of the family.
// It accepts numbers and strings for each other, words and keys in any case, any
// order, unknown keys, a user id that stands only in the template or the photo, and
// a token and operation id that stand only at the root. Sizes are not looked at.
// Where OperationTime is missing it takes RealTime.Time.
//
// The error is a [FieldError]. It never contains a part of the body.
func Parse(body []byte) (Callback, error) {
	var w wireBody
	if err := json.Unmarshal(body, &w); err != nil {
		return Callback{}, jsonError(err)
	}
	if w.RealTime == nil {
		return Callback{}, &FieldError{Field: "RealTime", Want: "an object"}
	}
	var r reader
	c := r.callback(w)
	if r.err != nil {
		return Callback{}, r.err
	}
	if err := c.check(); err != nil {
		return Callback{}, err
	}
	return c, nil
}

// The wire types hold all that any vendor sends. encoding/json matches keys in any
// case, so UserID is UserId too.
type (
	wireBody struct {
		RealTime               *wireRealTime
		AuthToken, OperationID value
	}
	wireRealTime struct {
		UserUpdated             *wireUser
		PunchLog                *wirePunch
		UserDeleted             *wireGone
		CredentialRemoved       *wireGone
		OperationID, AuthToken  value
		Time, DownloadedAt      value
		SerialNumber, LabelName value
	}
	wireUser struct {
		UserID, FirstName, LastName, UserType, OperationTime value
		Photo                                                *struct{ UserID, Data value }
		Template                                             []wireTemplate
	}
	wireTemplate struct{ Type, UserID, Index, Data value }
	wirePunch    struct{ UserID, LogTime, Type, InputType, Temperature, FaceMask value }
	wireGone     struct{ UserID, Type, Index, OperationTime value }
)

// A value is a JSON value of any type, told apart when its field is read.
type value struct {
	kind kind
	text string // content of a string; a number or boolean as it stood in the body
}

type kind byte

const (
	isAbsent kind = iota // or null
	isText
	isNumber
	isBool
	isComposite // object or array
)

// UnmarshalJSON accepts any value.
func (v *value) UnmarshalJSON(data []byte) error {
	*v = value{}
	switch data[0] {
	case 'n':
	case '"':
		v.kind = isText
		return json.Unmarshal(data, &v.text)
	case 't', 'f':
		*v = value{isBool, string(data)}
	case '{', '[':
		v.kind = isComposite
	default:
		*v = value{isNumber, string(data)} // as written: a float64 would lose digits of an id
	}
	return nil
}

// jsonError says where body is not as expected. The texts of encoding/json are left
// out, since they quote numbers.
func jsonError(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		return &FieldError{Field: wrong.Field, Want: "an object, or a list of objects for Template"}
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return &FieldError{Field: "body", Want: fmt.Sprintf("JSON; it breaks at byte %d", syntax.Offset)}
	}
	return &FieldError{Field: "body", Want: "a JSON object"}
}

// A reader turns values into fields and keeps the first error.
type reader struct{ err error }

func (r *reader) callback(w wireBody) Callback {
	rt := w.RealTime
	c := Callback{
		OperationID:  r.text("RealTime.OperationID", rt.OperationID),
		AuthToken:    Masked(r.text("RealTime.AuthToken", rt.AuthToken)),
		SerialNumber: r.text("RealTime.SerialNumber", rt.SerialNumber),
		LabelName:    r.text("RealTime.LabelName", rt.LabelName),
	}
	if rt.OperationID.kind == isAbsent {
		c.OperationID = r.text("OperationID", w.OperationID)
	}
	if rt.AuthToken.kind == isAbsent {
		c.AuthToken = Masked(r.text("AuthToken", w.AuthToken))
	}
	var at value
	field := "RealTime.Time"
	if u := rt.UserUpdated; u != nil {
		c.User = r.user(u)
		field, at = "RealTime.UserUpdated.OperationTime", u.OperationTime
	}
	if p := rt.PunchLog; p != nil {
		c.Punch = r.punch(p)
		field, at = "RealTime.PunchLog.LogTime", p.LogTime
	}
	if d := rt.UserDeleted; d != nil {
		c.Deleted = &UserDeleted{UserID: r.text("RealTime.UserDeleted.UserID", d.UserID)}
		field, at = "RealTime.UserDeleted.OperationTime", d.OperationTime
	}
	if d := rt.CredentialRemoved; d != nil {
		c.Removed = r.removed(d)
		field, at = "RealTime.CredentialRemoved.OperationTime", d.OperationTime
	}
	var zoned bool
	c.OperationTime, zoned = r.time(field, at, time.Second)
	if c.OperationTime.IsZero() {
		c.OperationTime, zoned = r.time("RealTime.Time", rt.Time, time.Second)
	}
	c.ZoneUnknown = !zoned
	c.DownloadedAt, _ = r.time("RealTime.DownloadedAt", rt.DownloadedAt, time.Millisecond)
	c.DownloadedAt = c.DownloadedAt.UTC()
	return c
}

func (r *reader) user(w *wireUser) *UserUpdated {
	const path = "RealTime.UserUpdated."
	u := &UserUpdated{
		UserID:    r.text(path+"UserID", w.UserID),
		FirstName: r.text(path+"FirstName", w.FirstName),
		LastName:  r.text(path+"LastName", w.LastName),
		UserType:  r.text(path+"UserType", w.UserType),
	}
	for _, role := range []string{RoleUser, RoleAdmin} {
		if strings.EqualFold(u.UserType, role) {
			u.UserType = role
		}
	}
	for i, t := range w.Template {
		path := fmt.Sprintf("%sTemplate[%d].", path, i)
		if id := r.text(path+"UserID", t.UserID); u.UserID == "" {
			u.UserID = id
		}
		u.Template = append(u.Template, Template{
			Type:  r.credential(path+"Type", t.Type),
			Index: r.text(path+"Index", t.Index),
			Data:  Masked(r.text(path+"Data", t.Data)),
		})
	}
	if w.Photo != nil {
		if id := r.text(path+"Photo.UserID", w.Photo.UserID); u.UserID == "" {
			u.UserID = id
		}
		u.Photo = &Photo{Data: Masked(r.text(path+"Photo.Data", w.Photo.Data))}
	}
	return u
}

// punch tells codes from words: niya has the method in Type and the direction in
// InputType, both as codes; everybody else has them the other way round, as words.
func (r *reader) punch(w *wirePunch) *PunchLog {
	const path = "RealTime.PunchLog."
	p := &PunchLog{
		UserID:      r.text(path+"UserId", w.UserID),
		Temperature: r.text(path+"Temperature", w.Temperature),
		FaceMask:    r.flag(path+"FaceMask", w.FaceMask),
	}
	var direction, method string
	p.Verify, direction = r.codeOrWord(path+"Type", w.Type)
	p.Status, method = r.codeOrWord(path+"InputType", w.InputType)

	p.Status, p.Direction = completeDirection(p.Status, direction)
	p.Verify, p.Method = completeMethod(p.Verify, method)
	return p
}

func (r *reader) removed(w *wireGone) *CredentialRemoved {
	const path = "RealTime.CredentialRemoved."
	return &CredentialRemoved{
		UserID: r.text(path+"UserID", w.UserID),
		Type:   r.credential(path+"Type", w.Type),
		Index:  r.text(path+"Index", w.Index),
	}
}

// text reads a string, or a number as it was written; null is "".
func (r *reader) text(field string, v value) string {
	if v.kind == isBool || v.kind == isComposite {
		r.fail(field, "a string or a number")
		return ""
	}
	return v.text
}

func (r *reader) credential(field string, v value) Type {
	word := r.text(field, v)
	if word == "" {
		r.fail(field, "a type such as Fingerprint")
	}
	known, _ := ParseType(word)
	return known
}

// time reads a time, cut to a multiple of precision, and whether it named its zone.
func (r *reader) time(field string, v value, precision time.Duration) (time.Time, bool) {
	if v.kind != isAbsent && v.kind != isText {
		r.fail(field, wantTime)
		return time.Time{}, true
	}
	t, zoned, ok := parseTime(v.text, precision)
	if !ok {
		r.fail(field, wantTime)
	}
	return t, zoned
}

const wantTime = `null or a time such as "2006-01-02 15:04:05 GMT +0530"`

// codeOrWord reads a whole number, which may stand in a string, or a word.
func (r *reader) codeOrWord(field string, v value) (int, string) {
	word := strings.TrimSpace(r.text(field, v))
	code, err := strconv.Atoi(word)
	switch {
	case err == nil:
		return max(code, UnknownCode), ""
	case v.kind == isNumber:
		r.fail(field, "a word or a whole number")
	}
	return UnknownCode, word
}

// flag reads a boolean, which may be written as a string or number.
func (r *reader) flag(field string, v value) *bool {
	if v.kind == isAbsent || v.kind == isText && v.text == "" {
		return nil
	}
	yes, err := strconv.ParseBool(v.text)
	if err != nil {
		r.fail(field, "true, false or null")
		return nil
	}
	return &yes
}

func (r *reader) fail(field, want string) {
	if r.err == nil {
		r.err = &FieldError{Field: field, Want: want}
	}
}

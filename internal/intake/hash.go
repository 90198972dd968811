package intake

import (
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
	nameUserPic    = "photo/user" // the secondary copy, where it was told
	nameCopy       = "photo/copy" // a secondary copy that was not told
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
	n := enroll.Needs{Unread: upload.Unread}
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
		case enroll.AnswerReport:
			n.Order = r.ID
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

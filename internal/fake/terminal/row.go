package terminal

import (
	"strconv"
	"strings"
)

// Tables of PUSH 3.x, all below table=tabledata but the first two.
const (
	rtlog       = "rtlog"
	rtstate     = "rtstate"
	tableUser   = "user"
	tableNames  = "extuser"
	tableCards  = "mulcarduser"
	tableFinger = "templatev10"
	tableBio    = "biodata"
	tablePhoto  = "biophoto"
	tablePic    = "userpic"
)

// told says what of a user a record is about.
type told uint8

const (
	tellName told = 1 << iota
	tellRole
	tellPassword
	tellCard
	tellSecondCard

	tellUser = tellName | tellRole | tellPassword | tellCard | tellSecondCard
)

// userPosts are the posts that tell what is held of a user, and that these of it are
// different. Those of PUSH 2.x tell the whole user.
func (t *Terminal) userPosts(h held, what told) []post {
	if !t.isAccess() {
		return []post{{operlog, []string{t.userLine(h)}}}
	}
	var posts []post
	if what&^tellSecondCard != 0 {
		posts = append(posts, post{tableUser, []string{t.userRow(h, what)}})
	}
	if what&tellName != 0 && h.lastName != "" {
		posts = append(posts, post{tableNames, []string{t.line(tableNames, "pin", h.pin, "funswitch", "0",
			"firstname", h.name, "lastname", h.lastName, "personalvs", "0")}})
	}
	if what&tellSecondCard != 0 && h.secondCard != "" {
		posts = append(posts, post{tableCards, []string{t.cardRow(h)}})
	}
	return posts
}

// userRow is a row of the table user. Many terminals leave empty what did not change,
// and whose name stands in extuser has none here.
func (t *Terminal) userRow(h held, what told) string {
	if !t.cfg.Habits.shows(Sparse, t.draw("sparse"), 2) {
		what = tellUser
	}
	of := func(part told, text string) string {
		if what&part == 0 {
			return ""
		}
		return text
	}
	name := h.name
	if h.lastName != "" {
		name = ""
	}
	return t.line(tableUser, "uid", strconv.FormatUint(h.uid, 10), "cardno", of(tellCard, h.card), "pin", h.pin,
		"password", of(tellPassword, h.password), "group", "1", "starttime", "0", "endtime", "0",
		"name", of(tellName, name), "privilege", strconv.Itoa(h.privilege), "disable", strconv.Itoa(h.privilege&1), "verify", "0")
}

// cardRow is the second card of a user, in hexadecimal.
func (t *Terminal) cardRow(h held) string {
	number, err := strconv.ParseUint(h.secondCard, 10, 64)
	text := strconv.FormatUint(number, 16)
	if err != nil {
		text = h.secondCard
	}
	return t.line(tableCards, "pin", h.pin, "cardno", text, "losscardflag", "0", "cardtype", "1")
}

// fingerRow is a finger: a row of templatev10, or of biodata as the SpeedFace-V3L sends it.
func (t *Terminal) fingerRow(h held, finger int, template string) post {
	if t.manner.fingersAsBiodata {
		return post{tableBio, []string{t.line(tableBio, "pin", h.pin, "no", strconv.Itoa(finger), "index", "0", "valid", "1",
			"duress", "0", "type", "1", "majorver", "10", "minorver", "0", "format", "ZK", "tmp", template)}}
	}
	return post{tableFinger, []string{t.line(tableFinger, "size", t.size(template), "uid", strconv.FormatUint(h.uid, 10),
		"pin", h.pin, "fingerid", strconv.Itoa(finger), "valid", "1", "template", template, "resverd", "", "endtag", "")}}
}

// faceRows are the rows of a face.
func (t *Terminal) faceRows(pin string, rows []string) post {
	p := post{table: tableBio}
	kind, major, minor := t.faceVersion()
	for i, row := range rows {
		p.records = append(p.records, t.line(tableBio, "pin", pin, "no", "0", "index", strconv.Itoa(i), "valid", "1",
			"duress", "0", "type", kind, "majorver", major, "minorver", minor, "format", "0", "tmp", row))
	}
	return p
}

func (t *Terminal) facePhotoRow(pin, picture string) string {
	return t.line(tablePhoto, "pin", pin, "no", "0", "index", "0", "filename", pin+".jpg", "type", "9",
		"size", t.size(picture), "content", picture)
}

func (t *Terminal) photoRow(pin, picture string) string {
	return t.line(tablePic, "pin", pin, "filename", pin+".jpg", "size", t.size(picture), "content", picture)
}

// eventRow is a row of rtlog: an event at the door, of a user or, with PIN 0, of the
// terminal itself.
func (t *Terminal) eventRow(pin, at string, event, status, verify, index int) string {
	return t.line("", "time", at, "pin", pin, "cardno", "0", "eventaddr", "1", "event", strconv.Itoa(event),
		"inoutstatus", strconv.Itoa(status), "verifytype", strconv.Itoa(verify), "index", strconv.Itoa(index),
		"sitecode", "0", "linkid", "0", "maskflag", "255", "temperature", "255", "convtemperature", "255")
}

// stateRow is a heartbeat: the door is closed and nothing is wrong.
func (t *Terminal) stateRow(at string) string {
	return t.line("", "time", at, "sensor", "02", "relay", "00", "alarm", "0000000000000000", "door", "01")
}

// templatePosts are the posts of what is held of a user beside the user: fingers, face
// and pictures.
func (t *Terminal) templatePosts(h held) []post {
	var posts []post
	for finger := range 10 {
		if times := h.fingers[finger]; times != 0 {
			posts = append(posts, t.fingerOf(h, finger, t.finger(h.pin, finger, times)))
		}
	}
	if h.facePhoto != 0 {
		posts = append(posts, t.picture(true, h.pin, t.photo(h.pin, h.facePhoto)))
	}
	if h.face != 0 {
		posts = append(posts, t.faceOf(h.pin, t.face(h.pin, h.face)))
	}
	if h.photo != 0 {
		posts = append(posts, t.picture(false, h.pin, t.photo(h.pin, h.photo)))
	}
	return posts
}

// fingerOf, faceOf and picture tell one thing in the form of the terminal's family.
func (t *Terminal) fingerOf(h held, finger int, template string) post {
	if t.isAccess() {
		return t.fingerRow(h, finger, template)
	}
	return t.fingerPost(h.pin, finger, template)
}

func (t *Terminal) faceOf(pin string, rows []string) post {
	if t.isAccess() {
		return t.faceRows(pin, rows)
	}
	return t.facePost(pin, rows)
}

// picture is the one that faces are compared with, or that of the screen.
func (t *Terminal) picture(compared bool, pin, picture string) post {
	switch {
	case t.isAccess() && compared:
		return post{tablePhoto, []string{t.facePhotoRow(pin, picture)}}
	case t.isAccess():
		return post{tablePic, []string{t.photoRow(pin, picture)}}
	case compared:
		return post{operlog, []string{t.facePhotoLine(pin, picture)}}
	}
	return post{operlog, []string{t.photoLine(pin, picture)}}
}

// countRows returns how many rows a body has.
func countRows(body []byte) int {
	rows := 0
	for line := range strings.Lines(string(body)) {
		if strings.Trim(line, "\r\n\t\x00") != "" {
			rows++
		}
	}
	return rows
}

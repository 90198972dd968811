package terminal

import (
	"strconv"
	"strings"
)

// Codes of the operation log, from the attendance manuals and what devices send.
const (
	opFingerEnrolled   = 6
	opPasswordEnrolled = 7
	opCardEnrolled     = 8
	opUserDeleted      = 9
	opFingerDeleted    = 10
	opPasswordDeleted  = 11
	opCardDeleted      = 12
	opUserAdded        = 30
	opPhotoEnrolled    = 68
	opPhotoChanged     = 69
	opNameChanged      = 70
	opRoleChanged      = 71
	opCardChanged      = 100
	opFaceEnrolled     = 101
	opFaceDeleted      = 106
	opPasswordChanged  = 113
	opFaceChanged      = 114
)

// oplogLine is a line of the operation log: code, operator (0: the menu is not
// protected), time, the user, and three objects that this terminal does not use.
func oplogLine(code int, at, pin string) string {
	return "OPLOG " + strconv.Itoa(code) + "\t0\t" + at + "\t" + pin + "\t0\t0\t0"
}

// userLine is the whole user, as every USER record is.
func userLine(u *User) string {
	return line("USER", "PIN", u.PIN, "Name", u.Name, "Pri", strconv.Itoa(u.Privilege), "Passwd", u.Password,
		"Card", u.Card, "Grp", "1", "TZ", "0000000100000000", "Verify", "-1", "ViceCard", "",
		"StartDatetime", "0", "EndDatetime", "0")
}

func fingerLine(pin string, finger int, template string) string {
	return line("FP", "PIN", pin, "FID", strconv.Itoa(finger), "Size", strconv.Itoa(len(template)), "Valid", "1", "TMP", template)
}

// faceLine is a visible-light face: BIODATA of type 9.
func faceLine(pin, template string) string {
	return line("BIODATA", "Pin", pin, "No", "0", "Index", "0", "Valid", "1", "Duress", "0", "Type", "9",
		"MajorVer", "40", "MinorVer", "1", "Format", "0", "Tmp", template)
}

func facePhotoLine(pin, picture string) string {
	return line("BIOPHOTO", "PIN", pin, "No", "0", "Index", "0", "FileName", pin+".jpg", "Type", "9",
		"Size", strconv.Itoa(len(picture)), "Content", picture)
}

func photoLine(pin, picture string) string {
	return line("USERPIC", "PIN", pin, "FileName", pin+".jpg", "Size", strconv.Itoa(len(picture)), "Content", picture)
}

// punchLine is a line of attendance: user, time, direction, method, work code and two
// reserved fields.
func punchLine(pin, at string, status, verify int) string {
	return strings.Join([]string{pin, at, strconv.Itoa(status), strconv.Itoa(verify), "0", "0", "0"}, "\t")
}

// line formats a record: its kind, a blank, and key=value pairs with TABs between.
func line(kind string, pairs ...string) string {
	var b strings.Builder
	b.WriteString(kind)
	for i := 0; i+1 < len(pairs); i += 2 {
		separator := byte('\t')
		if i == 0 {
			separator = ' '
		}
		b.WriteByte(separator)
		b.WriteString(pairs[i])
		b.WriteByte('=')
		b.WriteString(pairs[i+1])
	}
	return b.String()
}

// body joins lines as the habits want their ends.
func (h Habits) body(lines []string) []byte {
	end := "\n"
	if h.CRLF {
		end = "\r\n"
	}
	text := strings.Join(lines, end)
	if !h.NoFinalLF {
		text += end
	}
	return []byte(text)
}

package terminal

import (
	"encoding/base64"
	"encoding/hex"
	"math/rand/v2"
	"slices"
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

// Tables of PUSH 2.x.
const (
	operlog = "OPERLOG"
	biodata = "BIODATA"
	attlog  = "ATTLOG"
	options = "options"
)

// A post is one upload of an action: a table and its records.
type post struct {
	table   string
	records []string
}

// oplogLine is a line of the operation log: code, operator (0: the menu is not
// protected), time, the user, and three objects that this terminal does not use.
func (t *Terminal) oplogLine(code int, at, pin string) string {
	line := "OPLOG " + strconv.Itoa(code) + "\t0\t" + at + "\t" + pin + "\t0\t0"
	if t.manner.shortLog {
		return line
	}
	return line + "\t0"
}

// userLine is the whole user, as every USER record is.
func (t *Terminal) userLine(h held) string {
	return t.line("USER", "PIN", h.pin, "Name", h.name, "Pri", strconv.Itoa(h.privilege), "Passwd", h.password,
		"Card", t.card(h.card), "Grp", "1", "TZ", "0000000100000000", "Verify", "-1", "ViceCard", t.card(h.secondCard),
		"StartDatetime", "0", "EndDatetime", "0")
}

// card is a number as the firmware writes it: decimal, or its bytes in hexadecimal, the
// lowest first, in brackets.
func (t *Terminal) card(decimal string) string {
	n, err := strconv.ParseUint(decimal, 10, 64)
	if err != nil || !t.manner.bracketCards {
		return decimal
	}
	var bytes []byte
	for ; n > 0 || len(bytes) < 4; n >>= 8 {
		bytes = append(bytes, byte(n))
	}
	return "[" + strings.ToUpper(hex.EncodeToString(bytes)) + "]"
}

// fingerPost is a finger as PUSH 2.x tells it: FP, or BIODATA of type 1.
func (t *Terminal) fingerPost(pin string, finger int, template string) post {
	if t.manner.fingersAsBiodata {
		return post{biodata, []string{t.line("BIODATA", "Pin", pin, "No", strconv.Itoa(finger), "Index", "0", "Valid", "1",
			"Duress", "0", "Type", "1", "MajorVer", "10", "MinorVer", "0", "Format", "0", "Tmp", template)}}
	}
	return post{operlog, []string{t.line("FP", "PIN", pin, "FID", strconv.Itoa(finger), "Size", t.size(template),
		"Valid", "1", "TMP", template)}}
}

// facePost is a face: BIODATA of type 9 in one row, or of type 2 in 15.
func (t *Terminal) facePost(pin string, rows []string) post {
	p := post{table: biodata}
	kind, major, minor := t.faceVersion()
	for i, row := range rows {
		p.records = append(p.records, t.line("BIODATA", "Pin", pin, "No", "0", "Index", strconv.Itoa(i), "Valid", "1",
			"Duress", "0", "Type", kind, "MajorVer", major, "MinorVer", minor, "Format", "0", "Tmp", row))
	}
	return p
}

// faceVersion returns type, major and minor version of the faces that the terminal takes.
func (t *Terminal) faceVersion() (string, string, string) {
	if t.cfg.NearInfrared {
		return "2", "7", "0"
	}
	return "9", "40", "1"
}

func (t *Terminal) facePhotoLine(pin, picture string) string {
	return t.line("BIOPHOTO", "PIN", pin, "No", "0", "Index", "0", "FileName", pin+".jpg", "Type", "9",
		"Size", t.size(picture), "Content", picture)
}

func (t *Terminal) photoLine(pin, picture string) string {
	return t.line("USERPIC", "PIN", pin, "FileName", pin+".jpg", "Size", t.size(picture), "Content", picture)
}

// size is the length that a record tells: of the base64, or of what it means.
func (t *Terminal) size(content string) string {
	if !t.manner.decodedSizes {
		return strconv.Itoa(len(content))
	}
	return strconv.Itoa(base64.StdEncoding.DecodedLen(len(content)) - strings.Count(content, "="))
}

// punchLine is a line of attendance: user, time, direction, method, work code and two
// reserved fields.
func punchLine(pin, at string, status, verify int) string {
	return strings.Join([]string{pin, at, strconv.Itoa(status), strconv.Itoa(verify), "0", "0", "0"}, "\t")
}

// line formats a record: its kind, a blank, and key=value pairs with TABs between.
func (t *Terminal) line(kind string, pairs ...string) string {
	var b strings.Builder
	if kind != "" {
		b.WriteString(kind + " ")
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if i > 0 {
			b.WriteByte('\t')
		}
		key := pairs[i]
		if t.manner.oddKeys {
			key = strings.ToUpper(key)
		}
		b.WriteString(key)
		b.WriteByte('=')
		b.WriteString(pairs[i+1])
	}
	return b.String()
}

// body joins lines, each with an end as the habits want it.
func (t *Terminal) body(lines []string) []byte {
	const (
		plain = iota
		crlf
		mixed
		endless
		trailingTab
		trailingNUL
		styles
	)
	r := t.draw("lines")
	style := 1 + r.IntN(styles-1)
	if !t.cfg.Habits.shows(Lines, r, 2) {
		style = plain
	}
	var b strings.Builder
	for i, line := range lines {
		b.WriteString(line)
		switch {
		case style == endless && i == len(lines)-1:
		case style == crlf, style == mixed && r.IntN(2) == 0:
			b.WriteString("\r\n")
		case style == trailingTab:
			b.WriteString("\t\n")
		default:
			b.WriteByte('\n')
		}
	}
	if style == trailingNUL {
		b.WriteByte(0)
	}
	return []byte(b.String())
}

// scatter puts the posts of one action in any order, and their records in several posts,
// where the habits want it.
func (t *Terminal) scatter(posts []post) []post {
	r := t.draw("split")
	if !t.cfg.Habits.shows(Splits, r, 2) {
		return posts
	}
	var scattered []post
	for _, p := range posts {
		for len(p.records) > 0 {
			n := 1 + r.IntN(len(p.records))
			scattered = append(scattered, post{p.table, p.records[:n]})
			p.records = p.records[n:]
		}
	}
	r.Shuffle(len(scattered), func(i, j int) { scattered[i], scattered[j] = scattered[j], scattered[i] })
	return scattered
}

// cutAnywhere cuts text into n pieces, none of them empty, wherever it comes to.
func cutAnywhere(r *rand.Rand, text []byte, n int) [][]byte {
	places := []int{0, len(text)}
	for range min(n, len(text)) - 1 {
		places = append(places, 1+r.IntN(len(text)-1))
	}
	slices.Sort(places)
	places = slices.Compact(places)
	var pieces [][]byte
	for i := 1; i < len(places); i++ {
		pieces = append(pieces, text[places[i-1]:places[i]])
	}
	return pieces
}

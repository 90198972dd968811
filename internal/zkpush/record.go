package zkpush

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// bom is the byte order mark that some firmware puts before a body.
const bom = "\ufeff"

// The kinds of record, as the first word of a line names them. operlog is the one
// table that is no kind: its lines always name theirs.
const (
	operlog     = "OPERLOG"
	kindOplog   = "OPLOG"
	kindUser    = "USER"
	kindFP      = "FP"
	kindFace    = "FACE"
	kindBiodata = "BIODATA"
	kindPhoto   = "BIOPHOTO"
	kindUserPic = "USERPIC"
	kindAttlog  = "ATTLOG"
	kindOther   = "OTHER" // understood, and makes no callback
)

// kindOf returns the kind that a word or the name of a table means, "" if none.
func kindOf(word string) string {
	if len(word) > maxWord {
		return ""
	}
	switch word = strings.ToUpper(word); word {
	case kindOplog, kindUser, kindFP, kindFace, kindBiodata, kindPhoto, kindUserPic, kindAttlog:
		return word
	case "USERINFO": // as commands name it
		return kindUser
	case "FINGERTMP":
		return kindFP
	case "FVEIN", "IDCARD", "ERRORLOG", "WORKCODE", "SMS", "FPIMAG", "FPIMAGE":
		return kindOther
	}
	return ""
}

// kindIn returns the kind that a word means in a line of table: tables of PUSH 3.x,
// whose kinds are in lower case, share words with those of 2.x, and not the meaning.
func kindIn(table, word string) string {
	if isRow(table) {
		return rowKind(word)
	}
	return kindOf(word)
}

// A Record is one line of an upload, in the vendor's terms.
type Record struct {
	Kind     string // one of the kinds, or of those of rows; operlog if the line names none that is known
	Line     string // as it came, together with the lines that continue it
	text     string // what follows the kind
	fields   pairs  // of text, unless the kind is positional
	language string
}

// readRecord takes a line of table apart. table is operlog or a kind, and is the kind
// of a line that does not name one.
func readRecord(table, language, line string) Record {
	r := Record{Kind: table, Line: line, language: language}
	r.text = strings.TrimLeft(withoutBreaks(line), " ")
	word, rest := r.text, ""
	if i := strings.IndexAny(r.text, " \t"); i >= 0 {
		word, rest = r.text[:i], r.text[i+1:]
	}
	// In a line of attendance the first word is a user id, which may look like a kind.
	if kind := kindIn(table, word); kind != "" && (table != kindAttlog || kind == kindAttlog) {
		r.Kind, r.text = kind, rest
	}
	if len(line) > maxLine || strings.Count(r.text, "\t") >= maxFields {
		return r
	}
	if r.Kind != kindOplog && r.Kind != operlog {
		r.fields = splitFields(r.text, !strings.Contains(withoutBreaks(line), "\t"))
	}
	return r
}

// withoutBreaks removes what firmware leaves in lines: carriage returns and the NUL
// that ends a string in C.
func withoutBreaks(line string) string {
	if !strings.ContainsAny(line, "\r\x00") {
		return line
	}
	return strings.NewReplacer("\r", "", "\x00", "").Replace(line)
}

// splitFields splits text at its tabs and each field at its first "=", so that the
// padding of base64 stays. Lines that were copied from logs have blanks instead; only
// where a line has no tab at all, a blank before a key is taken for one, since names
// contain blanks too.
func splitFields(text string, blanks bool) pairs {
	var fields pairs
	add := func(field string) {
		if key, value, ok := strings.Cut(field, "="); ok {
			fields = append(fields, pair{bareKey(key), value})
		}
	}
	if !blanks {
		for field := range strings.SplitSeq(text, "\t") {
			add(field)
		}
		return fields
	}
	start := 0
	for i := range len(text) {
		if text[i] == ' ' && beginsKey(text[i+1:]) && len(fields) < maxFields {
			add(strings.TrimRight(text[start:i], " "))
			start = i + 1
		}
	}
	add(strings.TrimRight(text[start:], " "))
	return fields
}

// beginsKey reports whether text begins with [A-Za-z]+=.
func beginsKey(text string) bool {
	for i := range len(text) {
		if !isLetter(text[i]) {
			return i > 0 && text[i] == '='
		}
	}
	return false
}

// report returns what the record tells, nil if it is understood and tells nothing.
func (r Record) report() enroll.Report {
	switch {
	case len(r.Line) > maxLine:
		return r.unread("line too long")
	case strings.Count(r.text, "\t") >= maxFields || len(r.fields) > maxFields:
		return r.unread("too many fields")
	}
	if isRow(r.Kind) {
		return rowReport(r)
	}
	switch r.Kind {
	case kindOplog:
		return operationReport(r)
	case kindUser:
		return userReport(r)
	case kindFP:
		return fingerReport(r)
	case kindFace:
		return faceReport(r)
	case kindBiodata:
		return biodataReport(r)
	case kindPhoto:
		return photoReport(r)
	case kindUserPic:
		return pictureReport(r, true)
	case kindAttlog:
		return punchReport(r)
	case kindOther:
		return r.kept("a kind of record that makes no callback")
	}
	return r.unread("unknown kind of record")
}

func (r Record) unread(why string) enroll.UnreadReport {
	return enroll.UnreadReport{Line: []byte(r.Line), Why: why}
}

func (r Record) kept(why string) enroll.KeptReport {
	return enroll.KeptReport{Line: []byte(r.Line), Why: why}
}

// continued returns how many of the lines after the record are the rest of its
// content. Some firmware wraps base64; such a line is taken for the rest only if the
// record ends with the content and the pieces together have the Size that it tells,
// counted in characters or in the bytes that they mean.
func (r Record) continued(after []string) int {
	if len(r.fields) == 0 || !isContent(r.fields[len(r.fields)-1].key) {
		return 0
	}
	size, err := strconv.Atoi(strings.TrimSpace(r.fields.get("Size")))
	total := len(strings.TrimSpace(r.fields[len(r.fields)-1].value))
	if err != nil || size <= 0 || size > maxLine || total == size {
		return 0
	}
	encoded := base64.StdEncoding.EncodedLen(size)
	found := 0
	for i, line := range after {
		piece := strings.TrimSpace(withoutBreaks(line))
		if total >= encoded || !isBase64(piece) || kindIn(r.Kind, piece) != "" {
			break
		}
		total += len(piece)
		if total == size || total == encoded {
			found = i + 1
		}
	}
	return found
}

// join adds lines that continue r to its content.
func (r *Record) join(lines []string) {
	if len(lines) == 0 {
		return
	}
	last := &r.fields[len(r.fields)-1]
	var content strings.Builder
	content.WriteString(strings.TrimSpace(last.value))
	for _, line := range lines {
		content.WriteString(strings.TrimSpace(withoutBreaks(line)))
	}
	last.value = content.String()
	r.Line += "\n" + strings.Join(lines, "\n")
}

func isContent(key string) bool {
	return strings.EqualFold(key, "TMP") || strings.EqualFold(key, "Content")
}

// isBase64 reports whether text has nothing but the characters of base64, with
// padding at the end only.
func isBase64(text string) bool {
	text = strings.TrimSuffix(strings.TrimSuffix(text, "="), "=")
	for i := range len(text) {
		if c := text[i]; !isLetter(c) && (c < '0' || c > '9') && c != '+' && c != '/' {
			return false
		}
	}
	return true
}

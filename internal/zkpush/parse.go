package zkpush

import (
	"strings"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// A parsed upload accounts for every line of a body that is not blank:
// Lines = len(Reports) + Silent + Joined.
type parsed struct {
	Reports []enroll.Report
	Lines   int // lines that are not blank: the number which the device is told
	Silent  int // understood, and nothing to tell
	Joined  int // the rest of the line before

	Newest enroll.WallTime // of the records that tell their time; "" if none does, or too many
}

// maxFresh is in how many records with a time the newest is taken for fresh. More come
// after an outage, and in answers to queries.
const maxFresh = 3

// tableKind returns how the lines of a table are read: operlog if each names its
// kind, a kind if lines may do without; "" if the table is not known.
func tableKind(table string) string {
	if strings.EqualFold(table, operlog) {
		return operlog
	}
	return kindOf(table)
}

// parseUpload reads a body of records. table is operlog or a kind; language is the
// device's number of its language. The error is errTooLarge.
func parseUpload(table, language string, body []byte) (parsed, error) {
	lines, err := splitLines(string(body))
	if err != nil {
		return parsed{}, err
	}
	p := parsed{Lines: len(lines)}
	timed := 0
	for i := 0; i < len(lines); i++ {
		r := readRecord(table, language, lines[i])
		if timed <= maxFresh {
			if at := r.time(); at != "" {
				timed, p.Newest = timed+1, max(p.Newest, at)
			}
		}
		n := r.continued(lines[i+1:])
		r.join(lines[i+1 : i+1+n])
		i += n
		p.Joined += n
		if report := r.report(); report != nil {
			p.Reports = append(p.Reports, report)
		} else {
			p.Silent++
		}
	}
	if timed > maxFresh {
		p.Newest = ""
	}
	return p, nil
}

// parseForeign takes a body that is not understood apart, so that each of its lines
// is shown as unread. A body that is not text, such as a picture, has no lines. The
// error is errTooLarge.
func parseForeign(body []byte) (parsed, error) {
	text := strings.TrimRight(string(body), "\x00")
	if strings.Contains(text, "\x00") {
		return parsed{}, nil
	}
	lines, err := splitLines(text)
	if err != nil {
		return parsed{}, err
	}
	p := parsed{Lines: len(lines)}
	for _, line := range lines {
		p.Reports = append(p.Reports, enroll.UnreadReport{Line: []byte(line), Why: "unknown table"})
	}
	return p, nil
}

// splitLines returns the lines of text that are not blank, as they came. Lines end
// with LF, or with CR where a body has no LF. The error is errTooLarge.
func splitLines(text string) ([]string, error) {
	text = strings.TrimPrefix(text, bom)
	ending := "\n"
	if !strings.Contains(text, ending) {
		ending = "\r"
	}
	var lines []string
	for line := range strings.SplitSeq(text, ending) {
		if strings.Trim(line, " \t\r\x00") == "" {
			continue
		}
		if len(lines) == maxLines {
			return nil, errTooLarge
		}
		lines = append(lines, line)
	}
	return lines, nil
}

package zkpush

import (
	"github.com/fingerpost/fingerpost/internal/enroll"
)

// Reread reads a line again that was not understood when it came, by what is understood
// now. table is the kind of records as the device named it. Of the reports that it
// returns none is an [enroll.UnreadReport] if all of the line is understood; there may
// be none at all, if it tells nothing.
func Reread(device enroll.Device, table string, line []byte) []enroll.Report {
	kind := tableKind(table)
	if row := rowKind(table); kind == "" || row != "" && device.Family == enroll.Access {
		kind = row
	}
	if kind == "" {
		return []enroll.Report{enroll.UnreadReport{Line: line, Why: "unknown table"}}
	}
	p, err := parseUpload(kind, device.Language, line)
	if err != nil {
		return []enroll.Report{enroll.UnreadReport{Line: line, Why: "more lines than any terminal sends"}}
	}
	return p.Reports
}

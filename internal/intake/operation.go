package intake

import (
	"slices"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// An operationLog holds the lines that may explain the records of an upload: those
// remembered from earlier uploads, then those of this one.
type operationLog struct {
	lines []logLine // in the order in which they came
}

type logLine struct {
	enroll.Operation
	at   int // place in this upload; -1 came before it
	uses enroll.Kinds
}

func newOperationLog(recent []enroll.Operation, reports []enroll.Report) operationLog {
	var log operationLog
	for _, o := range recent {
		log.lines = append(log.lines, logLine{Operation: o, at: -1})
	}
	for i, report := range reports {
		r, ok := report.(enroll.OperationReport)
		if !ok || r.Explains == 0 || r.Time == "" {
			continue
		}
		// A device whose ack was lost sends a line again. It happened once, so it must
		// not explain a second change.
		if slices.ContainsFunc(recent, func(o enroll.Operation) bool {
			return o.UserID == r.UserID && o.Code == r.Code && o.Time == r.Time
		}) {
			continue
		}
		log.lines = append(log.lines, logLine{at: i, Operation: enroll.Operation{
			UserID: r.UserID, Code: r.Code, Time: r.Time, Explains: r.Explains}})
	}
	return log
}

// explain returns the time of the line that explains a change of these kinds, told by
// report i, and "" if there is none. A line about one of the kinds goes before a line
// about something else of the user (firmwares differ in their codes), a line that came
// before the record before one that came after it, a near one before a far one.
func (l *operationLog) explain(i int, user enroll.PIN, kinds enroll.Kinds) enroll.WallTime {
	best, rank := -1, 0
	for n, line := range l.lines {
		if r := line.rank(i, user, kinds); r > rank || r == rank && r > 0 && line.at < i {
			best, rank = n, r
		}
	}
	if best < 0 {
		return ""
	}
	l.lines[best].uses |= kinds
	return l.lines[best].Time
}

// rank tells how well a line explains a change: 0 not at all, 4 best. A line of an
// earlier upload that explained such a kind already has had its record.
func (l logLine) rank(i int, user enroll.PIN, kinds enroll.Kinds) int {
	if l.UserID != user {
		return 0
	}
	fits := l.Explains.Has(kinds)
	if !fits && !l.Explains.Has(enroll.Updates) {
		return 0 // a removal explains no enrollment
	}
	if l.at < 0 && (fits && l.Used.Has(kinds&l.Explains) || !fits && l.Used != 0) {
		return 0
	}
	rank := 1
	if fits {
		rank += 2
	}
	if l.at < i {
		rank++
	}
	return rank
}

// toKeep returns the lines of this upload, to be remembered, and the remembered ones
// that explained something now.
func (l *operationLog) toKeep() []enroll.Operation {
	var keep []enroll.Operation
	for _, line := range l.lines {
		if line.at >= 0 || line.uses&^line.Used != 0 {
			line.Used |= line.uses
			keep = append(keep, line.Operation)
		}
	}
	return keep
}

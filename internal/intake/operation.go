package intake

import (
	"slices"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// An operationLog holds the lines that may explain the records of an upload: those
// remembered from earlier uploads, then those of this one.
type operationLog struct {
	lines []logLine // in the order in which they came
	place map[lineKey]int
}

type logLine struct {
	enroll.Operation
	at      int          // place in this upload; -1 came before it
	uses    enroll.Kinds // what it explains now
	changed bool
}

// A lineKey tells one operation of a device from every other.
type lineKey struct {
	user enroll.PIN
	code int
	time enroll.WallTime
}

func newOperationLog(recent []enroll.Operation, reports []enroll.Report) operationLog {
	log := operationLog{place: make(map[lineKey]int)}
	for _, o := range recent {
		log.add(logLine{Operation: o, at: -1})
	}
	for i, report := range reports {
		r, ok := report.(enroll.OperationReport)
		if ok && r.Explains != 0 && r.Time != "" {
			log.add(logLine{at: i, Operation: enroll.Operation{
				UserID: r.UserID, Code: r.Code, Time: r.Time, Explains: r.Explains}})
		}
	}
	return log
}

// add appends a line. A device whose ack was lost sends lines again: what such a line
// explained already stays explained, so that it does not stand for a second operation.
func (l *operationLog) add(line logLine) {
	key := lineKey{line.UserID, line.Code, line.Time}
	n, again := l.place[key]
	if again && l.lines[n].at >= 0 {
		return // twice in one upload
	}
	if again {
		line.Operation = l.lines[n].Operation
		l.lines[n] = logLine{at: -1} // of nobody: its place is the new one
	}
	l.place[key] = len(l.lines)
	l.lines = append(l.lines, line)
}

// explain returns the time of the line about one of these kinds that explains report
// i, and "" if there is none: a line that came before the record goes before one that
// came after it, a near one before a far one.
func (l *operationLog) explain(i int, user enroll.PIN, kinds enroll.Kinds) enroll.WallTime {
	best := -1
	for n, line := range l.lines {
		if line.UserID != user || !line.Explains.Has(kinds) || line.at < 0 && line.Used.Has(kinds&line.Explains) {
			continue // one of an earlier upload that explained such a kind has had its record
		}
		if line.at < i || best < 0 {
			best = n
		}
	}
	return l.time(best, kinds)
}

// explainAnyhow returns the time of the latest line about something else of the user:
// firmwares differ in their codes. The line must come with this upload, or have
// explained nothing: one that has had its own record says nothing about others.
func (l *operationLog) explainAnyhow(user enroll.PIN, kinds enroll.Kinds) enroll.WallTime {
	best := -1
	for n, line := range l.lines {
		fresh := line.at >= 0 || line.Used|line.uses == 0
		other := line.Explains.Has(enroll.Updates) && !line.Explains.Has(kinds)
		if line.UserID == user && other && fresh {
			best = n
		}
	}
	return l.time(best, kinds)
}

func (l *operationLog) time(n int, kinds enroll.Kinds) enroll.WallTime {
	if n < 0 {
		return ""
	}
	l.lines[n].uses |= kinds
	return l.lines[n].Time
}

// isNew reports whether report i is a line that was not known.
func (l *operationLog) isNew(i int) bool {
	return slices.ContainsFunc(l.lines, func(line logLine) bool { return line.at == i && line.ID == 0 })
}

// hasNew reports whether the upload has a line that was not known.
func (l *operationLog) hasNew() bool {
	return slices.ContainsFunc(l.lines, func(line logLine) bool { return line.at >= 0 })
}

// use notes that line i explains a draft of an earlier upload.
func (l *operationLog) use(i int, kinds enroll.Kinds) {
	for n := range l.lines {
		if l.lines[n].at == i {
			l.lines[n].uses |= kinds
			l.lines[n].Answered = true
		}
	}
}

// answer notes that a record of a user came.
func (l *operationLog) answer(user enroll.PIN) {
	for n := range l.lines {
		if line := &l.lines[n]; line.UserID == user && !line.Answered {
			line.Answered, line.changed = true, true
		}
	}
}

// unanswered returns the lines whose record did not come in time, and notes that it
// is asked for now.
func (l *operationLog) unanswered(now time.Time) []enroll.Operation {
	var list []enroll.Operation
	for n := range l.lines {
		line := &l.lines[n]
		if line.ID != 0 && waitsForData(line.Operation) && !now.Before(line.ReceivedAt.Add(enroll.DataWait)) {
			line.Answered, line.changed = true, true
			list = append(list, line.Operation)
		}
	}
	return list
}

func waitsForData(o enroll.Operation) bool { return !o.Answered && o.Explains.Has(enroll.Updates) }

// toKeep returns the lines of this upload, to be remembered, and the remembered ones
// that changed.
func (l *operationLog) toKeep() []enroll.Operation {
	var keep []enroll.Operation
	for _, line := range l.lines {
		if line.at >= 0 || line.changed || line.uses&^line.Used != 0 {
			line.Used |= line.uses
			keep = append(keep, line.Operation)
		}
	}
	return keep
}

package endpoint

import (
	"crypto/sha256"
	"fmt"
)

// A Ledger holds callbacks against the delivery contract, one after the other in the
// order in which they came. Its zero value is ready. What it finds names lanes,
// sequences and operation ids, never content.
//
// In each lane:
//
//   - Sequences are 1, 2, 3 … A callback follows the one before it only if that was
//     acknowledged, so holes and changed order are breaches. A delivery that was
//     parked or skipped shows as a hole, rightly.
//   - A sequence may come again: after a failure, or after a crash with those behind
//     it in order. It then carries the same OperationID and the same bytes.
//   - An OperationID belongs to one sequence, unless AllowResent.
//   - One callback is in flight at a time.
//   - Attempts are counted from 1.
type Ledger struct {
	// AllowResent expects deliveries that an operator sent again: the OperationID of
	// a lower sequence may come at a new one.
	AllowResent bool

	lanes    map[string]*lane
	repeats  int
	breaches []string
}

// A lane is what the Ledger remembers of one.
type lane struct {
	next  int64            // sequence that is owed; those before it may be repeated
	sent  map[int64]sent   // by sequence
	owner map[string]int64 // sequence by OperationID
	acked int64            // highest sequence that was acknowledged
}

type sent struct {
	operationID string
	body        [sha256.Size]byte
}

// Check returns the breaches in what an endpoint received, none if all is well.
func Check(received []Received) []string {
	var l Ledger
	for _, r := range received {
		l.Add(r)
	}
	return l.Breaches()
}

// Add takes the next callback.
func (l *Ledger) Add(r Received) {
	if r.Lane == "" || r.Sequence < 1 || r.OperationID == "" {
		l.breach(r, "lane, sequence or operation id is missing")
		return
	}
	if r.Attempt < 1 {
		l.breach(r, "attempt is missing or below 1")
	}
	if r.Overlaps {
		l.breach(r, "came while another callback of its lane was in flight")
	}
	if l.lanes == nil {
		l.lanes = make(map[string]*lane)
	}
	in := l.lanes[r.Lane]
	if in == nil {
		in = &lane{next: 1, sent: make(map[int64]sent), owner: make(map[string]int64)}
		l.lanes[r.Lane] = in
	}
	if _, known := in.sent[r.Sequence]; r.Sequence > in.next || r.Sequence < in.next && !known {
		l.breach(r, fmt.Sprintf("sequence %d is owed", in.next))
	}
	if r.Sequence <= in.acked {
		l.repeats++
	}
	l.compare(in, r)

	// After a breach too the lane goes on from here: one hole is one breach.
	in.next = r.Sequence
	if r.Acknowledged() {
		in.next++
		in.acked = max(in.acked, r.Sequence)
	}
}

// compare holds r against what the same sequence, and the same operation id, was
// before.
func (l *Ledger) compare(in *lane, r Received) {
	now := sent{r.OperationID, sha256.Sum256(r.Body)}
	before, repeated := in.sent[r.Sequence]
	switch {
	case !repeated:
		in.sent[r.Sequence] = now
	case before.operationID != now.operationID:
		l.breach(r, fmt.Sprintf("repeat of operation %q carries another operation id", before.operationID))
	case before.body != now.body:
		l.breach(r, "repeat carries another body")
	}
	owner, known := in.owner[r.OperationID]
	if !known {
		in.owner[r.OperationID] = r.Sequence
	} else if owner != r.Sequence && !l.AllowResent {
		l.breach(r, fmt.Sprintf("operation id was at sequence %d already", owner))
	}
}

func (l *Ledger) breach(r Received, what string) {
	l.breaches = append(l.breaches,
		fmt.Sprintf("lane %q sequence %d attempt %d operation %q: %s", r.Lane, r.Sequence, r.Attempt, r.OperationID, what))
}

// Breaches returns what was found, in the order of the callbacks.
func (l *Ledger) Breaches() []string { return l.breaches }

// Repeats returns how many callbacks came at a sequence that was acknowledged already,
// or lies before one that was.
func (l *Ledger) Repeats() int { return l.repeats }

// Acknowledged returns the highest sequence acknowledged in each lane.
func (l *Ledger) Acknowledged() map[string]int64 {
	highest := make(map[string]int64, len(l.lanes))
	for name, in := range l.lanes {
		highest[name] = in.acked
	}
	return highest
}

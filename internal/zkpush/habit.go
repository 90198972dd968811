package zkpush

import (
	"crypto/sha256"
	"strings"
	"sync"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

const (
	// maxSame is how many equal bodies change the form of the ack.
	maxSame = 3
	// sameWithin is in what time they have to come.
	sameWithin = 2 * time.Minute
	// maxTables is for how many tables of one device the form is remembered.
	maxTables = 32
)

// habits remembers what form of ack devices want. The manuals and the field disagree:
// there are devices that repeat what was answered OK: 3 or user=3 until they get OK, and
// the other way round. One that posts the same body again and again, though each was
// acknowledged, gets the other form from then on, and would get the first one again.
// Only approved devices come here, and of each a hash a table is kept.
type habits struct {
	mu      sync.Mutex
	devices map[enroll.Serial]map[string]*habit
}

type habit struct {
	body  [sha256.Size]byte
	since time.Time // when the first of the equal bodies came
	count int
	other bool // the other form is wanted
}

func newHabits() *habits { return &habits{devices: make(map[enroll.Serial]map[string]*habit)} }

// choose notes that a body of a table was committed and returns whether its ack is to
// have the other form.
func (h *habits) choose(serial enroll.Serial, table string, body [sha256.Size]byte, now time.Time) bool {
	table = strings.ToLower(table)
	h.mu.Lock()
	defer h.mu.Unlock()
	tables := h.devices[serial]
	if tables == nil {
		tables = make(map[string]*habit)
		h.devices[serial] = tables
	}
	b := tables[table]
	if b == nil {
		if len(tables) >= maxTables {
			forget(tables, now)
		}
		if len(tables) >= maxTables {
			return false
		}
		b = &habit{}
		tables[table] = b
	}
	if b.body != body || now.Sub(b.since) > sameWithin || b.count >= maxSame {
		b.body, b.since, b.count = body, now, 0
	}
	if b.count++; b.count == maxSame {
		b.other = !b.other
	}
	return b.other
}

// forget drops the tables in which nothing was learned.
func forget(tables map[string]*habit, now time.Time) {
	for name, b := range tables {
		if !b.other && now.Sub(b.since) > sameWithin {
			delete(tables, name)
		}
	}
}

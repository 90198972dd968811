package deliver

import (
	"github.com/fingerpost/fingerpost/internal/enroll"
)

// A lane is what a server keeps of a lane that has something waiting: its numbers,
// and the next deliveries as far as the buffer has room for them.
type lane struct {
	enroll.Lane                   // Cursor and Attempts run ahead of the store until it has the outcomes
	ahead       []enroll.Delivery // Cursor+1, Cursor+2, …; each has room in the buffer
	busy        bool              // an attempt is in flight, or its failure is not stored yet
	dropped     int               // how often ahead was dropped as out of date
	removed     bool              // its device is removed, and nothing of it waits
}

// take adds a delivery that was just committed. It reports whether the lane keeps its
// change in memory; else it is read from the store when its turn comes.
func (l *lane) take(d enroll.Delivery) bool {
	if d.N <= l.Last { // known from the store
		return false
	}
	follows := d.N == l.Cursor+int64(len(l.ahead))+1
	l.Last = d.N
	if d.Change == nil || !follows {
		return false
	}
	l.ahead = append(l.ahead, d)
	return true
}

// head returns the next delivery, if it is in memory.
func (l *lane) head() (enroll.Delivery, bool) {
	if len(l.ahead) == 0 {
		return enroll.Delivery{}, false
	}
	return l.ahead[0], true
}

// advance moves the cursor past the head, and returns what that frees.
func (l *lane) advance() *enroll.Change {
	l.Cursor++
	l.Attempts, l.Failures = 0, 0
	if len(l.ahead) == 0 {
		return nil
	}
	done := l.ahead[0].Change
	l.ahead[0] = enroll.Delivery{} // or its bytes stay as long as the slice
	l.ahead = l.ahead[1:]
	return done
}

// drop forgets what was read ahead, for instance because the device changed.
func (l *lane) drop() []enroll.Delivery {
	gone := l.ahead
	l.ahead = nil
	l.dropped++
	return gone
}

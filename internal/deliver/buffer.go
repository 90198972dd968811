package deliver

import (
	"sync/atomic"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// A buffer bounds the memory of changes that wait in it, over all endpoints. It keeps
// only the count: whoever took room holds the change.
type buffer struct{ free int64 }

// take reserves room for a change, if there is room.
func (b *buffer) take(c *enroll.Change) bool { return b.reserve(int64(c.Size())) }

func (b *buffer) reserve(n int64) bool {
	if atomic.AddInt64(&b.free, -n) >= 0 {
		return true
	}
	atomic.AddInt64(&b.free, n)
	return false
}

func (b *buffer) release(n int64) { atomic.AddInt64(&b.free, n) }

// give returns the room of a change.
func (b *buffer) give(c *enroll.Change) {
	if c != nil {
		b.release(int64(c.Size()))
	}
}

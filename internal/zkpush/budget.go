package zkpush

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// errFull: there is no memory for a body now.
var errFull = errors.New("no memory for this body now")

// A budget bounds the memory of all bodies that are read and parsed at one time, and of
// those that one device sends.
type budget struct {
	all  *semaphore.Weighted
	wait time.Duration // how long a request waits for its share

	mu      sync.Mutex
	reading map[enroll.Serial]int64 // bytes read and not yet answered
}

func newBudget() *budget {
	return &budget{all: semaphore.NewWeighted(maxMemory), wait: memoryWait, reading: make(map[enroll.Serial]int64)}
}

// hold returns what a request of a device takes from b, nothing at first.
func (b *budget) hold(serial enroll.Serial) *hold { return &hold{budget: b, serial: serial} }

// A hold is what one request has taken from a budget.
type hold struct {
	budget *budget
	serial enroll.Serial
	read   int64 // of the device's share too
	other  int64
}

// forReading takes n bytes for the body itself. It is called as the bytes arrive, so
// that a claim alone takes nothing. The error is errFull.
func (h *hold) forReading(ctx context.Context, n int64) error {
	b := h.budget
	b.mu.Lock()
	full := b.reading[h.serial]+n > maxReading
	if !full {
		b.reading[h.serial] += n
		h.read += n
	}
	b.mu.Unlock()
	if full {
		return errFull
	}
	if err := b.acquire(ctx, n); err != nil {
		b.mu.Lock()
		b.drop(h.serial, n)
		h.read -= n
		b.mu.Unlock()
		return err
	}
	return nil
}

// forParsing takes n bytes in place of those that it took before. The error is errFull.
func (h *hold) forParsing(ctx context.Context, n int64) error {
	if n <= h.other {
		h.budget.all.Release(h.other - n)
		h.other = n
		return nil
	}
	if err := h.budget.acquire(ctx, n-h.other); err != nil {
		return err
	}
	h.other = n
	return nil
}

// release gives everything back.
func (h *hold) release() {
	h.budget.all.Release(h.read + h.other)
	h.budget.mu.Lock()
	defer h.budget.mu.Unlock()
	h.budget.drop(h.serial, h.read)
	h.read, h.other = 0, 0
}

func (b *budget) acquire(ctx context.Context, n int64) error {
	ctx, cancel := context.WithTimeout(ctx, b.wait)
	defer cancel()
	if b.all.Acquire(ctx, n) != nil {
		return errFull
	}
	return nil
}

// drop is called with mu held.
func (b *budget) drop(serial enroll.Serial, n int64) {
	if b.reading[serial] -= n; b.reading[serial] <= 0 {
		delete(b.reading, serial)
	}
}

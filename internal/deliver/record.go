package deliver

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// recordAgain is the wait after the store refused outcomes.
const recordAgain = time.Second

// A recorder gathers outcomes of all endpoints and stores them in groups, one after
// the other. What waits while a group is stored is the next group.
type recorder struct {
	store Store
	log   *slog.Logger
	wake  func() // called when the store takes outcomes again

	stuck atomic.Bool // the store refuses outcomes: nothing new may be sent
	ready chan struct{}

	mu      sync.Mutex
	waiting []recording
}

// A recording is an outcome and whom to tell that it is stored.
type recording struct {
	outcome enroll.Outcome
	stored  func() // nil: nobody waits
}

func newRecorder(store Store, log *slog.Logger, wake func()) *recorder {
	return &recorder{store: store, log: log, wake: wake, ready: make(chan struct{}, 1)}
}

// add hands over an outcome. It does not wait.
func (r *recorder) add(o enroll.Outcome, stored func()) {
	r.mu.Lock()
	r.waiting = append(r.waiting, recording{o, stored})
	r.mu.Unlock()
	select {
	case r.ready <- struct{}{}:
	default: // it knows already
	}
}

// run stores until ctx is done and, then, once more what is left.
func (r *recorder) run(ctx context.Context) {
	for {
		select {
		case <-r.ready:
			r.storeGroup(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
			defer cancel()
			r.storeGroup(last)
			return
		}
	}
}

// storeGroup stores what waits as one group, again and again until the store takes it or
// ctx is done.
func (r *recorder) storeGroup(ctx context.Context) {
	r.mu.Lock()
	group := r.waiting
	r.waiting = nil
	r.mu.Unlock()
	if len(group) == 0 {
		return
	}
	outcomes := make([]enroll.Outcome, len(group))
	for i, g := range group {
		outcomes[i] = g.outcome
	}
	for {
		err := r.store.Record(context.WithoutCancel(ctx), outcomes)
		if err == nil {
			break
		}
		r.log.Error("storing outcomes; nothing is sent until the store takes them", "outcomes", len(outcomes), "err", err)
		r.stuck.Store(true)
		select {
		case <-time.After(recordAgain):
		case <-ctx.Done():
			r.mu.Lock()
			r.waiting = append(group, r.waiting...)
			r.mu.Unlock()
			return // what stays unstored is sent again after the start: contract point 9
		}
	}
	for _, g := range group {
		if g.stored != nil {
			g.stored()
		}
	}
	if r.stuck.Swap(false) {
		r.wake()
	}
}

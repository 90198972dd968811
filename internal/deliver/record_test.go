package deliver

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
	"github.com/fingerpost/fingerpost/internal/fake/endpoint"
)

// A faulty store is the real one that fails on demand.
type faulty struct {
	Store
	noRecord, noEndpoints, noWaiting atomic.Bool
	refused                          atomic.Int64 // how often a method failed
}

var errFault = errors.New("disk full")

func (f *faulty) fault(on *atomic.Bool) error {
	if !on.Load() {
		return nil
	}
	f.refused.Add(1)
	return errFault
}

func (f *faulty) Record(ctx context.Context, outcomes []enroll.Outcome) error {
	if err := f.fault(&f.noRecord); err != nil {
		return err
	}
	return f.Store.Record(ctx, outcomes)
}

func (f *faulty) ServedEndpoints(ctx context.Context, id enroll.EndpointID) ([]enroll.Endpoint, error) {
	if err := f.fault(&f.noEndpoints); err != nil {
		return nil, err
	}
	return f.Store.ServedEndpoints(ctx, id)
}

func (f *faulty) Waiting(ctx context.Context, lane enroll.LaneID, after int64, n, maxBytes int) ([]enroll.Delivery, error) {
	if err := f.fault(&f.noWaiting); err != nil {
		return nil, err
	}
	return f.Store.Waiting(ctx, lane, after, n, maxBytes)
}

// onFaulty is inBubble with a store that can fail.
func onFaulty(t *testing.T, test func(s *stand, f *faulty)) {
	t.Helper()
	f := &faulty{}
	inBubble(t, func(c *Config) { f.Store, c.Store = c.Store, f }, func(s *stand) { test(s, f) })
}

// Contract point 9.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	t.Run("outcomes are committed in groups, at the latest 50 ms after the answer", func(t *testing.T) {
		t.Parallel()
		counting := &counter{}
		inBubble(t, func(c *Config) { counting.Store, c.Store = c.Store, counting }, func(s *stand) {
			h := s.hook("h", nil)
			devices := s.devices(8)
			s.deliver()
			for range 20 {
				for _, d := range devices {
					s.commit(d, 3, h)
				}
				// No other commit comes that outcomes could ride on.
				s.pass(50 * time.Millisecond)
				if got := s.endpoint(h).Waiting; got != 0 {
					t.Fatalf("got %d waiting in the store 50 ms after the answers, want none", got)
				}
			}
			s.delivered(480, h)
			if counting.calls > 240 {
				t.Errorf("got %d groups for 480 outcomes, want far fewer", counting.calls)
			}
		})
	})
	t.Run("a lane does not wait for an acknowledgement to be stored", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, func(s *stand) {
			h := s.hook("h", nil)
			device := s.devices(1)[0]
			s.deliver()
			s.commit(device, 30, h)
			s.delivered(30, h)
			if last := at(h.Received())[29]; last != 0 {
				t.Errorf("got the last of 30 after %v, want at once", last)
			}
		})
	})
	t.Run("a failed attempt is committed before the same delivery is tried again", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, func(s *stand) {
			h := s.hook("h", func(e *enroll.Endpoint) { e.MaxInFlight = 2 })
			var mu sync.Mutex
			var stored []int
			h.SetBehaviour(func(r endpoint.Received) endpoint.Answer {
				mu.Lock()
				defer mu.Unlock()
				d, err := s.db.Delivery(context.Background(), enroll.DeliveryID{Lane: 1, N: r.Sequence})
				if err != nil || len(d.Tries) != d.Attempts {
					return endpoint.Hang()
				}
				stored = append(stored, d.Attempts)
				if r.Attempt > 4 {
					return endpoint.Done()
				}
				// A resume lets the next attempt leave at once.
				go s.db.ResumeEndpoint(context.Background(), h.name)
				return endpoint.Status(500)
			})
			device := s.devices(1)[0]
			s.deliver()
			s.commit(device, 2, h)
			s.delivered(10, h)
			wantSame(t, "stored attempts when one comes", stored, []int{0, 1, 2, 3, 4, 0, 1, 2, 3, 4})
			tries := s.tries(1, 2)
			for i, a := range tries {
				if a.Number != i+1 || a.Acknowledged != (i == 4) || a.Acknowledged != (a.Error == "") {
					t.Errorf("got attempt %+v at place %d", a, i)
				}
			}
		})
	})
}

func TestStoreFaults(t *testing.T) {
	t.Parallel()
	t.Run("while the store cannot take outcomes nothing new is sent", func(t *testing.T) {
		t.Parallel()
		onFaulty(t, func(s *stand, f *faulty) {
			h := s.hook("h", func(e *enroll.Endpoint) { e.MaxInFlight = 2 })
			h.SetBehaviour(func(endpoint.Received) endpoint.Answer { return endpoint.Answer{Delay: 10 * time.Millisecond} })
			devices := s.devices(3)
			s.deliver()
			for _, d := range devices {
				s.commit(d, 10, h)
			}
			s.pass(55 * time.Millisecond)
			f.noRecord.Store(true)
			s.pass(time.Second)
			before := h.Count()
			for _, d := range devices {
				s.commit(d, 1, h)
			}
			s.pass(time.Minute)
			if got := h.Count(); got != before || before >= 30 {
				t.Errorf("got %d callbacks and %d a minute later, want no more, and less than all", before, got)
			}
			f.noRecord.Store(false)
			s.delivered(33, h)
			for n := range int64(11) {
				if tries := s.tries(1, n+1); len(tries) != 1 {
					t.Errorf("delivery %d: got %d attempts stored, want 1", n+1, len(tries))
				}
			}
		})
	})
	t.Run("a failed attempt that is not stored is not repeated", func(t *testing.T) {
		t.Parallel()
		onFaulty(t, func(s *stand, f *faulty) {
			h := s.hook("h", nil)
			h.SetBehaviour(func(r endpoint.Received) endpoint.Answer {
				if r.Attempt == 1 {
					return endpoint.Status(500)
				}
				return endpoint.Done()
			})
			device := s.devices(1)[0]
			s.deliver()
			f.noRecord.Store(true)
			s.commit(device, 1, h)
			s.pass(time.Hour)
			if got := h.Count(); got != 1 {
				t.Errorf("got %d callbacks, want 1", got)
			}
			f.noRecord.Store(false)
			s.delivered(2, h)
			s.wantState(h, enroll.Active, 0)
		})
	})
	t.Run("what was acknowledged and is not stored yet is not sent again when the store is read again", func(t *testing.T) {
		t.Parallel()
		onFaulty(t, func(s *stand, f *faulty) {
			h := s.hook("h", nil)
			device := s.devices(1)[0]
			s.deliver()
			f.noRecord.Store(true)
			s.commit(device, 1, h)
			s.pass(100 * time.Millisecond)
			f.noEndpoints.Store(true)
			must(s.db.ResumeEndpoint(context.Background(), h.name))(t)
			s.pass(2500 * time.Millisecond)
			f.noEndpoints.Store(false)
			s.pass(2500 * time.Millisecond) // it has read all that the store calls waiting
			f.noRecord.Store(false)
			s.pass(time.Minute)
			s.delivered(1, h)
			s.commit(device, 1, h)
			s.delivered(2, h)
		})
	})
	t.Run("outcomes that were refused when a stop began are stored before its end", func(t *testing.T) {
		t.Parallel()
		onFaulty(t, func(s *stand, f *faulty) {
			h := s.hook("h", nil)
			device := s.devices(1)[0]
			s.deliver()
			f.noRecord.Store(true)
			s.commit(device, 1, h)
			s.pass(100 * time.Millisecond)
			time.AfterFunc(1500*time.Millisecond, func() { f.noRecord.Store(false) })
			if took := s.stopSender(); took > 3*time.Second {
				t.Errorf("got the stop after %v, want at most 3s", took)
			}
			s.restart()
			s.commit(device, 1, h)
			s.delivered(2, h)
		})
	})
	t.Run("a store that never takes outcomes does not hold up a stop", func(t *testing.T) {
		t.Parallel()
		onFaulty(t, func(s *stand, f *faulty) {
			h := s.hook("h", nil)
			device := s.devices(1)[0]
			s.deliver()
			f.noRecord.Store(true)
			s.commit(device, 3, h)
			s.pass(10 * time.Second)
			if took := s.stopSender(); took > 5*time.Second {
				t.Errorf("got the stop after %v, want within 5s", took)
			}
			if f.refused.Load() == 0 {
				t.Error("got no fault, want some")
			}
		})
	})
	t.Run("a store that cannot be read is asked again, and that is no failure of the endpoint", func(t *testing.T) {
		t.Parallel()
		onFaulty(t, func(s *stand, f *faulty) {
			h := s.hook("h", nil)
			device := s.devices(1)[0]
			s.commit(device, 5, h) // before the start: to be read from the store
			f.noWaiting.Store(true)
			s.deliver()
			s.pass(10 * time.Second)
			if n := f.refused.Load(); n < 5 || n > 12 || h.Count() != 0 {
				t.Errorf("got %d reads in 10 s and %d callbacks, want about one a second and none", n, h.Count())
			}
			s.wantState(h, enroll.Active, 0)
			f.noWaiting.Store(false)
			s.delivered(5, h)
		})
	})
	t.Run("a suspended endpoint whose lane cannot be read is probed as soon as it can", func(t *testing.T) {
		t.Parallel()
		onFaulty(t, func(s *stand, f *faulty) {
			h := s.hook("h", nil)
			repaired := make(chan struct{})
			h.SetBehaviour(failing(repaired))
			device := s.devices(1)[0]
			s.deliver()
			s.commit(device, 5, h)
			s.wait(h, 1)
			close(repaired)
			f.noWaiting.Store(true)
			s.pass(10 * time.Second)
			s.wantState(h, enroll.Suspended, 1)
			f.noWaiting.Store(false)
			s.pass(1100 * time.Millisecond)
			s.wantState(h, enroll.Active, 0)
			s.delivered(6, h)
		})
	})
	t.Run("a new endpoint that cannot be read is served as soon as it can", func(t *testing.T) {
		t.Parallel()
		onFaulty(t, func(s *stand, f *faulty) {
			device := s.devices(1)[0]
			s.deliver()
			synctest.Wait()
			f.noEndpoints.Store(true)
			h := s.hook("h", nil)
			s.commit(device, 5, h)
			s.pass(10 * time.Second)
			f.noEndpoints.Store(false)
			s.delivered(5, h)
			if got := s.free(); got != 32<<20 {
				t.Errorf("got %d bytes free, want all", got)
			}
		})
	})
}

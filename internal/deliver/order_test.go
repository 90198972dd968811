package deliver

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
	"github.com/fingerpost/fingerpost/internal/fake/endpoint"
)

// Contract point 3.
func TestOrder(t *testing.T) {
	t.Parallel()
	t.Run("inside a lane callbacks leave in the order of n, one in flight at a time", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, func(s *stand) {
			h := s.hook("h", nil)
			var mu sync.Mutex
			random := rand.New(rand.NewPCG(1, 2))
			h.SetBehaviour(func(endpoint.Received) endpoint.Answer {
				mu.Lock()
				defer mu.Unlock()
				answer := endpoint.Answer{Delay: time.Duration(random.IntN(40)) * time.Millisecond}
				if random.IntN(20) == 0 {
					answer.Status = 500
				}
				return answer
			})
			devices := s.devices(4)
			for _, d := range devices {
				s.commit(d, 20, h) // waits before the start
			}
			s.deliver()
			for range 20 {
				for _, d := range devices { // comes while it runs
					s.commit(d, 1, h)
				}
				s.pass(10 * time.Millisecond)
			}
			s.pass(time.Hour)
			s.delivered(160, h)
			if got := acknowledged(h.Received()); got != 160 {
				t.Errorf("got %d acknowledged, want 160", got)
			}
		})
	})
	t.Run("at most max_in_flight per endpoint, and as many if so many lanes wait", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, func(s *stand) {
			h := s.hook("h", func(e *enroll.Endpoint) { e.MaxInFlight = 4 })
			h.SetBehaviour(func(endpoint.Received) endpoint.Answer { return endpoint.Answer{Delay: time.Second} })
			for _, d := range s.devices(10) {
				s.commit(d, 6, h)
			}
			s.deliver()
			s.delivered(60, h)
			perSecond := make(map[time.Duration]int)
			for _, at := range at(h.Received()) {
				perSecond[at]++
			}
			for i := range 15 {
				if got := perSecond[time.Duration(i)*time.Second]; got != 4 {
					t.Errorf("second %d: got %d callbacks, want 4 (all: %v)", i, got, perSecond)
				}
			}
		})
	})
	t.Run("lanes are served round robin", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, func(s *stand) {
			h := s.hook("h", func(e *enroll.Endpoint) { e.MaxInFlight = 1 })
			h.SetBehaviour(func(endpoint.Received) endpoint.Answer { return endpoint.Answer{Delay: time.Second} })
			devices := s.devices(4)
			for _, d := range devices[:3] {
				s.commit(d, 5, h)
			}
			s.deliver()
			s.pass(2500 * time.Millisecond)
			s.commit(devices[3], 2, h) // waits no longer than one round
			s.delivered(17, h)
			wantSame(t, "devices", column(h.Received(), stgID),
				[]string{"a", "b", "c", "a", "b", "d", "c", "a", "b", "d", "c", "a", "b", "c", "a", "b", "c"})
		})
	})
	t.Run("punches do not wait for user changes", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, func(s *stand) {
			h := s.hook("h", nil)
			h.SetBehaviour(func(r endpoint.Received) endpoint.Answer {
				if r.Callback.Punch == nil {
					return endpoint.Hang()
				}
				return endpoint.Done()
			})
			device := s.devices(1)[0]
			s.deliver()
			s.commit(device, 3, h)
			begun := time.Now()
			for range 5 {
				s.accept(device, s.punch(h))
			}
			s.wait(h, 6)
			if got := time.Since(begun); got != 0 {
				t.Errorf("got 5 punches after %v, want at once", got)
			}
		})
	})
}

// punch is attendance of a user.
func (s *stand) punch(to ...*hook) enroll.NewChange {
	n := s.change(0, to...)
	n.Kinds, n.Templates, n.Punch = enroll.Punch, nil, &enroll.PunchDetail{Status: 0, Verify: 1}
	for i := range n.To {
		n.To[i].Kinds = enroll.Punch
	}
	return n
}

// Contract point 10.
func TestIsolation(t *testing.T) {
	t.Parallel()
	t.Run("one endpoint, dead, slow or hanging, costs the others nothing", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, func(s *stand) {
			hanging, slow, dead, well := s.hook("hanging", nil), s.hook("slow", nil), s.hook("dead", nil), s.hook("well", nil)
			hanging.SetBehaviour(func(endpoint.Received) endpoint.Answer { return endpoint.Hang() })
			slow.SetBehaviour(func(endpoint.Received) endpoint.Answer { return endpoint.Answer{Delay: 20 * time.Second} })
			dead.SetBehaviour(func(endpoint.Received) endpoint.Answer { return endpoint.Reset() })
			devices := s.devices(3)
			s.deliver()
			for i := range 90 {
				s.commit(devices[i%3], 1, hanging, slow, dead, well)
				s.wait(well, i+1)
				if late := time.Since(well.Received()[i].At); late != 0 {
					t.Fatalf("callback %d came %v after its commit, want at once", i, late)
				}
				s.pass(time.Second)
			}
			s.delivered(90, well)
			s.wantState(well, enroll.Active, 0)
			for _, h := range []*hook{hanging, slow, dead} {
				if got := s.endpoint(h).Waiting; got < 70 {
					t.Errorf("%s: got %d waiting, want nearly all of 90", h.name, got)
				}
			}
		})
	})
	t.Run("an endpoint that gets nothing takes no room in the buffer from the others", func(t *testing.T) {
		t.Parallel()
		const room = 1 << 20
		inBubble(t, func(c *Config) { c.BufferBytes = room }, func(s *stand) {
			h := s.hook("h", func(e *enroll.Endpoint) { e.MaxInFlight = 2 })
			h.SetBehaviour(func(endpoint.Received) endpoint.Answer { return endpoint.Status(503) })
			devices := s.devices(6)
			for _, d := range devices {
				s.commit(d, 50, h)
			}
			s.deliver()
			failures := 0
			for range 5 {
				s.wait(h, failures+1)
				for _, d := range devices {
					s.commit(d, 10, h)
				}
				s.pass(time.Second)
				if got := s.free(); got != room {
					t.Errorf("got %d bytes free while suspended, want %d", got, room)
				}
				failures = h.Count()
			}
			h.SetBehaviour(func(endpoint.Received) endpoint.Answer { return endpoint.Hang() })
			s.wait(h, failures+1)
			if got := s.free(); got < room-2<<10 {
				t.Errorf("got %d bytes free during a probe, want all but its one change", got)
			}
			h.SetBehaviour(nil)
			s.delivered(failures+1+600, h)
			if got := s.free(); got != room {
				t.Errorf("got %d bytes free at the end, want %d", got, room)
			}
		})
	})
}

// Contract point 2: endpoints that get the same change have lanes of their own.
func TestLanes(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(s *stand) {
		one, two := s.hook("one", nil), s.hook("two", nil)
		one.SetBehaviour(func(endpoint.Received) endpoint.Answer { return endpoint.Answer{Delay: 50 * time.Millisecond} })
		devices := s.devices(2)
		s.deliver()
		for i := range 20 {
			s.commit(devices[i%2], 1, one, two)
		}
		s.commit(devices[0], 1, two)
		s.delivered(20, one)
		s.delivered(21, two)
		lanes := make(map[string]string)
		ids := make(map[string]string)
		for _, r := range append(one.Received(), two.Received()...) {
			key := fmt.Sprintf("%s %d", r.StgID, r.Sequence)
			if id, known := ids[key]; known && id != r.OperationID {
				t.Errorf("%s: got operation ids %s and %s, want one for all endpoints", key, id, r.OperationID)
			}
			ids[key] = r.OperationID
			lanes[r.Lane] = r.StgID
		}
		if len(lanes) != 4 || len(ids) != 21 {
			t.Errorf("got %d lanes and %d places, want 4 and 21", len(lanes), len(ids))
		}
	})
}

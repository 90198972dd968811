package deliver

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
	"github.com/fingerpost/fingerpost/internal/fake/endpoint"
)

// What a restart keeps: contract points 3, 5 and 9.
func TestRestart(t *testing.T) {
	t.Parallel()
	t.Run("a backlog goes on in order, and nothing acknowledged is repeated after a clean stop", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, func(s *stand) {
			h := s.hook("h", nil)
			h.SetBehaviour(func(endpoint.Received) endpoint.Answer { return endpoint.Answer{Delay: 95 * time.Millisecond} })
			devices := s.devices(3)
			s.deliver()
			for _, d := range devices {
				s.commit(d, 30, h)
			}
			for _, n := range []int{10, 20, 40, 41} {
				s.wait(h, n)
				s.restart()
			}
			s.commit(devices[0], 10, h)
			s.delivered(100, h)
			if got := h.Count(); got != 100 {
				t.Errorf("got %d callbacks, want 100", got)
			}
		})
	})
	t.Run("a suspension survives, with its failures and the time of its next probe", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, func(s *stand) {
			h := s.hook("h", nil)
			repaired := make(chan struct{})
			h.SetBehaviour(failing(repaired))
			device := s.devices(1)[0]
			s.deliver()
			s.commit(device, 5, h)
			s.wait(h, 4)
			s.pass(time.Second)
			before := s.endpoint(h)
			s.restart()
			s.commit(device, 1, h)
			s.wait(h, 5)
			fifth := h.Received()[4]
			if late := fifth.At.Sub(before.NextAt); late < 0 || late > 10*time.Millisecond {
				t.Errorf("got the next probe %v after the stored time, want at it", late)
			}
			s.pass(time.Second)
			s.wantState(h, enroll.Suspended, 5)
			if e := s.endpoint(h); !e.SuspendedAt.Equal(before.SuspendedAt) || !about(e.NextAt.Sub(fifth.At), 32*time.Second) {
				t.Errorf("got %+v, want suspended since %v and the next wait 32s", e.Health, before.SuspendedAt)
			}
			// The time of the probe passes while nothing runs: it leaves at the start.
			s.stop()
			s.pass(time.Minute)
			close(repaired)
			begun := time.Now()
			s.open()
			s.deliver()
			s.wait(h, 6)
			if late := h.Received()[5].At.Sub(begun); late != 0 {
				t.Errorf("got the overdue probe %v after the start, want at once", late)
			}
			s.delivered(6+5, h)
			wantSame(t, "attempts", column(h.Received(), number), []int{1, 2, 3, 4, 5, 6, 1, 1, 1, 1, 1})
			s.wantState(h, enroll.Active, 0)
		})
	})
	t.Run("a Sender that is stopped before it began returns nil", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, func(s *stand) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			if err := s.sender.Run(ctx); err != nil {
				t.Errorf("got %v, want nil", err)
			}
		})
	})
}

// Contract point 11.
func TestStopping(t *testing.T) {
	t.Parallel()
	t.Run("attempts in flight get 25 s, nothing new begins", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, func(s *stand) {
			h := s.hook("h", func(e *enroll.Endpoint) { e.Timeout = 2 * time.Minute })
			h.SetBehaviour(func(r endpoint.Received) endpoint.Answer {
				delays := map[string]time.Duration{"a": 10 * time.Second, "b": 21 * time.Second}
				return endpoint.Answer{Delay: delays[r.StgID]}
			})
			for _, d := range s.devices(2) {
				s.commit(d, 5, h)
			}
			s.deliver()
			s.pass(time.Second)
			if took := s.stopSender(); took < 20*time.Second || took > 20050*time.Millisecond {
				t.Errorf("got the stop after %v, want 20s: with the last answer, and that stored", took)
			}
			if got := h.Count(); got != 2 {
				t.Errorf("got %d callbacks, want only the 2 in flight", got)
			}
			for lane := range enroll.LaneID(2) {
				if tries := s.tries(lane+1, 1); len(tries) != 1 || !tries[0].Acknowledged {
					t.Errorf("lane %d: got attempts %+v, want one that is acknowledged", lane+1, tries)
				}
			}
			s.restart()
			s.delivered(10, h)
		})
	})
	t.Run("a cut attempt is not a failure, and the whole ends within 30 s", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, func(s *stand) {
			h := s.hook("h", func(e *enroll.Endpoint) { e.Timeout = 2 * time.Minute })
			h.SetBehaviour(func(endpoint.Received) endpoint.Answer { return endpoint.Hang() })
			for _, d := range s.devices(3) {
				s.commit(d, 2, h)
			}
			s.deliver()
			s.pass(time.Second)
			before := s.lanes()
			if took := s.stopSender(); took < 25*time.Second || took > 30*time.Second {
				t.Errorf("got the stop after %v, want 25s to 30s", took)
			}
			s.wantState(h, enroll.Active, 0)
			if n := changed(before, s.lanes()); n != 0 || len(s.tries(1, 1)) != 0 {
				t.Errorf("got %d lanes changed and attempts %+v, want none", n, s.tries(1, 1))
			}
			h.SetBehaviour(nil)
			s.restart()
			s.delivered(3+6, h)
			wantSame(t, "attempts", column(h.Received(), number), []int{1, 1, 1, 1, 1, 1, 1, 1, 1})
		})
	})
	t.Run("a cut probe leaves the suspension as it was", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, func(s *stand) {
			h := s.hook("h", func(e *enroll.Endpoint) { e.Timeout = 2 * time.Minute })
			h.SetBehaviour(func(r endpoint.Received) endpoint.Answer {
				if r.Attempt == 1 {
					return endpoint.Status(500)
				}
				return endpoint.Hang()
			})
			s.commit(s.devices(1)[0], 1, h)
			s.deliver()
			s.wait(h, 2)
			before := s.endpoint(h)
			s.stopSender()
			if after := s.endpoint(h); after.Health != before.Health || after.State() != enroll.Suspended {
				t.Errorf("got %+v, want %+v as it was", after.Health, before.Health)
			}
			h.SetBehaviour(nil)
			s.restart()
			s.delivered(3, h)
			wantSame(t, "attempts", column(h.Received(), number), []int{1, 2, 2})
		})
	})
	t.Run("a server with work that learns of the stop first begins nothing", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, func(s *stand) {
			h := s.hook("h", nil)
			s.commit(s.devices(1)[0], 2, h)
			if err := s.sender.load(context.Background()); err != nil {
				t.Fatal(err)
			}
			stopped, cancel := context.WithCancel(context.Background())
			cancel()
			s.sender.server(h.id).run(stopped, context.Background())
			synctest.Wait()
			if got := h.Count(); got != 0 {
				t.Errorf("got %d callbacks, want none", got)
			}
		})
	})
}

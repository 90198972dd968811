package deliver

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
	"github.com/fingerpost/fingerpost/internal/fake/endpoint"
)

// Contract point 5.
func TestSuspension(t *testing.T) {
	t.Parallel()
	t.Run("the waits are 2, 4, 8 … s within ±10 %, at most 15 min, nothing else is sent, and the backlog follows in order", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, suspendAndRecover)
	})
	t.Run("Retry-After may lengthen a wait, to 1 h at most", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, retryAfterLengthens)
	})
	t.Run("a redirect is a failure and is never followed", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, func(s *stand) {
			elsewhere := s.hook("elsewhere", nil)
			url := s.endpoint(elsewhere).URL
			h := s.hook("h", nil)
			h.SetBehaviour(func(endpoint.Received) endpoint.Answer { return endpoint.Redirect(url) })
			device := s.devices(1)[0]
			s.deliver()
			s.commit(device, 2, h)
			s.wait(h, 3)
			s.pass(time.Second)
			s.wantState(h, enroll.Suspended, 3)
			if reason := s.endpoint(h).Reason; !strings.Contains(reason, "307, a redirect") {
				t.Errorf("got reason %q, want words about the redirect", reason)
			}
			if got := elsewhere.Count(); got != 0 {
				t.Errorf("got %d callbacks where the redirect leads to, want none", got)
			}
		})
	})
	t.Run("no answer within the timeout is a failure after exactly the timeout", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, func(s *stand) {
			h := s.hook("h", func(e *enroll.Endpoint) { e.Timeout = 7 * time.Second })
			h.SetBehaviour(func(endpoint.Received) endpoint.Answer { return endpoint.Hang() })
			device := s.devices(1)[0]
			s.deliver()
			begun := time.Now()
			s.commit(device, 1, h)
			s.pass(7*time.Second - time.Millisecond)
			s.wantState(h, enroll.Active, 0)
			s.pass(100 * time.Millisecond)
			s.wantState(h, enroll.Suspended, 1)
			if got := s.endpoint(h).SuspendedAt.Sub(begun); got != 7*time.Second {
				t.Errorf("got the suspension after %v, want 7s", got)
			}
			tries := s.tries(1, 1)
			if len(tries) != 1 || tries[0].Duration != 7*time.Second || tries[0].Status != 0 || !strings.HasPrefix(tries[0].Error, "no answer in 7s") {
				t.Errorf("got attempts %+v, want one of 7s without an answer", tries)
			}
		})
	})
	t.Run("attempts begun before it neither raise the wait nor end it", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, begunBefore)
	})
}

func suspendAndRecover(s *stand) {
	h := s.hook("h", func(e *enroll.Endpoint) { e.MaxInFlight = 1 })
	repaired := make(chan struct{})
	h.SetBehaviour(failing(repaired))
	devices := s.devices(3)
	for _, d := range devices {
		s.commit(d, 4, h)
	}
	s.deliver()
	committed := 12
	waits := []time.Duration{2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900}
	for i, seconds := range waits {
		wait := seconds * time.Second
		s.wait(h, i+1)
		s.pass(50 * time.Millisecond)
		s.wantState(h, enroll.Suspended, i+1)
		next := s.endpoint(h).NextAt.Sub(h.Received()[i].At)
		if !about(next, wait) || next > 15*time.Minute {
			s.Errorf("failure %d: got the next probe after %v, want %v ±10 %%, at most 15m", i+1, next, wait)
		}
		s.commit(devices[i%3], 1, h)
		committed++
		s.pass(next - time.Second)
		if got := h.Count(); got != i+1 {
			s.Fatalf("failure %d: got %d callbacks before the next probe, want none", i+1, got-i-1)
		}
		s.wait(h, i+2)
		if got := h.Received()[i+1].At.Sub(h.Received()[i].At); got < next || got > next+10*time.Millisecond {
			s.Errorf("failure %d: got the next probe after %v, want %v as stored", i+1, got, next)
		}
	}
	failed := len(waits) + 1
	close(repaired)
	s.delivered(failed+committed, h)
	if got := h.Count(); got != failed+committed {
		s.Errorf("got %d callbacks, want %d: each of %d exactly once after the failures", got, failed+committed, committed)
	}
	s.wantState(h, enroll.Active, 0)
	if e := s.endpoint(h); e.Reason != "" || !e.SuspendedAt.IsZero() || !e.NextAt.IsZero() {
		s.Errorf("got %+v, want nothing left of the suspension", e.Health)
	}
	// Each probe takes the lane not attempted for longest.
	wantSame(s.T, "probed devices", column(h.Received()[:6], stgID), []string{"a", "b", "c", "a", "b", "c"})
}

func retryAfterLengthens(s *stand) {
	h := s.hook("h", nil)
	wishes := []string{"60", "7200", "date", "1", "soon"}
	h.SetBehaviour(func(r endpoint.Received) endpoint.Answer {
		if r.Attempt > len(wishes) {
			return endpoint.Done()
		}
		wish := wishes[r.Attempt-1]
		if wish == "date" {
			wish = r.At.Add(10 * time.Minute).UTC().Format(http.TimeFormat)
		}
		return endpoint.Answer{Status: 503, Header: http.Header{"Retry-After": {wish}}}
	})
	device := s.devices(1)[0]
	s.deliver()
	s.commit(device, 1, h)
	s.delivered(len(wishes)+1, h)
	times := at(h.Received())
	for i, want := range []time.Duration{time.Minute, time.Hour, 10 * time.Minute} {
		// A date has no fractions of a second, and the store none of a millisecond.
		if got := times[i+1] - times[i]; got > want+10*time.Millisecond || got < want-time.Second-time.Millisecond {
			s.Errorf("Retry-After %s: got a wait of %v, want %v", wishes[i], got, want)
		}
	}
	for i, want := range map[int]time.Duration{3: 16 * time.Second, 4: 32 * time.Second} {
		if got := times[i+1] - times[i]; !about(got, want) {
			s.Errorf("Retry-After %s: got a wait of %v, want the ordinary one of %v", wishes[i], got, want)
		}
	}
}

func begunBefore(s *stand) {
	h := s.hook("h", nil)
	answers := map[string]endpoint.Answer{
		"a": {Status: 500},
		"b": {Status: 500, Delay: time.Second},
		"c": {Status: 200, Delay: 1500 * time.Millisecond},
		"d": {Hang: true},
	}
	probes := make(chan struct{})
	h.SetBehaviour(func(r endpoint.Received) endpoint.Answer {
		select {
		case <-probes:
			return endpoint.Done()
		default:
			return answers[r.StgID]
		}
	})
	for _, d := range s.devices(4) {
		s.commit(d, 2, h)
	}
	s.deliver()
	s.pass(100 * time.Millisecond)
	suspended := s.endpoint(h)
	s.pass(1600 * time.Millisecond) // one more failure, one acknowledgement
	close(probes)
	if got := s.endpoint(h); got.Failures != 1 || !got.NextAt.Equal(suspended.NextAt) || got.State() != enroll.Suspended {
		s.Errorf("got %+v, want %+v as it was", got.Health, suspended.Health)
	}
	if got := h.Count(); got != 4 {
		s.Errorf("got %d callbacks, want the 4 from before the suspension", got)
	}
	if c := s.tries(3, 1); len(c) != 1 || !c[0].Acknowledged {
		s.Errorf("got attempts %+v of lane 3, want one that is acknowledged", c)
	}
	s.pass(time.Second) // the probe, and the backlog except the lane that hangs
	s.wantState(h, enroll.Active, 0)
	s.pass(30 * time.Second) // the hanging attempt fails: begun before, it says nothing
	s.wantState(h, enroll.Active, 0)
	s.delivered(8+3, h)
}

// Contract point 5: suspending, resuming costs the same with a million waiting as with one.
func TestSuspension_CostsTheSameWhateverWaits(t *testing.T) {
	t.Parallel()
	type cost struct{ outcomes, healths, lanesBySuspending, lanesByResuming, toldEndpoints, toldDeliveries int }
	of := func(t *testing.T, waiting int) cost {
		var c cost
		counting := &counter{}
		inBubble(t, func(cfg *Config) { counting.Store, cfg.Store = cfg.Store, counting }, func(s *stand) {
			h := s.hook("h", func(e *enroll.Endpoint) { e.MaxInFlight = 1 })
			h.SetBehaviour(func(endpoint.Received) endpoint.Answer { return endpoint.Status(500) })
			for i, d := range s.devices(10) {
				if i == 0 || waiting > 1 {
					s.commit(d, max(waiting/10, 1), h)
				}
			}
			before := s.lanes()
			s.deliver()
			s.wait(h, 1)
			s.pass(time.Second)
			suspended := s.lanes()
			c.outcomes, c.healths = counting.outcomes, counting.healths
			c.lanesBySuspending = changed(before, suspended)

			h.SetBehaviour(func(endpoint.Received) endpoint.Answer { return endpoint.Hang() })
			s.told = nil
			must(s.db.ResumeEndpoint(context.Background(), h.name))(t)
			synctest.Wait()
			for _, told := range s.told {
				c.toldEndpoints += len(told.Endpoints)
				c.toldDeliveries += len(told.Deliveries)
			}
			c.lanesByResuming = changed(suspended, s.lanes())
		})
		return c
	}
	one, many := of(t, 1), of(t, 10_000)
	if want := (cost{outcomes: 1, healths: 1, lanesBySuspending: 1, toldEndpoints: 1}); one != want || many != want {
		t.Errorf("got %+v with 1 waiting and %+v with 10000, want %+v", one, many, want)
	}
}

// lanes reads the lanes of the store that have something waiting.
func (s *stand) lanes() map[enroll.LaneID]enroll.Lane {
	s.Helper()
	lanes := make(map[enroll.LaneID]enroll.Lane)
	for _, l := range must(s.db.WaitingLanes(context.Background(), 0))(s.T) {
		lanes[l.ID] = l
	}
	return lanes
}

func changed(before, after map[enroll.LaneID]enroll.Lane) int {
	ids := slices.Concat(slices.Collect(maps.Keys(before)), slices.Collect(maps.Keys(after)))
	slices.Sort(ids)
	n := 0
	for _, id := range slices.Compact(ids) {
		if before[id] != after[id] {
			n++
		}
	}
	return n
}

// A counter counts what goes to the store.
type counter struct {
	Store
	calls, outcomes, healths int
}

func (c *counter) Record(ctx context.Context, outcomes []enroll.Outcome) error {
	c.calls++
	c.outcomes += len(outcomes)
	for _, o := range outcomes {
		if o.Health != nil {
			c.healths++
		}
	}
	return c.Store.Record(ctx, outcomes)
}

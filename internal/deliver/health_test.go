package deliver

import (
	"context"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
	"github.com/fingerpost/fingerpost/internal/fake/endpoint"
)

func TestBackoff(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		failures int
		asked    time.Duration
		want     time.Duration // with the jitter in the middle
		exact    bool          // whatever the jitter
	}{
		{"the first failure waits shortly", 1, 0, 2 * time.Second, false},
		{"the second waits twice as long", 2, 0, 4 * time.Second, false},
		{"the ninth is the last that doubles", 9, 0, 512 * time.Second, false},
		{"the tenth is at the cap", 10, 0, 15 * time.Minute, false},
		{"a great number does not overflow", 1 << 40, 0, 15 * time.Minute, false},
		{"none is like one", 0, 0, 2 * time.Second, false},
		{"the endpoint may ask for more", 1, time.Minute, time.Minute, true},
		{"but not for less", 3, time.Second, 8 * time.Second, false},
		{"for more than the cap too", 10, 20 * time.Minute, 20 * time.Minute, true},
		{"but not for more than an hour", 1, 48 * time.Hour, time.Hour, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := backoff(tt.failures, tt.asked, 0.5); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			for _, jitter := range []float64{0, 0.25, 0.75, 1} {
				got := backoff(tt.failures, tt.asked, jitter)
				if !about(got, tt.want) || tt.exact && got != tt.want || !tt.exact && got > longestWait {
					t.Errorf("jitter %v: got %v, want about %v", jitter, got, tt.want)
				}
			}
		})
	}
	if low, high := backoff(5, 0, 0), backoff(5, 0, 1); low > 29*time.Second || high < 35*time.Second {
		t.Errorf("got %v to %v, want nearly all of 32s ±10 %%", low, high)
	}
}

// step is what happens to a health, at a time in seconds.
type step struct {
	do    string // begin, ack, fail, drop, pause, resume, repause: with a new epoch; same: load with the old
	what  int64  // number of the attempt, for ack, fail and drop
	at    int
	state enroll.EndpointState // afterwards
	next  int                  // second of the next probe afterwards; 0: none
	may   bool                 // an attempt may begin afterwards, at this time
}

// Every transition of the state machine. Waits are as many seconds as failures.
func TestHealth(t *testing.T) {
	t.Parallel()
	const active, suspended, paused = enroll.Active, enroll.Suspended, enroll.Paused
	tests := []struct {
		name  string
		steps []step
	}{
		{"an acknowledgement leaves it active", []step{
			{"begin", 0, 0, active, 0, true}, {"ack", 1, 1, active, 0, true}}},
		{"a failure suspends, the probe ends it", []step{
			{"begin", 0, 0, active, 0, true}, {"fail", 1, 10, suspended, 11, false},
			{"begin", 0, 11, suspended, 11, false}, {"ack", 2, 12, active, 0, true}}},
		{"a failed probe waits longer, and one at a time is in flight", []step{
			{"begin", 0, 0, active, 0, true}, {"fail", 1, 10, suspended, 11, false},
			{"begin", 0, 11, suspended, 11, false}, {"fail", 2, 15, suspended, 17, false},
			{"begin", 0, 17, suspended, 17, false}, {"fail", 3, 20, suspended, 23, false}}},
		{"failures of attempts begun before the suspension do not raise the wait", []step{
			{"begin", 0, 0, active, 0, true}, {"begin", 0, 0, active, 0, true}, {"begin", 0, 0, active, 0, true},
			{"fail", 2, 10, suspended, 11, false}, {"fail", 1, 10, suspended, 11, false}, {"fail", 3, 12, suspended, 11, true}}},
		{"nor do they while a probe is in flight", []step{
			{"begin", 0, 0, active, 0, true}, {"begin", 0, 0, active, 0, true}, {"fail", 1, 10, suspended, 11, false},
			{"begin", 0, 11, suspended, 11, false}, {"fail", 2, 12, suspended, 11, false}, {"fail", 3, 13, suspended, 15, false}}},
		{"an acknowledgement of one begun before does not end it", []step{
			{"begin", 0, 0, active, 0, true}, {"begin", 0, 0, active, 0, true}, {"fail", 1, 10, suspended, 11, false},
			{"ack", 2, 10, suspended, 11, false}}},
		{"a failure of one begun before the recovery does not suspend again", []step{
			{"begin", 0, 0, active, 0, true}, {"begin", 0, 0, active, 0, true}, {"fail", 1, 10, suspended, 11, false},
			{"begin", 0, 11, suspended, 11, false}, {"ack", 3, 12, active, 0, true}, {"fail", 2, 13, active, 0, true},
			{"begin", 0, 14, active, 0, true}, {"fail", 4, 15, suspended, 16, false}}},
		{"a probe that came to nothing is no failure, the next leaves at once", []step{
			{"begin", 0, 0, active, 0, true}, {"fail", 1, 10, suspended, 11, false},
			{"begin", 0, 11, suspended, 11, false}, {"drop", 2, 12, suspended, 11, true}}},
		{"an attempt that came to nothing changes nothing", []step{
			{"begin", 0, 0, active, 0, true}, {"drop", 1, 12, active, 0, true}}},
		{"a resume ends a suspension at once", []step{
			{"begin", 0, 0, active, 0, true}, {"fail", 1, 10, suspended, 11, false}, {"resume", 0, 10, active, 0, true}}},
		{"the failure of an attempt begun before a resume does not suspend again", []step{
			{"begin", 0, 0, active, 0, true}, {"fail", 1, 10, suspended, 11, false}, {"begin", 0, 11, suspended, 11, false},
			{"resume", 0, 12, active, 0, true}, {"fail", 2, 13, active, 0, true}}},
		{"a probe begun before a resume does not hold up the probe of the next suspension", []step{
			{"begin", 0, 0, active, 0, true}, {"fail", 1, 10, suspended, 11, false}, {"begin", 0, 11, suspended, 11, false},
			{"resume", 0, 12, active, 0, true}, {"begin", 0, 12, active, 0, true}, {"fail", 3, 13, suspended, 14, false},
			{"begin", 0, 14, suspended, 14, false}, {"fail", 2, 15, suspended, 14, false}, {"ack", 4, 16, active, 0, true}}},
		{"settings read again under the same epoch do not undo what happened", []step{
			{"begin", 0, 0, active, 0, true}, {"fail", 1, 10, suspended, 11, false}, {"same", 0, 10, suspended, 11, false}}},
		{"a pause lets nothing begin", []step{
			{"begin", 0, 0, active, 0, true}, {"pause", 0, 1, paused, 0, false}}},
		{"what was begun before a pause changes nothing", []step{
			{"begin", 0, 0, active, 0, true}, {"begin", 0, 0, active, 0, true}, {"pause", 0, 1, paused, 0, false},
			{"fail", 1, 2, paused, 0, false}, {"ack", 2, 3, paused, 0, false}}},
		{"a resume ends a pause", []step{
			{"begin", 0, 0, active, 0, true}, {"pause", 0, 1, paused, 0, false}, {"resume", 0, 2, active, 0, true}}},
		{"a pause outlasts a suspension, its probe changes nothing", []step{
			{"begin", 0, 0, active, 0, true}, {"fail", 1, 10, suspended, 11, false}, {"begin", 0, 11, suspended, 11, false},
			{"repause", 0, 12, paused, 11, false}, {"ack", 2, 13, paused, 11, false}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := &health{}
			for i, s := range tt.steps {
				before := h.Health
				told := changes(h, s)
				if changed := h.Health != before; told != changed {
					t.Errorf("step %d %s: got told that it changed: %v, want %v", i, s.do, told, changed)
				}
				may, when := h.mayBegin(second(s.at))
				if h.State() != s.state || !h.NextAt.Equal(second(s.next)) || may != s.may {
					t.Errorf("step %d %s: got %s, next %v, may begin %v, want %s, %v, %v", i, s.do, h.State(), h.NextAt, may, s.state, second(s.next), s.may)
				}
				if !may && h.State() == suspended && h.probe == 0 && !when.Equal(second(s.next)) {
					t.Errorf("step %d %s: got told to look again at %v, want %v", i, s.do, when, second(s.next))
				}
			}
		})
	}
}

// changes does a step and returns what h reports of it, or for what reports nothing
// the truth.
func changes(h *health, s step) bool {
	before := h.Health
	stored := before
	stored.Epoch++
	switch s.do {
	case "begin":
		h.begin()
	case "drop":
		h.drop(ticket{s.what})
	case "ack":
		return h.acknowledged(ticket{s.what})
	case "fail":
		return h.failed(ticket{s.what}, second(s.at), "words", func(failures int) time.Duration { return time.Duration(failures) * time.Second })
	case "resume":
		h.load(enroll.Health{Epoch: stored.Epoch})
	case "pause", "repause":
		stored.PausedAt = second(s.at)
		h.load(stored)
	case "same":
		h.load(enroll.Health{Epoch: before.Epoch})
	}
	return h.Health != before
}

func second(n int) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Date(2026, 5, 4, 10, 0, n, 0, time.UTC)
}

func TestHealth_ClockSetBack(t *testing.T) {
	t.Parallel()
	h := &health{}
	now := second(1)
	h.load(enroll.Health{SuspendedAt: now, Failures: 3, NextAt: now.Add(24 * time.Hour)})
	may, when := h.mayBegin(now)
	if may || !when.Equal(now.Add(time.Hour)) {
		t.Errorf("got %v, %v, want the next probe in an hour: no wait is longer", may, when)
	}
	if may, _ := h.mayBegin(now.Add(time.Hour)); !may {
		t.Error("got no probe an hour later, want one")
	}
}

func TestResume(t *testing.T) {
	t.Parallel()
	t.Run("the next attempt leaves at once", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, func(s *stand) {
			h := s.hook("h", nil)
			repaired := make(chan struct{})
			h.SetBehaviour(failing(repaired))
			device := s.devices(1)[0]
			s.deliver()
			s.commit(device, 3, h)
			s.wait(h, 6)
			s.pass(10 * time.Second)
			must(s.db.ResumeEndpoint(context.Background(), h.name))(t)
			resumed := time.Now()
			s.wait(h, 7)
			if late := h.Received()[6].At.Sub(resumed); late != 0 {
				t.Errorf("got the next attempt %v after the resume, want at once", late)
			}
			s.pass(time.Second)
			s.wantState(h, enroll.Suspended, 1) // it failed: the waits begin anew
			close(repaired)
			must(s.db.ResumeEndpoint(context.Background(), h.name))(t)
			s.delivered(7+3, h)
			s.wantState(h, enroll.Active, 0)
		})
	})
	t.Run("the outcome of an attempt begun before does not suspend again", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, func(s *stand) {
			h := s.hook("h", func(e *enroll.Endpoint) { e.Timeout = 5 * time.Second })
			h.SetBehaviour(func(r endpoint.Received) endpoint.Answer {
				switch {
				case r.StgID == "b" || r.Sequence > 1 || r.Attempt > 2:
					return endpoint.Done()
				case r.Attempt == 1:
					return endpoint.Status(500)
				}
				return endpoint.Hang()
			})
			devices := s.devices(2)
			s.deliver()
			s.commit(devices[0], 2, h)
			s.wait(h, 2) // the probe hangs
			s.pass(time.Second)
			s.commit(devices[1], 5, h)
			s.pass(time.Second)
			if got := h.Count(); got != 2 {
				t.Errorf("got %d callbacks, want 2: the failure and its probe", got)
			}
			must(s.db.ResumeEndpoint(context.Background(), h.name))(t)
			s.pass(100 * time.Millisecond)
			if got := h.Count(); got != 7 {
				t.Errorf("got %d callbacks, want those of the other lane at once", got)
			}
			s.wantState(h, enroll.Active, 0)
			s.pass(2850 * time.Millisecond) // just before the timeout of the probe
			if got := h.Count(); got != 7 {
				t.Errorf("got %d callbacks, want one in flight in the lane of the probe", got)
			}
			s.pass(200 * time.Millisecond)
			s.wantState(h, enroll.Active, 0)
			if got := h.Count(); got != 9 {
				t.Errorf("got %d callbacks, want the lane of the probe to go on at once", got)
			}
			s.delivered(9, h)
		})
	})
}

package deliver

import (
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// The waits of contract point 5.
const (
	firstWait     = 2 * time.Second
	longestWait   = 15 * time.Minute
	longestWish   = time.Hour // of a Retry-After
	jitterPortion = 0.099     // a little less than ±10 %, since times are cut to milliseconds
)

// backoff returns how long to wait after so many failures in a row: 2 s, doubling,
// ±10 %, at most 15 min. asked is what the endpoint's Retry-After wished for: it can
// lengthen the wait, to 1 h at most. jitter is from 0 to 1.
func backoff(failures int, asked time.Duration, jitter float64) time.Duration {
	wait := longestWait
	if failures < 10 { // 2 s << 9 is more than 15 min
		wait = min(firstWait<<max(failures-1, 0), longestWait)
	}
	wait = time.Duration(float64(wait) * (1 - jitterPortion + 2*jitterPortion*jitter))
	return max(min(wait, longestWait), min(asked, longestWish))
}

// A health is the state machine of an endpoint: active, suspended, and above both,
// paused by an operator. It is pure: no clock, no I/O.
//
//	         failure of an attempt begun since the last recovery
//	active ────────────────────────────────────────────────────► suspended ─┐
//	  ▲                                                             │  ▲    │ failed probe:
//	  └─────────────────────────────────────────────────────────────┘  └────┘ longer wait
//	    acknowledged attempt that was begun after the suspension
//
// Attempts are numbered in the order of their beginning, which decides what was begun
// before what; times do not.
type health struct {
	enroll.Health
	begun     int64 // number of the last attempt that was begun
	changedAt int64 // begun at the last change of the state
	probe     int64 // number of the probe in flight, 0 if there is none
}

// A ticket is given to an attempt when it begins.
type ticket struct{ number int64 }

// mayBegin reports whether an attempt may begin at now, and if not, from when on it
// may: zero if that is not a matter of time.
func (h *health) mayBegin(now time.Time) (bool, time.Time) {
	switch h.State() {
	case enroll.Active:
		return true, time.Time{}
	case enroll.Suspended:
		if h.probe != 0 {
			return false, time.Time{}
		}
		if latest := now.Add(longestWish); h.NextAt.After(latest) {
			h.NextAt = latest // no wait is longer: our clock was set back
		}
		if now.Before(h.NextAt) {
			return false, h.NextAt
		}
		return true, time.Time{}
	}
	return false, time.Time{}
}

// begin notes that an attempt begins; mayBegin said that it may.
func (h *health) begin() ticket {
	h.begun++
	if h.State() == enroll.Suspended {
		h.probe = h.begun
	}
	return ticket{h.begun}
}

// drop takes back an attempt that came to nothing and is no failure.
func (h *health) drop(t ticket) {
	if h.probe == t.number {
		h.probe = 0
	}
}

// acknowledged notes an acknowledgement, and reports whether that changed the state.
func (h *health) acknowledged(t ticket) bool {
	h.drop(t)
	if h.SuspendedAt.IsZero() || t.number <= h.changedAt {
		return false
	}
	h.recover()
	return true
}

// failed notes a failure at now for a reason, and reports whether that changed the
// state. wait gives the wait after so many failures.
func (h *health) failed(t ticket, now time.Time, reason string, wait func(failures int) time.Duration) bool {
	isProbe := h.probe == t.number
	h.drop(t)
	switch {
	case h.SuspendedAt.IsZero() && t.number > h.changedAt:
		h.SuspendedAt = enroll.Millis(now)
		h.changedAt = h.begun
	case !h.SuspendedAt.IsZero() && isProbe:
	default: // begun before the state changed: says nothing about now
		return false
	}
	h.Failures++
	h.NextAt = enroll.Millis(now.Add(wait(h.Failures)))
	h.Reason = reason
	return true
}

// recover makes the endpoint active.
func (h *health) recover() {
	h.SuspendedAt, h.NextAt, h.Failures, h.Reason = time.Time{}, time.Time{}, 0, ""
	h.changedAt, h.probe = h.begun, 0
}

// load takes over the state in the store, if an operator has changed it since.
func (h *health) load(stored enroll.Health) {
	if stored.Epoch == h.Epoch && h.begun > 0 {
		return
	}
	h.Health = stored
	h.changedAt, h.probe = h.begun, 0
}

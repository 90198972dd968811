package terminal

import (
	"context"
	"strconv"
)

// Events of PUSH 3.x that this terminal has.
const (
	eventGranted      = 0
	eventUnregistered = 27
)

// Punch records attendance: status is the direction (0 in, 1 out, 255 not told),
// verify the method (1 finger, 3 password, 4 card, 15 face). The user need not be
// known. A terminal of PUSH 3.x tells it as an event of the door.
func (t *Terminal) Punch(ctx context.Context, pin string, status, verify int) error {
	t.wake()
	at := t.wallTime()
	if t.isAccess() {
		t.mu.Lock()
		t.punches++
		t.mu.Unlock()
		return t.event(ctx, pin, at, eventGranted, status, verify)
	}
	t.mu.Lock()
	if at != t.second {
		t.second = at
		clear(t.punched)
	}
	key := pin + "/" + strconv.Itoa(status) + "/" + strconv.Itoa(verify)
	if !t.punched[key] {
		t.punched[key] = true
		t.punches++
	}
	t.mu.Unlock()
	return t.Push(ctx, attlog, t.body([]string{punchLine(pin, at, status, verify)}))
}

// Refuse records that a stranger was not let in, which terminals of PUSH 3.x tell as an
// event; others tell nothing.
func (t *Terminal) Refuse(ctx context.Context) error {
	if !t.isAccess() {
		return nil
	}
	return t.event(ctx, "0", t.wallTime(), eventUnregistered, 0, 0)
}

// event pushes an event with the next index. Some are left out: they are of events that
// the gateway did not ask for.
func (t *Terminal) event(ctx context.Context, pin, at string, event, status, verify int) error {
	step := 1 + t.draw("index").IntN(2)
	t.mu.Lock()
	t.index += step
	index := t.index
	t.mu.Unlock()
	return t.Push(ctx, rtlog, t.body([]string{t.eventRow(pin, at, event, status, verify, index)}))
}

// Heartbeat tells the state of the door, as terminals of PUSH 3.x do every few seconds;
// others have none. It is tried once: the next one follows.
func (t *Terminal) Heartbeat(ctx context.Context) error {
	if !t.isAccess() {
		return nil
	}
	_, err := t.Upload(ctx, rtstate, []byte(t.stateRow(t.wallTime())+"\n"))
	return err
}

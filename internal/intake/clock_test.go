package intake_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// TestClock: while our clock is more than 5 s earlier than the newest time of ours in
// the store, devices get no answer from which they could set theirs.
func TestClock(t *testing.T) {
	t.Parallel()
	r := newRig(t, "all")
	see := func() error {
		_, err := r.intake.Seen(t.Context(), "T1", enroll.Sighting{})
		return err
	}
	if err := see(); err != nil {
		t.Fatal(err)
	}
	r.pass(-5 * time.Second)
	if err := see(); err != nil {
		t.Errorf("5 s earlier: got %v, want no error", err)
	}
	r.pass(-time.Millisecond)
	if err := see(); !errors.Is(err, enroll.ErrClock) {
		t.Errorf("more than 5 s earlier: got %v, want ErrClock", err)
	}
	r.pass(time.Minute)
	if err := see(); err != nil {
		t.Errorf("when it has caught up: got %v", err)
	}
}

// TestClock_AfterAStart: the newest time is in the store, not in memory alone.
func TestClock_AfterAStart(t *testing.T) {
	t.Parallel()
	r := newRig(t, "all")
	r.accept(user("1", "Ali", "", ""))
	r.pass(-time.Hour)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.intake.Run(ctx) }()
	for err := error(nil); !errors.Is(err, enroll.ErrClock); { // until it has read the store
		_, err = r.intake.Seen(t.Context(), "T1", enroll.Sighting{})
		if t.Context().Err() != nil {
			t.Fatal("never refused")
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func (r *rig) alarms() []string {
	r.t.Helper()
	d, err := r.db.Device(r.t.Context(), "T1")
	if err != nil {
		r.t.Fatal(err)
	}
	var list []string
	for _, a := range d.Alarms {
		list = append(list, a.What)
	}
	return list
}

// TestTwoAddresses: two source addresses active within 10 minutes for one serial number
// raise an alarm, not for devices marked roaming.
func TestTwoAddresses(t *testing.T) {
	t.Parallel()
	r := newRig(t, "all")
	call := func(address string) {
		t.Helper()
		if _, err := r.intake.Seen(t.Context(), "T1", enroll.Sighting{Address: address}); err != nil {
			t.Fatal(err)
		}
	}
	call("192.0.2.1")
	call("192.0.2.1")
	r.pass(11 * time.Minute)
	call("192.0.2.2") // it moved
	if got := r.alarms(); len(got) != 0 {
		t.Errorf("got alarms %v after a move", got)
	}
	r.pass(time.Minute)
	for range 3 {
		call("192.0.2.1")
		call("192.0.2.2")
	}
	if got := r.alarms(); !slices.Equal(got, []string{"two-addresses"}) {
		t.Errorf("got alarms %v, want one", got)
	}
}

// TestComparisons: access control terminals are asked for all users as often as was
// chosen, others never.
func TestComparisons(t *testing.T) {
	t.Parallel()
	r := newRig(t, "all")
	r.drain()
	if _, err := r.db.SetDevice(t.Context(), "T1", func(d *enroll.Device) error {
		d.Compare = 24 * time.Hour
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	r.drain()
	ask := func() []enroll.Order {
		t.Helper()
		if err := r.db.OrderComparisons(t.Context()); err != nil {
			t.Fatal(err)
		}
		var list []enroll.Order
		for o, ok := r.handOut(); ok; o, ok = r.handOut() {
			list = append(list, o)
			r.answer(o.ID, 0)
		}
		return list
	}
	if got := ask(); len(got) != 0 {
		t.Errorf("an attendance terminal: got %v", got)
	}
	if err := r.db.Saw(t.Context(), map[enroll.Serial]enroll.Sighting{"T1": {SeenAt: r.clock(), Family: enroll.Access}}); err != nil {
		t.Fatal(err)
	}
	if got := ask(); len(got) != 1 || !got[0].Compare || got[0].What != enroll.QueryUsers {
		t.Errorf("got %v, want a comparison", got)
	}
	r.pass(23 * time.Hour)
	if got := ask(); len(got) != 0 {
		t.Errorf("before its time: got %v", got)
	}
	r.pass(time.Hour)
	if got := ask(); len(got) != 1 {
		t.Errorf("a day later: got %v, want a comparison", got)
	}
}

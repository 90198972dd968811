package intake_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
	"github.com/fingerpost/fingerpost/internal/intake"
)

// inBubble runs a test in virtual time, on a rig whose intake runs.
func inBubble(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRigOf(t, &rig{bubble: true, settle: 5 * time.Second}, "all")
		r.drain()
		stop := r.run(t)
		test(t, r)
		stop()
	})
}

// run runs the intake until the function returned is called.
func (r *rig) run(t *testing.T) func() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	in := r.intake
	go func() { done <- in.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// wait lets virtual time pass, and everything happen that it brings.
func wait(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestRun(t *testing.T) {
	t.Parallel()
	t.Run("a draft closes when it is due, without a word of the device", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, r *rig) {
			same(t, "at once", r.accept(user("1", "Ali", "", "")))
			wait(4 * time.Second)
			same(t, "after 4 s", r.changes())
			wait(time.Second + 10*time.Millisecond)
			same(t, "after 5 s", r.changes(), `user 1 "Ali"`)
		})
	})
	t.Run("a draft closes when it is due after a start", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			r := newRigOf(t, &rig{bubble: true, settle: 5 * time.Second}, "all")
			r.drain()
			r.accept(user("1", "Ali", "", "")) // and here it dies
			var err error
			if r.intake, err = intake.New(intake.Config{Store: r.db, Hash: r.box.Hash}); err != nil {
				t.Fatal(err)
			}
			stop := r.run(t)
			defer stop()
			wait(5*time.Second + 10*time.Millisecond)
			same(t, "after 5 s", r.changes(), `user 1 "Ali"`)
		})
	})
	t.Run("a draft behind one that waits is no reason to look again and again", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, r *rig) {
			same(t, "a finger of an unknown user", r.accept(finger("1", "6", "F")))
			same(t, "another user", r.accept(user("2", "Bo", "", "")))
			before := r.looks.Load()
			wait(14 * time.Second) // the first waits 15 s, the other would 5
			if n := r.looks.Load() - before; n > 5 {
				t.Errorf("looked %d times", n)
			}
			wait(2 * time.Second)
			same(t, "in the end", r.changes(), `fingerprint 1 "" fingerprint[6]=F`, `user 2 "Bo"`)
		})
	})
	t.Run("a line without its record has the device asked by itself", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, r *rig) {
			r.accept(oplog("1", 5, enroll.Password))
			wait(enroll.DataWait + 10*time.Millisecond)
			if o, ok := r.handOut(); !ok || o.What != enroll.QueryUser || o.UserID != "1" {
				t.Errorf("got %+v, %v", o, ok)
			}
		})
	})
	t.Run("a sighting is in the store after 30 s", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, r *rig) {
			if _, err := r.intake.Seen(t.Context(), "T1", enroll.Sighting{Firmware: "Ver 9"}); err != nil {
				t.Fatal(err)
			}
			wait(31 * time.Second)
			if d, err := r.db.Device(t.Context(), "T1"); err != nil || d.Firmware != "Ver 9" {
				t.Errorf("got %q, %v", d.Firmware, err)
			}
		})
	})
	t.Run("a device that was told another offset shakes hands again", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, r *rig) {
			told := func(offset time.Duration) {
				t.Helper()
				if _, err := r.intake.Seen(t.Context(), "T1", enroll.Sighting{ToldAt: time.Now(), ToldOffset: offset}); err != nil {
					t.Fatal(err)
				}
			}
			told(5*time.Hour + 30*time.Minute) // as in Asia/Kolkata
			wait(40 * time.Minute)
			if o, ok := r.handOut(); ok {
				t.Errorf("got %+v although nothing moved", o)
			}
			told(5 * time.Hour)
			wait(25 * time.Minute) // looked at every ten, spread over ten
			if o, ok := r.handOut(); !ok || o.What != enroll.ReloadOptions {
				t.Errorf("got %+v, %v, want ReloadOptions", o, ok)
			}
		})
	})
}

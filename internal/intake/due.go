package intake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

const (
	// closeAtOnce is how many devices' drafts are closed beside each other, so that
	// they share commits.
	closeAtOnce = 64
	// idleLook is how often drafts are looked at when none is due.
	idleLook = time.Minute
	// closeAgain is the wait after the store could not close drafts.
	closeAgain = time.Second
)

// load takes over what the store holds from before the start.
func (in *Intake) load(ctx context.Context) error {
	due, err := in.cfg.Store.Due(ctx)
	if err != nil {
		return fmt.Errorf("starting intake: %w", err)
	}
	ordered, err := in.cfg.Store.Ordered(ctx)
	if err != nil {
		return fmt.Errorf("starting intake: %w", err)
	}
	newest, err := in.cfg.Store.Newest(ctx)
	if err != nil {
		return fmt.Errorf("starting intake: %w", err)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if newest.After(in.newest) {
		in.newest = newest
	}
	for serial, at := range due {
		if _, newer := in.due[serial]; !newer { // an upload that came before the load knows better
			in.due[serial] = at
		}
	}
	for _, serial := range ordered {
		in.ordered[serial] = true
	}
	return nil
}

// closeDue closes the drafts that are due, and returns how long to wait for the next.
func (in *Intake) closeDue(ctx context.Context) time.Duration {
	now := in.cfg.Now()
	var group errgroup.Group
	group.SetLimit(closeAtOnce)
	for _, serial := range in.takeDue(now) {
		group.Go(func() error {
			err := in.decide(ctx, serial, hashedUpload{})
			if errors.Is(err, enroll.ErrUnknownDevice) {
				return nil // removed or replaced since: it has no drafts
			}
			if err != nil {
				in.lookAt(serial, now.Add(closeAgain))
			}
			return err
		})
	}
	if err := group.Wait(); err != nil && ctx.Err() == nil {
		in.cfg.Log.Error("closing drafts", "err", err)
	}
	return in.untilDue()
}

// takeDue returns the devices that are due at now, and forgets them.
func (in *Intake) takeDue(now time.Time) []enroll.Serial {
	in.mu.Lock()
	defer in.mu.Unlock()
	var list []enroll.Serial
	for serial, at := range in.due {
		if !at.After(now) {
			list = append(list, serial)
			delete(in.due, serial)
		}
	}
	return list
}

func (in *Intake) untilDue() time.Duration {
	in.mu.Lock()
	defer in.mu.Unlock()
	wait, now := idleLook, in.cfg.Now()
	for _, at := range in.due {
		wait = min(wait, max(at.Sub(now), time.Millisecond))
	}
	return wait
}

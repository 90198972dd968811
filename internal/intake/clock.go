package intake

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

const (
	// clockSlack is how much earlier than before our clock may be.
	clockSlack = 5 * time.Second
	// lookAtZones is how often offsets of zones are looked at, and over which time the
	// devices of a zone that moved are spread.
	lookAtZones = 10 * time.Minute
)

// checkClock reports whether our clock has been set back: then devices, which set their
// clocks from ours, get no answer until it has caught up.
func (in *Intake) checkClock(now time.Time) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if behind := in.newest.Sub(now); behind > clockSlack {
		return fmt.Errorf("%w: it is %v behind what the store has; set it right", enroll.ErrClock, behind.Round(time.Second))
	}
	if now.After(in.newest) {
		in.newest = now
	}
	return nil
}

// lookAtZones has devices whose zone has another offset than they were told, since
// summer time began or ended, ask for their init block again, spread over minutes.
func (in *Intake) lookAtZones(ctx context.Context) {
	now := in.cfg.Now()
	moved, err := in.cfg.Store.Moved(ctx, now)
	if err != nil {
		if ctx.Err() == nil {
			in.cfg.Log.Error("looking at offsets of zones", "err", err)
		}
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, serial := range moved {
		at := now.Add(rand.N(lookAtZones))
		if due, ok := in.due[serial]; !ok || at.Before(due) {
			in.due[serial] = at
		}
	}
	if len(moved) > 0 {
		select {
		case in.rouse <- struct{}{}:
		default:
		}
	}
}

// tellZone orders a new handshake if the device was told another offset than is in
// force. It looks only when nothing else is to do, so that devices are spread.
func (d *decision) tellZone() {
	dev := d.known.Device
	asked := d.known.Order != nil && d.known.Order.What == enroll.ReloadOptions
	if dev.ToldAt.IsZero() || len(d.upload.Reports) > 0 || asked {
		return
	}
	zone, err := enroll.ParseZone(dev.TimeZone)
	if err != nil {
		return // checked when it was set
	}
	if _, offset := d.known.At.In(zone).Zone(); time.Duration(offset)*time.Second != dev.ToldOffset {
		d.follows.Orders = append(d.follows.Orders, enroll.Order{What: enroll.ReloadOptions})
	}
}

// twoAddresses is within which time two source addresses of one serial number are odd:
// the number is printed on the case, and proves nothing.
const twoAddresses = 10 * time.Minute

// checkAddress raises an alarm when a device that does not roam calls from another
// address than minutes ago: somebody may use its serial number.
func (in *Intake) checkAddress(ctx context.Context, d enroll.Device, before, now enroll.Sighting) error {
	if d.Roaming || before.Address == "" || now.Address == "" || before.Address == now.Address ||
		now.SeenAt.Sub(before.SeenAt) > twoAddresses {
		return nil
	}
	in.mu.Lock()
	told, ok := in.twice[d.Serial]
	again := ok && now.SeenAt.Sub(told) < twoAddresses
	if !again {
		in.twice[d.Serial] = now.SeenAt
	}
	in.mu.Unlock()
	if again {
		return nil
	}
	alarm := enroll.Alarm{What: "two-addresses", Text: fmt.Sprintf("%s called from %s and, within ten minutes, from %s: "+
		"another terminal may use its serial number. If it moves about: fingerpost device set %s --roaming",
		d.Serial, before.Address, now.Address, d.Serial)}
	return in.cfg.Store.Accept(ctx, d.Serial, "", enroll.Needs{}, func(enroll.Known) (enroll.Follows, error) {
		return enroll.Follows{Alarms: []enroll.Alarm{alarm}}, nil
	})
}

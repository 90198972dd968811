// Package load puts a gateway under load and measures it: terminals on the one side, a
// sink for callbacks on the other, both in this process and on loopback.
//
// # What it promises
//
//   - Speed is counted at the sink, and only as long as nothing is wrong: every change
//     that a terminal was acknowledged arrives exactly once, in the order of its device,
//     one callback of a lane at a time. [Fleet.Close] names what was not so.
//   - A latency is that of an upload: from its first byte to the last byte of the device
//     ack. At an offered rate it counts from when the upload was due, if the connection
//     was not free then, so that a slow answer is not hidden by sending less.
//   - Everything is bounded in time and ends with its context.
//   - The terminals cost little beside what they measure: their requests are written
//     before the start, and only a few digits of them change.
//
// The goroutines carry the profiler label "part" (bare, sink, terminals), so that one CPU
// profile of the process tells what each of them costs.
package load

import (
	"context"
	"errors"
	"fmt"
	"runtime/pprof"
	"time"

	"github.com/fingerpost/fingerpost/internal/admin"
)

// A Case is a kind of load. All fields are required.
type Case struct {
	Devices     int // each with an endpoint of its own
	Connections int // of terminals, kept alive; each serves its share of the devices
	Template    int // characters of a fingerprint template, base64; a multiple of 4
}

// CaseB is the common one: 2 KB fingerprint records of 100 devices.
func CaseB() Case { return Case{Devices: 100, Connections: 32, Template: 2000} }

func (c Case) check() error {
	if c.Devices < 1 || c.Connections < 1 || c.Connections > c.Devices || c.Template%4 != 0 || c.Template < minTemplate {
		return fmt.Errorf("load %+v: want 1 device or more, no more connections than devices, and templates of at least %d characters, a multiple of 4", c, minTemplate)
	}
	return nil
}

// A Gateway is what is put under load.
type Gateway struct {
	DeviceAddress string // host:port where terminals call
	Admin         *admin.Client
	PID           int // 0: it runs in this process, and cannot be measured alone
}

// A Fleet is the devices of a case with their endpoints, known to a gateway that had
// none of them before.
type Fleet struct {
	gateway Gateway
	sink    *Sink
	shares  [][]*device // by connection
	devices []*device
}

// NewFleet adds the devices and endpoints of a case to a gateway, and opens the sink
// that all endpoints lead to.
func NewFleet(ctx context.Context, g Gateway, c Case) (*Fleet, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	var sink *Sink
	var err error
	as("sink", func() { sink, err = NewSink(ctx, c.Devices) })
	if err != nil {
		return nil, err
	}
	f := &Fleet{gateway: g, sink: sink, shares: make([][]*device, c.Connections)}
	for i := range c.Devices {
		if err := f.add(ctx, i, c); err != nil {
			return nil, errors.Join(err, sink.Close())
		}
	}
	return f, nil
}

// add has the gateway know device i and its endpoint.
func (f *Fleet) add(ctx context.Context, i int, c Case) error {
	name, serial := fmt.Sprintf("bench-%d", i), serialOf(i)
	if _, err := f.gateway.Admin.AddEndpoint(ctx, admin.NewEndpoint{Name: name, URL: f.sink.URL(i)}); err != nil {
		return fmt.Errorf("adding endpoint %q: %w", name, err)
	}
	if _, err := f.gateway.Admin.AddDevice(ctx, admin.NewDevice{Serial: serial, StgID: name,
		TimeZone: "Asia/Kolkata", Endpoints: []string{name}, Settle: "0s"}); err != nil {
		return fmt.Errorf("adding device %q: %w", serial, err)
	}
	f.share(newDevice(i, f.gateway.DeviceAddress, c.Template))
	return nil
}

// share gives the next device to the connection whose turn it is.
func (f *Fleet) share(d *device) {
	turn := len(f.devices) % len(f.shares)
	f.devices = append(f.devices, d)
	f.shares[turn] = append(f.shares[turn], d)
}

// A Flood is what came of as much load as the connections can make.
type Flood struct {
	Changes   int64
	Took      time.Duration   // from the first upload to the arrival of the last callback
	Acks      []time.Duration // latency of each upload, ascending
	Gateway   time.Duration   // CPU of the gateway's process meanwhile; 0 if it has none of its own
	Generator time.Duration   // CPU of this process meanwhile
	Peak      int64           // memory of the gateway's process at its highest, in bytes; 0 as above
}

// drainWait bounds how long callbacks may come after the last upload.
const drainWait = 30 * time.Second

// Flood uploads for d on all connections, each one as soon as the last is acknowledged
// and at least one, and waits until everything has arrived.
func (f *Fleet) Flood(ctx context.Context, d time.Duration) (Flood, error) {
	before, err := f.usage()
	if err != nil {
		return Flood{}, err
	}
	start := time.Now()
	acks, err := f.each(ctx, d, func(ctx context.Context, c *connection, share int) ([]time.Duration, error) {
		var took []time.Duration
		for i := 0; ; i++ {
			begun := time.Now()
			if i > 0 && begun.Sub(start) >= d {
				return took, nil
			}
			if err := c.upload(f.shares[share][i%len(f.shares[share])]); err != nil {
				return took, err
			}
			took = append(took, time.Since(begun))
		}
	})
	if err != nil {
		return Flood{}, err
	}
	last, err := f.drained(ctx)
	if err != nil {
		return Flood{}, err
	}
	after, err := f.usage()
	if err != nil {
		return Flood{}, err
	}
	return Flood{Changes: int64(len(acks)), Took: last.Sub(start), Acks: acks,
		Gateway: after.gateway.CPU - before.gateway.CPU, Generator: after.own.CPU - before.own.CPU, Peak: after.gateway.Peak}, nil
}

// Paced uploads perSecond changes a second for d, one device after the other, and waits
// until everything has arrived. It returns the latency of each upload, ascending.
func (f *Fleet) Paced(ctx context.Context, perSecond int, d time.Duration) ([]time.Duration, error) {
	total := int(d.Seconds() * float64(perSecond))
	start := time.Now()
	acks, err := f.each(ctx, d, func(ctx context.Context, c *connection, share int) ([]time.Duration, error) {
		var took []time.Duration
		for i := range total {
			device := i % len(f.devices)
			if device%len(f.shares) != share {
				continue
			}
			due := start.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
			begun, err := waitUntil(ctx, due)
			if err != nil {
				return took, err
			}
			if err := c.upload(f.devices[device]); err != nil {
				return took, err
			}
			took = append(took, time.Since(begun))
		}
		return took, nil
	})
	if err != nil {
		return nil, err
	}
	_, err = f.drained(ctx)
	return acks, err
}

// waitUntil returns when due has come, with the time from which to count: due itself if
// that was past already, else the moment in which it woke up.
func waitUntil(ctx context.Context, due time.Time) (time.Time, error) {
	wait := time.Until(due)
	if wait <= 0 {
		return due, nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return time.Now(), nil
	case <-ctx.Done():
		return due, ctx.Err()
	}
}

// usages are those of the gateway and of this process.
type usages struct{ gateway, own Usage }

func (f *Fleet) usage() (usages, error) {
	var u usages
	if f.gateway.PID == 0 {
		return u, nil
	}
	var err error
	if u.gateway, err = UsageOf(f.gateway.PID); err != nil {
		return u, err
	}
	u.own, err = UsageOf(selfPID())
	return u, err
}

// drained waits until every change that was acknowledged has arrived, and returns when
// the last one came.
func (f *Fleet) drained(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, drainWait)
	defer cancel()
	var sent int64
	for _, d := range f.devices {
		sent += d.sent
	}
	return f.sink.wait(ctx, sent)
}

// Close ends the fleet. Its error names what the sink saw that should not be. Stop the
// gateway before: a repeat may come late.
func (f *Fleet) Close() error { return f.sink.Close() }

// as runs a function, and all that it starts, under a label of the profiler.
func as(part string, run func()) {
	pprof.Do(context.Background(), pprof.Labels("part", part), func(context.Context) { run() })
}

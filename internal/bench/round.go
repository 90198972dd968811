package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/fingerpost/fingerpost/internal/bench/load"
)

// bareBytes is the body of the bare loop: that of a callback with a template of case B.
const bareBytes = 2 << 10

// A round is what one run measured.
type round struct {
	syncs      float64 // appends of 4 KB with fdatasync, per second
	sequential float64 // bare loop on one connection, requests per second
	bare       float64 // bare loop on all connections, requests per second
	flood      load.Flood
	paced      []time.Duration // latencies, ascending
}

// delivered returns changes committed and delivered per second.
func (r round) delivered() float64 { return float64(r.flood.Changes) / r.flood.Took.Seconds() }

// perChange returns the milliseconds of a CPU time that one change takes.
func (r round) perChange(cpu time.Duration) float64 {
	return cpu.Seconds() * 1000 / float64(r.flood.Changes)
}

// measure measures everything once, with a new gateway on a new store in dir.
func measure(ctx context.Context, o options, dir string) (round, error) {
	var r round
	if err := os.Mkdir(dir, 0o700); err != nil {
		return r, fmt.Errorf("making the directory of a run: %w", err)
	}
	var err error
	if r.syncs, err = load.Syncs(dir, o.diskTest); err != nil {
		return r, err
	}
	if r.sequential, err = load.Bare(ctx, 1, bareBytes, o.bare); err != nil {
		return r, err
	}
	if r.bare, err = load.Bare(ctx, o.load.Connections, bareBytes, o.bare); err != nil {
		return r, err
	}
	gateway, stop, err := start(ctx, o, dir)
	if err != nil {
		return r, err
	}
	fleet, err := load.NewFleet(ctx, gateway, o.load)
	if err != nil {
		return r, errors.Join(err, stop())
	}
	if r.flood, err = fleet.Flood(ctx, o.flood); err == nil {
		r.paced, err = fleet.Paced(ctx, o.offered, o.paced)
	}
	// The sink is closed last: what the gateway sends to its end is counted.
	err = errors.Join(err, stop())
	return r, errors.Join(err, fleet.Close())
}

// start starts a gateway, in its own process or in this one, and returns what ends it.
func start(ctx context.Context, o options, dir string) (load.Gateway, func() error, error) {
	if o.inProcess {
		return startInProcess(ctx, dir)
	}
	p, err := load.Start(ctx, o.program, dir)
	if err != nil {
		return load.Gateway{}, nil, err
	}
	return p.Gateway, p.Stop, nil
}

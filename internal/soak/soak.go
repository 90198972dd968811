package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fingerpost/fingerpost/internal/admin"
	"github.com/fingerpost/fingerpost/internal/fake/endpoint"
	"github.com/fingerpost/fingerpost/internal/fake/terminal"
)

const (
	endpointName = "soak"
	users        = 12               // of each terminal
	finishWait   = 2 * time.Minute  // for the last actions of the terminals
	drainWait    = 90 * time.Second // for the last callbacks: settle times and questions to terminals
)

// A receiver acknowledges everything, and knows what it was told.
type receiver struct {
	mu      sync.Mutex // guards what follows
	ledger  endpoint.Ledger
	picture endpoint.Picture
	came    int
	wrong   int // neither parsed nor of a right signature
}

func (r *receiver) take(c endpoint.Received) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.came++
	if c.ParseErr != nil || c.TokenErr != nil || c.SignatureErr != nil {
		r.wrong++
	}
	r.ledger.Add(c)
	r.picture.Add(c)
}

// A fleet is all terminals, and what they did.
type fleet struct {
	terminals []*terminal.Terminal
	changes   atomic.Int64
	waits     atomic.Int64 // uploads that were not acknowledged at once
	working   atomic.Int64
}

// soak sets up, lets the terminals live, and returns what came of it.
func soak(ctx context.Context, o options, gateway *process) (result, error) {
	r := &receiver{}
	stopReceiver, err := r.serve(ctx, gateway.client)
	if err != nil {
		return result{}, err
	}
	f, err := newFleet(ctx, o, gateway)
	if err != nil {
		return result{}, errors.Join(err, stopReceiver())
	}
	live, stopTerminals := context.WithCancel(ctx)
	var group sync.WaitGroup
	errs := make([]error, len(f.terminals))
	for i, config := range f.configs(o, gateway.url) {
		group.Go(func() { errs[i] = f.live(live, config, time.Duration(i)*stagger(o)/time.Duration(o.terminals)) })
	}
	samples, err := f.await(ctx, o, gateway)
	outcome := result{samples: samples}
	if err == nil {
		err = f.drain(ctx, r, gateway.client, &outcome)
	}
	stopTerminals()
	group.Wait()
	if err := errors.Join(append(errs, err, stopReceiver())...); err != nil {
		return outcome, err
	}
	outcome.changes, outcome.waits = f.changes.Load(), f.waits.Load()
	outcome.callbacks, outcome.repeats, outcome.breaches = r.came, r.ledger.Repeats(), r.ledger.Breaches()
	outcome.wrong = r.wrong
	return outcome, nil
}

// serve makes the receiver the one endpoint of the gateway.
func (r *receiver) serve(ctx context.Context, client *admin.Client) (func() error, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("opening a port for the receiver: %w", err)
	}
	added, err := client.AddEndpoint(ctx, admin.NewEndpoint{Name: endpointName, URL: "http://" + listener.Addr().String() + "/callback",
		Kinds: []string{"updates", "user-deleted", "punches"}})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("adding the endpoint: %w", err), listener.Close())
	}
	handler, err := endpoint.New(endpoint.Config{AuthToken: added.AuthToken, Secret: added.Secret, Discard: true, OnCallback: r.take})
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	server := &http.Server{Handler: handler}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	return func() error {
		err := server.Close()
		if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
			err = errors.Join(err, ended)
		}
		return err
	}, nil
}

// serial is the serial number, and the stgid, of terminal i.
func serial(i int) string { return fmt.Sprintf("SOAK%06d", i) }

// newFleet adds the devices.
func newFleet(ctx context.Context, o options, gateway *process) (*fleet, error) {
	zones := []string{"Asia/Kolkata", "Europe/Berlin", "America/Sao_Paulo", "UTC"}
	for i := range o.terminals {
		if _, err := gateway.client.AddDevice(ctx, admin.NewDevice{Serial: serial(i), StgID: serial(i), TimeZone: zones[i%len(zones)],
			Endpoints: []string{endpointName}, Settle: o.settle.String()}); err != nil {
			return nil, fmt.Errorf("adding a device: %w", err)
		}
	}
	f := &fleet{terminals: make([]*terminal.Terminal, o.terminals)}
	f.working.Store(int64(o.terminals))
	return f, nil
}

// stagger is the time over which terminals begin.
func stagger(o options) time.Duration { return min(o.lasts/4, 10*time.Second) }

// configs say what each terminal is: every other one of PUSH 3.x, every fifth with
// near-infrared faces. They share one transport that opens a connection for each request.
func (f *fleet) configs(o options, url string) []terminal.SimulateConfig {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
	var all []terminal.SimulateConfig
	for i := range o.terminals {
		all = append(all, terminal.SimulateConfig{
			Config: terminal.Config{Gateway: url, Serial: serial(i), Protocol: 2 + i%2, Client: client, NearInfrared: i%5 == 0,
				Retry: 500 * time.Millisecond, Pause: 2 * time.Second, Seed: o.seed, PhotoWidth: 24, PhotoHeight: 32,
				OnWait: func(error) { f.waits.Add(1) }},
			Rate: o.rate / float64(o.terminals),
			For:  o.lasts - stagger(o),
			Draw: terminal.Choice{Users: users},
			Stay: true, // to answer what the gateway asks
			Started: func(t *terminal.Terminal) {
				f.terminals[i] = t
			},
			Progress: func(p terminal.Progress) {
				switch p.State {
				case terminal.Changed:
					f.changes.Add(1)
				case terminal.Finished:
					f.working.Add(-1)
				}
			},
		})
	}
	return all
}

// live simulates one terminal after a while, until ctx ends.
func (f *fleet) live(ctx context.Context, c terminal.SimulateConfig, after time.Duration) error {
	timer := time.NewTimer(after)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return nil
	}
	if err := terminal.Simulate(ctx, c); err != nil && ctx.Err() == nil {
		return fmt.Errorf("terminal %s: %w", c.Serial, err)
	}
	return nil
}

// await returns when all terminals have made their changes, with samples of the
// gateway's memory.
func (f *fleet) await(ctx context.Context, o options, gateway *process) ([]int, error) {
	ctx, cancel := context.WithTimeout(ctx, o.lasts+finishWait)
	defer cancel()
	tick := time.NewTicker(max(o.lasts/120, 100*time.Millisecond))
	defer tick.Stop()
	var samples []int
	for f.working.Load() > 0 {
		select {
		case <-tick.C:
			samples = append(samples, residentKB(gateway.cmd.Process.Pid))
		case <-gateway.ended:
			return samples, errors.New("the gateway ended by itself")
		case <-ctx.Done():
			return samples, fmt.Errorf("%d terminals have not finished: %w", f.working.Load(), ctx.Err())
		}
	}
	return samples, nil
}

// drain returns when the receiver knows what the terminals hold, or when the time for
// that is over; what is missing then is lost.
func (f *fleet) drain(ctx context.Context, r *receiver, client *admin.Client, outcome *result) error {
	truth := make([]map[string]map[string]string, len(f.terminals))
	for i, t := range f.terminals {
		truth[i] = t.State()
		for _, facts := range truth[i] {
			outcome.facts += len(facts)
		}
		outcome.users += len(truth[i])
		outcome.punches += t.Punches()
	}
	deadline := time.Now().Add(drainWait)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		e, err := client.Endpoint(ctx, endpointName)
		if err != nil {
			return fmt.Errorf("asking how much waits: %w", err)
		}
		outcome.lost = f.compare(r, truth)
		if over := time.Now().After(deadline); e.Waiting == 0 && len(outcome.lost) == 0 || over {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// compare returns what differs between what the receiver knows and what is true. With
// the choice of the endpoint not to hear of faces that have a picture, templates of faces
// are not compared.
func (f *fleet) compare(r *receiver, truth []map[string]map[string]string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []string
	for i, t := range f.terminals {
		name := t.Serial()
		for _, line := range endpoint.Diff(r.picture.Users(name), truth[i], func(fact string) bool { return strings.HasPrefix(fact, "face/") }) {
			found = append(found, name+": "+line)
		}
		if got, want := r.picture.Punches(name), t.Punches(); got != want {
			found = append(found, fmt.Sprintf("%s: %d punches came of %d", name, got, want))
		}
	}
	return found
}

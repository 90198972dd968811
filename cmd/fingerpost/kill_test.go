package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fingerpost/fingerpost/callback"
	"github.com/fingerpost/fingerpost/internal/admin"
	"github.com/fingerpost/fingerpost/internal/fake/endpoint"
	"github.com/fingerpost/fingerpost/internal/fake/terminal"
)

var (
	killChanges = flag.Int("kill.changes", 5000, "changes that terminals push while the gateway is killed")
	killKills   = flag.Int("kill.kills", 20, "how often the gateway is killed")
	killSeed    = flag.Uint64("kill.seed", 0, "seed of the moments; 0 draws one")
)

const (
	killDevices     = 8
	killConnections = 2 // of each device
	killEndpoint    = "receiver"
	killTimeout     = 4 * time.Minute
)

// Contract point 1: killed at any moment, Fingerpost loses nothing that it acknowledged
// to a device. Points 2, 3, 8 and 9: it tells it in order, and repeats are the same.
func TestKill(t *testing.T) {
	t.Parallel()
	seed := *killSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("again with: go test ./cmd/fingerpost -run TestKill -kill.seed=%d", seed)
	ctx, cancel := context.WithTimeout(t.Context(), killTimeout)
	defer cancel()
	k := newKilling(t, rand.New(rand.NewPCG(seed, 0)))

	// Terminals push until all is acknowledged, whatever happens to the gateway.
	pushing := make(chan error, 1)
	go func() { pushing <- k.push(ctx) }()
	k.killOften(t, ctx, pushing)
	if err := <-pushing; err != nil {
		t.Fatalf("pushing: %v\n%s", err, &k.gateway.output)
	}
	if err := awaitNothingWaits(ctx, k.gateway.client(t), killEndpoint); err != nil {
		t.Fatal(err)
	}
	k.gateway.stop(t)

	received := k.receiver.Received()
	var ledger endpoint.Ledger
	for _, r := range received {
		ledger.Add(r)
	}
	for _, breach := range ledger.Breaches() {
		t.Error(breach)
	}
	k.checkDeliveries(t, received)
	t.Logf("%d changes, %d kills, %d uploads sent again, %d callbacks repeated", len(k.spans), *killKills, k.cut.Load(), ledger.Repeats())
}

// A killing is one run of the kill test.
type killing struct {
	binary, dir, address string
	random               *rand.Rand
	moments              moments // acks that terminals got and callbacks that came
	receiver             *endpoint.Endpoint
	terminals            []*terminal.Terminal
	gateway              *process

	clock atomic.Int64 // orders beginnings and acks of uploads
	cut   atomic.Int64 // uploads without an answer

	mu    sync.Mutex
	spans map[fact]span
}

// A fact is one change: the tests make each of them once.
type fact struct {
	serial, pin string
	what        callback.Type
	index       string
}

// A span is when the upload of a fact was begun and when it was acknowledged.
type span struct{ begun, acked int64 }

func newKilling(t *testing.T, random *rand.Rand) *killing {
	t.Helper()
	if *killKills < 1 || *killChanges < 20**killKills {
		t.Fatalf("%d kills in %d changes: want at least one, and at least 20 changes for each", *killKills, *killChanges)
	}
	k := &killing{binary: buildBinary(t), dir: t.TempDir(), random: random, spans: make(map[fact]span)}
	var err error
	for range 5 { // another program may take the port before the gateway does
		k.address = devicePort(t, random.IntN)
		k.gateway, err = startProcess(t, k.dir, append([]string{k.binary}, serveArgs(k.dir, k.address)...)...)
		if err == nil || !strings.Contains(err.Error(), "the port is taken") {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if k.receiver, err = endpoint.New(endpoint.Config{OnCallback: func(endpoint.Received) { k.moments.add() }}); err != nil {
		t.Fatal(err)
	}
	client := k.gateway.client(t)
	if _, err := client.AddEndpoint(t.Context(), admin.NewEndpoint{Name: killEndpoint, URL: startReceiver(t, k.receiver)}); err != nil {
		t.Fatal(err)
	}
	for i := range killDevices {
		serial := fmt.Sprintf("KILL%04d", i)
		addDevice(t, client, serial, killEndpoint)
		device, err := terminal.New(terminal.Config{Gateway: "http://" + k.address, Serial: serial, KeepAlive: true,
			Retry: 10 * time.Millisecond, OnWait: func(error) { k.cut.Add(1) }, Seed: random.Uint64(), Habits: terminal.Polite()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(device.Close)
		k.terminals = append(k.terminals, device)
	}
	return k
}

// killChangesOfUser is what enrolling one user comes to: a password, a card, and three
// fingers. The first two come in one upload.
const (
	killChangesOfUser = 5
	killUploadsOfUser = 4
)

// push enrols users on all terminals, from several connections of each.
func (k *killing) push(ctx context.Context) error {
	users := (*killChanges + killChangesOfUser - 1) / killChangesOfUser
	workers := killDevices * killConnections
	group, ctx := errgroup.WithContext(ctx)
	for worker := range workers {
		device := k.terminals[worker%killDevices]
		group.Go(func() error {
			for user := worker; user < users; user += workers {
				if err := k.enrol(ctx, device, strconv.Itoa(1+user)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

func (k *killing) enrol(ctx context.Context, device *terminal.Terminal, pin string) error {
	of := func(what callback.Type, index string) fact { return fact{device.Serial(), pin, what, index} }
	err := k.upload(func() error {
		return device.AddUser(ctx, terminal.User{PIN: pin, Name: device.NewName(pin),
			Password: device.NewPassword(pin), Card: device.NewCard(pin)})
	}, of(callback.Password, ""), of(callback.Card, ""))
	for finger := 0; finger < killUploadsOfUser-1 && err == nil; finger++ {
		err = k.upload(func() error {
			return device.EnrollFinger(ctx, pin, finger)
		}, of(callback.Fingerprint, strconv.Itoa(finger)))
	}
	return err
}

// upload notes when the facts of one upload were begun and acknowledged.
func (k *killing) upload(push func() error, facts ...fact) error {
	s := span{begun: k.clock.Add(1)}
	if err := push(); err != nil {
		return err
	}
	s.acked = k.clock.Add(1)
	k.mu.Lock()
	for _, f := range facts {
		k.spans[f] = s
	}
	k.mu.Unlock()
	k.moments.add()
	return nil
}

// killOften kills the gateway at random moments and starts it again, each time after
// at least one ack or callback of the new one.
func (k *killing) killOften(t *testing.T, ctx context.Context, pushing chan error) {
	t.Helper()
	expected := *killChanges + *killChanges/killChangesOfUser*killUploadsOfUser // without repeats
	at := make([]int, *killKills)
	for i := range at {
		at[i] = 1 + k.random.IntN(expected*9/10)
	}
	slices.Sort(at)
	for i, moment := range at {
		select {
		case <-k.moments.reached(moment):
		case err := <-pushing:
			t.Fatalf("pushing ended after %d of %d kills: %v", i, len(at), err)
		case <-k.gateway.ended:
			t.Fatalf("the gateway ended by itself: %v\n%s", k.gateway.err, &k.gateway.output)
		case <-ctx.Done():
			t.Fatalf("%v after %d of %d kills:\n%s", ctx.Err(), i, len(at), &k.gateway.output)
		}
		k.gateway.kill()
		var err error
		if k.gateway, err = startProcess(t, k.dir, append([]string{k.binary}, serveArgs(k.dir, k.address)...)...); err != nil {
			t.Fatalf("starting again after kill %d: %v", i+1, err)
		}
	}
}

// checkDeliveries checks that each fact came once, with what the terminal holds, and
// that facts of a device came in the order in which they happened.
func (k *killing) checkDeliveries(t *testing.T, received []endpoint.Received) {
	t.Helper()
	order := make(map[string][]fact) // by serial number, by sequence
	latest := make(map[string]span)  // begun last of what came so far
	at := make(map[fact]int64)       // sequence
	content := make(map[fact]callback.Masked)
	for _, r := range received {
		f, data, err := factOf(r)
		if err != nil {
			t.Fatalf("callback %q: %v", r.OperationID, err)
		}
		if r.Sequence <= int64(len(order[f.serial])) {
			continue // a repeat; the ledger compares it
		}
		order[f.serial] = append(order[f.serial], f)
		if n, twice := at[f]; twice {
			t.Errorf("%v came at sequence %d and at %d, want it once", f, n, r.Sequence)
		}
		at[f], content[f] = r.Sequence, data
		s, known := k.spans[f]
		if !known {
			t.Errorf("%v came, and no terminal sent it", f)
		}
		if last := latest[f.serial]; s.acked < last.begun {
			t.Errorf("%v was acknowledged at %d and came after what was begun at %d, want it before", f, s.acked, last.begun)
		} else if s.begun > last.begun {
			latest[f.serial] = s
		}
	}
	lost := 0
	for f := range k.spans {
		if at[f] == 0 {
			lost++
			t.Errorf("%v was acknowledged and never came", f)
		}
	}
	if lost == 0 {
		k.checkContent(t, at, content)
	}
}

// checkContent holds what came against what the terminals hold.
func (k *killing) checkContent(t *testing.T, at map[fact]int64, content map[fact]callback.Masked) {
	t.Helper()
	for _, device := range k.terminals {
		for _, user := range device.Users() {
			of := func(what callback.Type, index string) fact { return fact{device.Serial(), user.PIN, what, index} }
			want := map[fact]string{of(callback.Password, ""): user.Password, of(callback.Card, ""): user.Card}
			for finger, template := range user.Fingers {
				want[of(callback.Fingerprint, strconv.Itoa(finger))] = template
			}
			for f, data := range want {
				if string(content[f]) != data {
					t.Errorf("%v: got other content than the terminal holds", f)
				}
			}
			if password, card := of(callback.Password, ""), of(callback.Card, ""); at[password] > at[card] {
				t.Errorf("%v came after %v, want it before", password, card)
			}
		}
	}
}

// factOf returns what a callback tells.
func factOf(r endpoint.Received) (fact, callback.Masked, error) {
	if r.ParseErr != nil {
		return fact{}, "", r.ParseErr
	}
	u := r.Callback.User
	if u == nil || len(u.Template) != 1 || u.FirstName == "" || r.Callback.OperationTime.IsZero() {
		return fact{}, "", fmt.Errorf("want a named user with one credential and the time of the operation")
	}
	return fact{r.StgID, u.UserID, u.Template[0].Type, u.Template[0].Index}, u.Template[0].Data, nil
}

// moments counts what happens, so that a kill can hit a busy one.
type moments struct {
	mu     sync.Mutex
	n      int
	wanted int           // 0: nobody waits
	hit    chan struct{} // closed when n reaches wanted
}

func (m *moments) add() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.n++; m.n == m.wanted {
		close(m.hit)
	}
}

// reached returns a channel that is closed at the n-th moment, or at the next one if
// that is over. One waits at a time.
func (m *moments) reached(n int) <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wanted, m.hit = max(n, m.n+1), make(chan struct{})
	return m.hit
}

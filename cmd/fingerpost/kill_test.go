package main

import (
	"context"
	"errors"
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
	killDelay       = 8 * time.Millisecond
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
	k := newKilling(t, rand.New(rand.NewPCG(seed, 0)))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Duration(*killChanges)*20*time.Millisecond)
	defer cancel()

	// Terminals push until all is acknowledged, whatever happens to the gateway.
	pushed := make(chan error, 1)
	go func() {
		err := k.push(ctx)
		if err != nil {
			cancel()
		}
		pushed <- err
	}()
	err := k.killOften(t, ctx)
	if err != nil {
		cancel()
	}
	if pushErr := <-pushed; pushErr != nil || err != nil {
		t.Fatalf("pushing: %v; killing: %v; the gateway's last words:\n%s", pushErr, err, &k.gateway.output)
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
	found := slices.Concat(k.faults(t, received), ledger.Breaches())
	if len(found) > 0 {
		t.Errorf("got %d faults, want none; the first of them:\n%s", len(found), strings.Join(found[:min(len(found), 20)], "\n"))
	}
	t.Logf("%d changes, %d kills, %d uploads sent again, %d callbacks repeated", len(k.spans), *killKills, k.cut.Load(), ledger.Repeats())
}

// A killing is one run of the kill test.
type killing struct {
	binary, dir, address string
	random               *rand.Rand
	acks                 counter // that terminals got
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
	if *killKills < 1 || *killChanges < 100**killKills {
		t.Fatalf("%d kills in %d changes: want at least one, and at least 100 changes for each", *killKills, *killChanges)
	}
	k := &killing{binary: buildBinary(t), dir: t.TempDir(), random: random, spans: make(map[fact]span)}
	var err error
	for range 5 { // another program may take the port before the gateway does
		k.address = devicePort(t, random.IntN)
		if err = k.start(t); err == nil || !strings.Contains(err.Error(), "the port is taken") {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	// The receiver is slower than the terminals, so that kills find a backlog too.
	if k.receiver, err = endpoint.New(endpoint.Config{Delay: killDelay}); err != nil {
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

func (k *killing) start(t *testing.T) error {
	t.Helper()
	var err error
	k.gateway, err = startProcess(t, k.dir, append([]string{k.binary}, serveArgs(k.dir, k.address)...)...)
	return err
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
	k.acks.add()
	return nil
}

// killOften kills the gateway at random moments and starts it again, each time after
// at least one ack of the new one. A moment is the n-th ack: other uploads and
// callbacks are under way then.
func (k *killing) killOften(t *testing.T, ctx context.Context) error {
	t.Helper()
	uploads := *killChanges / killChangesOfUser * killUploadsOfUser
	at := make([]int, *killKills)
	for i := range at {
		at[i] = 1 + k.random.IntN(uploads*8/10)
	}
	slices.Sort(at)
	for i, moment := range at {
		select {
		case <-k.acks.reached(moment):
		case <-k.gateway.ended:
			return fmt.Errorf("the gateway ended by itself after %d kills: %w", i, k.gateway.err)
		case <-ctx.Done():
			return fmt.Errorf("%w after %d kills", ctx.Err(), i)
		}
		k.gateway.kill()
		if err := k.start(t); err != nil {
			return fmt.Errorf("starting again after kill %d: %w", i+1, err)
		}
	}
	return nil
}

// faults checks that each fact came once, with what the terminal holds, and that facts
// of a device came in the order in which they happened. What was lost comes first.
func (k *killing) faults(t *testing.T, received []endpoint.Received) []string {
	t.Helper()
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	came := make(map[fact]callback.Callback)
	count := make(map[string]int64) // by serial number
	latest := make(map[string]span) // begun last of what came so far
	for _, r := range received {
		f, err := factOf(r)
		if err != nil {
			t.Fatalf("callback %q: %v", r.OperationID, err)
		}
		if r.Sequence <= count[f.serial] {
			continue // a repeat; the ledger compares it
		}
		count[f.serial]++
		if _, twice := came[f]; twice {
			fault("%v came at sequence %d, and at another one before, want it once", f, r.Sequence)
		}
		came[f] = r.Callback
		s, last := k.spans[f], latest[f.serial]
		if s.acked < last.begun {
			fault("%v came after what was begun when it was acknowledged, want it before", f)
		}
		if s.begun > last.begun {
			latest[f.serial] = s
		}
		if card := (fact{f.serial, f.pin, callback.Card, ""}); f.what == callback.Password && came[card].User != nil {
			fault("%v came after the card of its user, want it before", f)
		}
	}
	var lost []string
	for f := range k.spans {
		if _, found := came[f]; !found {
			lost = append(lost, fmt.Sprintf("%v was acknowledged and never came", f))
		}
	}
	return slices.Concat(lost, faults, k.wrongContent(came))
}

// wrongContent holds what came against what the terminals hold.
func (k *killing) wrongContent(came map[fact]callback.Callback) []string {
	held := make(map[fact]string)
	names := make(map[fact]string)
	for _, device := range k.terminals {
		for _, user := range device.Users() {
			hold := func(what callback.Type, index, data string) {
				f := fact{device.Serial(), user.PIN, what, index}
				held[f], names[f] = data, user.Name
			}
			hold(callback.Password, "", user.Password)
			hold(callback.Card, "", user.Card)
			for finger, template := range user.Fingers {
				hold(callback.Fingerprint, strconv.Itoa(finger), template)
			}
		}
	}
	var wrong []string
	for f, c := range came {
		data, known := held[f]
		switch {
		case !known:
			wrong = append(wrong, fmt.Sprintf("%v came, and no terminal has it", f))
		case string(c.User.Template[0].Data) != data:
			wrong = append(wrong, fmt.Sprintf("%v came with other content than the terminal holds", f))
		case c.User.FirstName != names[f] || c.OperationTime.IsZero():
			wrong = append(wrong, fmt.Sprintf("%v came without the user's name or the time of the operation", f))
		}
	}
	return wrong
}

// factOf returns what a callback tells.
func factOf(r endpoint.Received) (fact, error) {
	u := r.Callback.User
	if r.ParseErr != nil || u == nil || len(u.Template) != 1 {
		return fact{}, errors.New("want a user with one credential")
	}
	return fact{r.StgID, u.UserID, u.Template[0].Type, u.Template[0].Index}, nil
}

// A counter tells when it has counted so far.
type counter struct {
	mu     sync.Mutex
	n      int
	wanted int           // 0: nobody waits
	hit    chan struct{} // closed when n reaches wanted
}

func (c *counter) add() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n++; c.n == c.wanted {
		close(c.hit)
	}
}

// reached returns a channel that is closed when the counter is at n, or at the next
// count if it is beyond. One waits at a time.
func (c *counter) reached(n int) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wanted, c.hit = max(n, c.n+1), make(chan struct{})
	return c.hit
}

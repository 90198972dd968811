package deliver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fingerpost/fingerpost/callback"
	"github.com/fingerpost/fingerpost/internal/enroll"
	"github.com/fingerpost/fingerpost/internal/fake/endpoint"
	"github.com/fingerpost/fingerpost/internal/seal"
	"github.com/fingerpost/fingerpost/internal/store/sqlite"
)

// A stand is a gateway without its device side: a real store in a directory, a Sender,
// and endpoints that are played, all in the virtual time of one bubble.
type stand struct {
	*testing.T
	dir    string
	edit   func(*Config)
	db     *sqlite.DB
	sender *Sender

	stopStore func() error // ends the store's writer and closes it
	stopRun   func() error // stops the Sender and waits for it; nil unless it runs

	pins int // user ids given
	made int // devices

	mu    sync.Mutex
	dials map[string]endpoint.Dial // by host:port
	told  []enroll.Committed       // since the store was opened
}

// inBubble runs a test with an open store and a Sender that does not run yet. edit
// changes the Sender's Config, also of those that follow a restart; it may be nil.
func inBubble(t *testing.T, edit func(*Config), test func(s *stand)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &stand{T: t, dir: t.TempDir(), edit: edit, dials: make(map[string]endpoint.Dial)}
		s.open()
		t.Cleanup(s.stop)
		test(s)
	})
}

func (s *stand) open() {
	s.Helper()
	box := must(seal.OpenFile(filepath.Join(s.dir, "seal.key")))(s.T)
	s.db = must(sqlite.Open(context.Background(), sqlite.Config{Dir: s.dir, Box: box}))(s.T)
	cfg := Config{Store: s.db, Dial: s.dial, Version: "test"}
	if s.edit != nil {
		s.edit(&cfg)
	}
	s.sender = must(New(cfg))(s.T)
	s.told = nil
	s.db.Subscribe(func(c enroll.Committed) {
		s.mu.Lock()
		s.told = append(s.told, c)
		s.mu.Unlock()
		s.sender.Committed(c)
	})
	db := s.db
	stop := inBackground(db.Run)
	s.stopStore = func() error { return errors.Join(stop(), db.Close()) }
}

// deliver has the Sender run.
func (s *stand) deliver() { s.stopRun = inBackground(s.sender.Run) }

// inBackground starts run and returns what ends it and waits for it.
func inBackground(run func(context.Context) error) func() error {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	return func() error {
		cancel()
		return <-done
	}
}

// stopSender stops the Sender and reports how long that took.
func (s *stand) stopSender() time.Duration {
	s.Helper()
	begun := time.Now()
	if s.stopRun != nil {
		if err := s.stopRun(); err != nil {
			s.Error(err)
		}
		s.stopRun = nil
	}
	return time.Since(begun)
}

// stop ends Sender and store, as a clean stop of the gateway does.
func (s *stand) stop() {
	s.Helper()
	s.stopSender()
	if s.stopStore != nil {
		if err := s.stopStore(); err != nil {
			s.Error(err)
		}
		s.stopStore = nil
	}
}

// restart stops all, and opens the store again with a new Sender that runs.
func (s *stand) restart() {
	s.Helper()
	s.stop()
	s.open()
	s.deliver()
}

// dial reaches the endpoints that are played; nothing listens elsewhere.
func (s *stand) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	s.mu.Lock()
	dial, ok := s.dials[addr]
	s.mu.Unlock()
	if !ok {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	return dial(ctx, network, addr)
}

// serve plays an HTTP server, which ends after the Sender. It returns its URL.
func (s *stand) serve(h http.Handler) string {
	listener, dial := endpoint.NewPipe()
	server := &http.Server{Handler: h}
	s.mu.Lock()
	addr := fmt.Sprintf("127.0.0.1:%d", 9001+len(s.dials))
	s.dials[addr] = dial
	s.mu.Unlock()
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	s.Cleanup(func() {
		s.stopSender()
		if err := server.Close(); err != nil {
			s.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			s.Errorf("got %v, want the server closed", err)
		}
	})
	return "http://" + addr + "/hook?key=hidden"
}

const token = "token-of-the-endpoint"

// A hook is an endpoint of the store with the one that plays it.
type hook struct {
	*endpoint.Endpoint
	id   enroll.EndpointID
	name string
}

// hook adds an endpoint. edit changes its settings; it may be nil.
func (s *stand) hook(name string, edit func(*enroll.Endpoint)) *hook {
	s.Helper()
	secret := callback.NewSecret()
	fake := must(endpoint.New(endpoint.Config{AuthToken: token, Secret: secret}))(s.T)
	return &hook{Endpoint: fake, name: name, id: s.addEndpoint(name, s.serve(fake), func(e *enroll.Endpoint) {
		e.Secret = enroll.Secret(secret)
		if edit != nil {
			edit(e)
		}
	})}
}

func (s *stand) addEndpoint(name, url string, edit func(*enroll.Endpoint)) enroll.EndpointID {
	s.Helper()
	e := enroll.Endpoint{Name: name, URL: url, Dialect: "niya", Kinds: enroll.AllKinds, Ack: "status", Stop: "lane",
		UserIDs: "documented", Faces: "auto", AppendStgID: true, Timeout: enroll.DefaultTimeout,
		MaxInFlight: enroll.DefaultMaxInFlight, AuthToken: token}
	if edit != nil {
		edit(&e)
	}
	return must(s.db.AddEndpoint(context.Background(), e))(s.T).ID
}

// devices adds devices A, B, C … with stgids a, b, c … and returns their serial numbers.
func (s *stand) devices(n int) []enroll.Serial {
	s.Helper()
	var list []enroll.Serial
	for range n {
		serial := enroll.Serial(rune('A' + s.made))
		must(s.db.AddDevice(context.Background(), enroll.Device{Serial: serial, StgID: enroll.StgID(rune('a' + s.made)),
			TimeZone: "Asia/Kolkata", Direction: enroll.DirectionActual, Poll: enroll.DefaultPoll}))(s.T)
		s.made++
		list = append(list, serial)
	}
	return list
}

// change is a fingerprint of a user who is new, for endpoints.
func (s *stand) change(size int, to ...*hook) enroll.NewChange {
	s.pins++
	n := enroll.NewChange{Change: enroll.Change{Kinds: enroll.Fingerprint, UserID: enroll.PIN(fmt.Sprint(s.pins)),
		ReceivedAt: enroll.Millis(time.Now()), Content: enroll.Content{Serial: "A", TimeZone: "Asia/Kolkata", Name: "Asha",
			OperationTime: "2000-01-01 05:30:00",
			Templates:     []enroll.Template{{Kind: enroll.Fingerprint, Index: "6", Data: enroll.Data{Bytes: make([]byte, size)}}}}}}
	for _, h := range to {
		n.To = append(n.To, enroll.Recipient{Endpoint: h.id, Kinds: n.Kinds})
	}
	return n
}

// commit commits n changes of a device, in one transaction.
func (s *stand) commit(serial enroll.Serial, n int, to ...*hook) {
	s.Helper()
	changes := make([]enroll.NewChange, n)
	for i := range changes {
		changes[i] = s.change(600, to...)
	}
	s.accept(serial, changes...)
}

func (s *stand) accept(serial enroll.Serial, changes ...enroll.NewChange) {
	s.Helper()
	err := s.db.Accept(context.Background(), serial, "OPERLOG", enroll.Needs{}, func(enroll.Known) (enroll.Follows, error) {
		return enroll.Follows{Changes: changes}, nil
	})
	if err != nil {
		s.Fatal(err)
	}
}

// wait waits until a hook has got n callbacks in all and everything has come to rest.
func (s *stand) wait(h *hook, n int) {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*24*time.Hour)
	defer cancel()
	if err := h.Wait(ctx, n); err != nil {
		s.Fatal(err)
	}
	synctest.Wait()
}

// pass lets time pass, and everything come to rest.
func (s *stand) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// endpoint reads an endpoint from the store.
func (s *stand) endpoint(h *hook) enroll.EndpointStatus {
	s.Helper()
	return must(s.db.Endpoint(context.Background(), h.name))(s.T)
}

// free returns how much room the buffer has.
func (s *stand) free() int64 { return atomic.LoadInt64(&s.sender.buffer.free) }

// inside lets look read the state of a hook's server while everything rests.
func (s *stand) inside(h *hook, look func(e *server)) {
	e := s.sender.server(h.id)
	synctest.Wait()
	look(e)
	e.tell(news{}) // what look read, it read before the server goes on
}

func (s *stand) wantState(h *hook, state enroll.EndpointState, failures int) {
	s.Helper()
	if e := s.endpoint(h); e.State() != state || e.Failures != failures {
		s.Errorf("got %s with %d failures (%s), want %s with %d", e.State(), e.Failures, e.Reason, state, failures)
	}
}

// delivered waits until hooks have got n callbacks each and the store knows it, and
// checks the contract: in order, without holes or repeats, right token and signature.
func (s *stand) delivered(n int, hooks ...*hook) {
	s.Helper()
	for _, h := range hooks {
		s.wait(h, n)
	}
	for _, h := range hooks {
		for range 100 { // the last answers are on the way
			s.pass(50 * time.Millisecond)
			if s.endpoint(h).Waiting == 0 {
				break
			}
			s.pass(time.Second)
		}
		if got := s.endpoint(h).Waiting; got != 0 {
			s.Errorf("%s: got %d waiting in the store, want none", h.name, got)
		}
		var ledger endpoint.Ledger
		for _, r := range h.Received() {
			ledger.Add(r)
			if err := errors.Join(r.ParseErr, r.TokenErr, r.SignatureErr); err != nil {
				s.Errorf("%s: callback %s/%d: %v", h.name, r.Lane, r.Sequence, err)
			}
		}
		if breaches := ledger.Breaches(); len(breaches) > 0 || ledger.Repeats() > 0 {
			s.Errorf("%s: got %d repeats and breaches %q, want none", h.name, ledger.Repeats(), breaches)
		}
		total := 0
		for _, acked := range ledger.Acknowledged() {
			total += int(acked)
		}
		if want := acknowledged(h.Received()); total != want {
			s.Errorf("%s: got lanes up to %d in all, want the %d acknowledged", h.name, total, want)
		}
	}
}

// acknowledged counts.
func acknowledged(list []endpoint.Received) int {
	n := 0
	for _, r := range list {
		if r.Acknowledged() {
			n++
		}
	}
	return n
}

// tries returns the attempts of a delivery that the store has.
func (s *stand) tries(lane enroll.LaneID, n int64) []enroll.Attempt {
	s.Helper()
	return must(s.db.Delivery(context.Background(), enroll.DeliveryID{Lane: lane, N: n}))(s.T).Tries
}

// about reports whether got is want within ±10 %.
func about(got, want time.Duration) bool {
	return got >= want-want/10 && got <= want+want/10
}

// at returns when callbacks came, counted from the first.
func at(list []endpoint.Received) []time.Duration {
	var times []time.Duration
	for _, r := range list {
		times = append(times, r.At.Sub(list[0].At))
	}
	return times
}

// column collects one value of each callback.
func column[T any](list []endpoint.Received, of func(endpoint.Received) T) []T {
	var values []T
	for _, r := range list {
		values = append(values, of(r))
	}
	return values
}

func sequence(r endpoint.Received) int64 { return r.Sequence }
func stgID(r endpoint.Received) string   { return r.StgID }
func number(r endpoint.Received) int     { return r.Attempt }

func wantSame[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// must passes a value on, or ends the test.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// failing answers 503 until ok is closed, then as documented.
func failing(ok <-chan struct{}) endpoint.Behaviour {
	return func(endpoint.Received) endpoint.Answer {
		select {
		case <-ok:
			return endpoint.Done()
		default:
			return endpoint.Status(http.StatusServiceUnavailable)
		}
	}
}

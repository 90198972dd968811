// Package deliver sends callbacks to endpoints, in order, until each one is
// acknowledged.
//
// # Order
//
// Deliveries wait in lanes: one endpoint, one device, one class of change. Inside a
// lane callbacks leave in the order of their numbers, one in flight at a time. Lanes
// run beside each other, served round robin, at most MaxInFlight per endpoint.
// Endpoints never wait for each other.
//
// # Failures
//
// An endpoint acknowledges as its ack rule says. Everything else is a failure: other
// statuses, redirects, no answer within the endpoint's timeout, a broken connection.
// A failure suspends the endpoint: it gets nothing but one probe at a time, at waits
// of 2 s, doubling, up to 15 min. The first attempt that is acknowledged and was begun
// after the suspension makes it active again. See [health].
//
// # Repeats
//
// Outcomes are stored in groups, at the latest 50 ms after the answer while the store
// keeps up; a lane does not wait for the acknowledgement of one callback to be stored
// before it sends the next. If the program dies in between, a lane repeats, in order,
// what was not stored. A failed attempt is stored before the same delivery is tried
// again. While the store cannot take outcomes nothing new is sent.
//
// # Memory
//
// Per lane that has something waiting: its numbers. Bodies exist only of attempts in
// flight, and of what was just committed or read ahead, within one buffer of 32 MiB for
// all endpoints together; what does not fit is read from the store when its turn comes.
// An endpoint that is not active keeps nothing in the buffer.
//
// # Stopping
//
// [Sender.Run] starts no new attempt once its context is done, and returns when the
// last one in flight has finished and is stored, at the latest some 25 s later. An
// attempt that is cut then is not a failure and leaves no trace.
package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// Store is what a Sender asks of storage. sqlite.DB implements it, and package
// storetest holds it to this.
type Store interface {
	// ServedEndpoints returns one endpoint, or all for id 0, as they are now.
	ServedEndpoints(ctx context.Context, id enroll.EndpointID) ([]enroll.Endpoint, error)

	// WaitingLanes returns the lanes of one endpoint, or of all for id 0, that have
	// something waiting.
	WaitingLanes(ctx context.Context, id enroll.EndpointID) ([]enroll.Lane, error)

	// Waiting returns the deliveries of a lane after number after, in order: at most
	// n, and no more once their changes take maxBytes of memory; at least one if there
	// is one.
	Waiting(ctx context.Context, lane enroll.LaneID, after int64, n, maxBytes int) ([]enroll.Delivery, error)

	// Record stores outcomes and what they do to lanes and endpoints, all or none, on
	// disk when it returns nil. Telling an outcome twice changes nothing.
	Record(ctx context.Context, outcomes []enroll.Outcome) error
}

// Config says what a Sender works with. Store is required.
type Config struct {
	Store       Store
	Dial        func(ctx context.Context, network, addr string) (net.Conn, error) // nil means the network
	Log         *slog.Logger
	Now         func() time.Time
	Jitter      func() float64 // from 0 to 1; nil is random
	BufferBytes int64          // hand-over buffer; 0 means 32 MiB
	Drain       time.Duration  // what attempts in flight get when stopping; 0 means 25 s
	Version     string         // for User-Agent
}

// A Sender serves all endpoints.
type Sender struct {
	cfg    Config
	http   *http.Transport
	buffer *buffer
	record *recorder

	mu      sync.Mutex
	servers map[enroll.EndpointID]*server
	begin   func(*server) // starts one; nil before Run and after its end
	running sync.WaitGroup
}

// New returns a Sender. It starts nothing: call [Sender.Run].
func New(c Config) (*Sender, error) {
	if c.Store == nil {
		return nil, errors.New("deliver: Store is required")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Jitter == nil {
		c.Jitter = rand.Float64
	}
	if c.BufferBytes == 0 {
		c.BufferBytes = 32 << 20
	}
	if c.Drain == 0 {
		c.Drain = 25 * time.Second
	}
	if c.Dial == nil {
		c.Dial = (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	}
	s := &Sender{cfg: c, http: newTransport(c.Dial), buffer: &buffer{free: c.BufferBytes},
		servers: make(map[enroll.EndpointID]*server)}
	s.record = newRecorder(c.Store, c.Log, s.wakeAll)
	return s, nil
}

// Run serves all endpoints until ctx is done, then waits for what is in flight. Call
// it once, after the store tells its commits to [Sender.Committed].
func (s *Sender) Run(ctx context.Context) error {
	attempts, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	defer s.http.CloseIdleConnections()

	recorded := make(chan struct{})
	recording, stopRecording := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRecording()
	go func() {
		defer close(recorded)
		s.record.run(recording)
	}()
	err := s.load(ctx)
	switch {
	case ctx.Err() != nil:
		err = nil // stopped before it began
	case err == nil:
		s.start(func(e *server) {
			s.running.Go(func() { e.run(ctx, attempts) })
		})
		<-ctx.Done()
	}
	s.mu.Lock()
	s.begin = nil // no server starts from here on
	s.mu.Unlock()
	cutting := time.AfterFunc(s.cfg.Drain, cut)
	defer cutting.Stop()
	s.running.Wait()
	stopRecording()
	<-recorded
	return err
}

// load makes a server for each endpoint and gives it its waiting lanes. Commits are
// told from before it begins, so nothing falls between.
func (s *Sender) load(ctx context.Context) error {
	endpoints, err := s.cfg.Store.ServedEndpoints(ctx, 0)
	if err != nil {
		return fmt.Errorf("starting to deliver: %w", err)
	}
	for _, e := range endpoints {
		s.server(e.ID).settings(e)
	}
	lanes, err := s.cfg.Store.WaitingLanes(ctx, 0)
	if err != nil {
		return fmt.Errorf("starting to deliver: %w", err)
	}
	for _, l := range lanes {
		s.server(l.Endpoint).addLane(l)
	}
	return nil
}

// server returns the server of an endpoint, and makes it if there is none yet.
func (s *Sender) server(id enroll.EndpointID) *server {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.servers[id]
	if !ok {
		e = newServer(s, id)
		s.servers[id] = e
		if s.begin != nil {
			s.begin(e)
		}
	}
	return e
}

// start begins all servers, and from then on each new one.
func (s *Sender) start(begin func(*server)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.servers {
		begin(e)
	}
	s.begin = begin
}

// Committed takes over what a commit made. It returns at once.
func (s *Sender) Committed(c enroll.Committed) {
	for _, id := range c.Endpoints {
		s.server(id).tell(news{reload: true})
	}
	for _, d := range c.Deliveries {
		// What the buffer has no room for is read from the store in its turn.
		if !s.buffer.take(d.Change) {
			d.Change = nil
		}
		s.server(d.Endpoint).tell(news{delivery: d})
	}
	if len(c.Devices) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.servers {
		e.tell(news{devices: c.Devices, removed: c.Removed})
	}
}

func (s *Sender) wakeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.servers {
		e.tell(news{})
	}
}

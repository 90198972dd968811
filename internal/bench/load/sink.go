package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Sink acknowledges callbacks of many endpoints on one listener of 127.0.0.1, with
// net/http, and counts what is wrong with them. It keeps no body.
type Sink struct {
	address string
	server  *http.Server
	ended   chan error
	bodies  sync.Pool
	lanes   []sinkLane
	begun   time.Time
	arrived atomic.Int64 // of all lanes
	last    atomic.Int64 // when the last one came, nanoseconds after begun

	mu     sync.Mutex
	faults int
	first  []error // of the faults
}

// A sinkLane is locked while its callback is taken: the next may come only after the
// answer.
type sinkLane struct {
	sync.Mutex
	arrived int64 // number of the last change
}

// namedFaults is how many faults are told one by one.
const namedFaults = 5

// NewSink opens a sink with so many endpoints. Their devices must have no other, so
// that each is one lane.
func NewSink(ctx context.Context, endpoints int) (*Sink, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("opening the sink: %w", err)
	}
	s := &Sink{address: listener.Addr().String(), ended: make(chan error, 1), lanes: make([]sinkLane, endpoints), begun: time.Now()}
	s.bodies.New = func() any { return new(bytes.Buffer) }
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	go func() { s.ended <- s.server.Serve(listener) }()
	return s, nil
}

// path leads to an endpoint; what follows it is the endpoint's number.
const path = "/endpoint/"

// URL returns where the callbacks of an endpoint go.
func (s *Sink) URL(endpoint int) string { return s.bareURL() + path[1:] + strconv.Itoa(endpoint) }

// bareURL leads to a handler that reads the body, acknowledges and checks nothing.
func (s *Sink) bareURL() string { return "http://" + s.address + "/" }

// ServeHTTP takes one callback.
func (s *Sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := s.bodies.Get().(*bytes.Buffer)
	defer s.bodies.Put(body)
	body.Reset()
	if _, err := body.ReadFrom(r.Body); err != nil {
		s.fault(fmt.Errorf("a body was cut short: %w", err))
		return
	}
	if number, found := strings.CutPrefix(r.URL.Path, path); found {
		endpoint, err := strconv.Atoi(number)
		if err != nil || endpoint < 0 || endpoint >= len(s.lanes) {
			s.fault(fmt.Errorf("a callback came to the path %q", r.URL.Path))
			return
		}
		s.take(endpoint, r.Header, body.Bytes())
	}
	w.Header()["Content-Type"] = []string{"application/json"}
	_, _ = io.WriteString(w, `{"status":"done"}`)
}

// take counts one callback of an endpoint.
func (s *Sink) take(endpoint int, header http.Header, body []byte) {
	lane := &s.lanes[endpoint]
	if !lane.TryLock() {
		s.fault(fmt.Errorf("endpoint %d: two callbacks at a time", endpoint))
		lane.Lock()
	}
	defer lane.Unlock()
	sequence, err := strconv.ParseInt(header.Get("Fingerpost-Sequence"), 10, 64)
	number, want := numberIn(body), lane.arrived+1
	if err != nil || sequence != want || number != want {
		s.fault(fmt.Errorf("endpoint %d: got change %d at sequence %d, want %d at %d", endpoint, number, sequence, want, want))
	}
	if number < want {
		return // a repeat is one callback too many
	}
	lane.arrived = number // after a hole the lane goes on from here
	s.last.Store(int64(time.Since(s.begun)))
	s.arrived.Add(1)
}

func (s *Sink) fault(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults++
	if len(s.first) < namedFaults {
		s.first = append(s.first, err)
	}
}

// wait returns when the last of n callbacks came, counted from the opening of the sink.
func (s *Sink) wait(ctx context.Context, n int64) (time.Time, error) {
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for s.arrived.Load() < n {
		select {
		case <-look.C:
		case <-ctx.Done():
			return time.Time{}, errors.Join(fmt.Errorf("%d of %d callbacks came: %w", s.arrived.Load(), n, ctx.Err()), s.Faults())
		}
	}
	return s.begun.Add(time.Duration(s.last.Load())), nil
}

// Faults returns an error that names the first of what was wrong, nil if nothing was.
func (s *Sink) Faults() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults == 0 {
		return nil
	}
	return fmt.Errorf("the sink saw %d faults, the first of them:\n%w", s.faults, errors.Join(s.first...))
}

// Close closes the sink, and returns what was wrong.
func (s *Sink) Close() error {
	err := s.server.Close()
	if ended := <-s.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return errors.Join(err, s.Faults())
}

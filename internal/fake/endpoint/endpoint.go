// Package endpoint is a receiver of callbacks for tests, benchmarks, the demo and
// "fingerpost listen". It records what it gets, checks token and signature, and fails
// when told to.
//
// # What is recorded
//
// Every POST whose body came whole is recorded once, before it is answered, with the
// status that it is going to get. A body that was cut is not recorded: no receiver
// would have seen it. Wrong tokens and signatures are recorded and answered like right
// ones, so that an operator sees them; a [Behaviour] may answer them otherwise.
//
// # What is proved
//
// A [Ledger] holds what was recorded against the delivery contract and lists each
// breach: holes, wrong order, repeats that differ, two callbacks of a lane at a time.
//
// An [Endpoint] is an [http.Handler] that starts no goroutine and reads no clock but
// [Config.Now] and timers. With [NewPipe] it serves inside a testing/synctest bubble.
package endpoint

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/fingerpost/fingerpost/callback"
)

// doneBody is the documented answer that acknowledges.
const doneBody = `{"status":"done"}`

// maxBody is far above the largest callback, a photo of 16 MiB in base64.
const maxBody = 64 << 20

// Config says how an Endpoint behaves. The zero value acknowledges everything and
// checks nothing.
type Config struct {
	AuthToken string        // what callbacks must carry; "" checks no token
	Secret    string        // "whsec_…"; "" checks no signature
	Fail      []int         // statuses of the first answers, in turn; then 200
	Delay     time.Duration // before each answer
	Body      string        // of answers with status 2xx; "" means {"status":"done"}
	Discard   bool          // count only: record nothing, for benchmarks and long runs

	// OnCallback gets each callback once it is recorded and before it is answered,
	// one at a time, in the order of the record. It gets them with Discard too.
	OnCallback func(Received)
	Now        func() time.Time // nil means time.Now
}

// Received is one callback as it came. Body and Callback carry credentials.
type Received struct {
	At     time.Time
	URI    string // path and query as sent
	StgID  string // of the query
	Header http.Header
	Body   []byte

	Callback     callback.Callback
	ParseErr     error // nil: Callback is what Body says
	TokenErr     error // nil: right; [ErrNotChecked], [ErrToken]
	SignatureErr error // nil: right; [ErrNotChecked], or as of [callback.Verify]

	Status      int // it is going to be answered; 0 for none at all
	Lane        string
	Sequence    int64 // 0 if the header is absent or no number
	Attempt     int   // 0 if the header is absent or no number
	OperationID string

	// Overlaps tells that another callback of this lane was not answered yet when
	// this one came.
	Overlaps bool
}

// Acknowledged reports whether the answer acknowledges by the default rule: status 200
// or 201.
func (r Received) Acknowledged() bool {
	return r.Status == http.StatusOK || r.Status == http.StatusCreated
}

var (
	// ErrNotChecked: the endpoint was given no token, or no secret, to check with.
	ErrNotChecked = errors.New("not checked")
	// ErrToken: the callback's auth token is another one, or absent.
	ErrToken = errors.New("wrong auth token")
)

// An Endpoint receives callbacks.
type Endpoint struct {
	cfg Config

	order sync.Mutex // held while recording and in OnCallback, to keep them in one order

	mu        sync.Mutex // guards what follows
	fail      []int
	behaviour Behaviour
	received  []Received // only appended to
	count     int
	changed   chan struct{}  // closed and made anew when something was recorded
	released  chan struct{}  // closed and made anew by Release
	inFlight  map[string]int // by lane
}

// New returns an Endpoint.
func New(c Config) (*Endpoint, error) {
	if err := checkStatuses(c.Fail); err != nil {
		return nil, err
	}
	if c.Delay < 0 {
		return nil, errors.New("endpoint: Delay must not be negative")
	}
	if c.Secret != "" {
		if _, err := callback.Sign(c.Secret, "", time.Time{}, nil); err != nil {
			return nil, fmt.Errorf("endpoint: %w", err)
		}
	}
	if c.Body == "" {
		c.Body = doneBody
	}
	if c.OnCallback == nil {
		c.OnCallback = func(Received) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Endpoint{
		cfg:      c,
		fail:     slices.Clone(c.Fail),
		changed:  make(chan struct{}),
		released: make(chan struct{}),
		inFlight: make(map[string]int),
	}, nil
}

func checkStatuses(statuses []int) error {
	for _, status := range statuses {
		if status < 200 || status > 599 {
			return fmt.Errorf("endpoint: status %d: want 200 to 599", status)
		}
	}
	return nil
}

// ServeHTTP takes one callback on any path.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "callbacks come by POST", http.StatusMethodNotAllowed)
		return
	}
	lane := r.Header.Get(callback.HeaderLane)
	overlaps := e.enter(lane)
	// The lane is free from the moment of the answer, not of this function's return:
	// the next callback may be here before that.
	leave := sync.OnceFunc(func() { e.leave(lane) })
	defer leave()

	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "body too large or cut short", http.StatusRequestEntityTooLarge)
		return
	}
	received := e.read(r, body)
	received.Overlaps = overlaps
	answer, released := e.decide(received)
	received.Status = answer.status()
	e.record(received)

	if !hold(r.Context(), answer, released) {
		return
	}
	leave()
	answer.write(w)
}

func (e *Endpoint) enter(lane string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.inFlight[lane]++
	return lane != "" && e.inFlight[lane] > 1
}

func (e *Endpoint) leave(lane string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.inFlight[lane]--; e.inFlight[lane] == 0 {
		delete(e.inFlight, lane)
	}
}

// read makes of a request all that is known before it is answered.
func (e *Endpoint) read(r *http.Request, body []byte) Received {
	now := e.cfg.Now()
	received := Received{
		At:           now,
		URI:          r.URL.RequestURI(),
		StgID:        r.URL.Query().Get("stgid"),
		Header:       r.Header.Clone(),
		Body:         body,
		Lane:         r.Header.Get(callback.HeaderLane),
		TokenErr:     ErrNotChecked,
		SignatureErr: ErrNotChecked,
	}
	received.Callback, received.ParseErr = callback.Parse(body)
	received.OperationID = received.Callback.OperationID
	if received.OperationID == "" {
		received.OperationID = r.Header.Get(callback.HeaderID)
	}
	// A header that is no number counts as absent: 0.
	received.Sequence, _ = strconv.ParseInt(r.Header.Get(callback.HeaderSequence), 10, 64)
	received.Attempt, _ = strconv.Atoi(r.Header.Get(callback.HeaderAttempt))
	if e.cfg.AuthToken != "" {
		received.TokenErr = nil
		if subtle.ConstantTimeCompare([]byte(received.Callback.AuthToken), []byte(e.cfg.AuthToken)) != 1 {
			received.TokenErr = ErrToken
		}
	}
	if e.cfg.Secret != "" {
		received.SignatureErr = callback.Verify(e.cfg.Secret, r.Header, body, now)
	}
	return received
}

// decide chooses the answer, and returns with it what ends a wait for it: taken before
// the record, so that who saw the record can release it.
func (e *Endpoint) decide(r Received) (Answer, <-chan struct{}) {
	e.mu.Lock()
	behaviour, released := e.behaviour, e.released
	answer := Answer{Status: http.StatusOK, Body: e.cfg.Body, Delay: e.cfg.Delay}
	if behaviour == nil && len(e.fail) > 0 {
		answer.Status = e.fail[0]
		e.fail = e.fail[1:]
		if answer.Status > 299 {
			answer.Body = http.StatusText(answer.Status)
		}
	}
	e.mu.Unlock()
	if behaviour != nil {
		answer = behaviour(r)
	}
	return answer, released
}

func (e *Endpoint) record(r Received) {
	e.order.Lock()
	defer e.order.Unlock()
	e.mu.Lock()
	e.count++
	if !e.cfg.Discard {
		e.received = append(e.received, r)
	}
	close(e.changed)
	e.changed = make(chan struct{})
	e.mu.Unlock()
	e.cfg.OnCallback(r)
}

// hold waits as the answer wants and reports whether there is still somebody to
// answer.
func hold(ctx context.Context, a Answer, released <-chan struct{}) bool {
	if a.Delay <= 0 && !a.Hang {
		return true
	}
	var passed <-chan time.Time // never, if it hangs
	if !a.Hang {
		timer := time.NewTimer(a.Delay)
		defer timer.Stop()
		passed = timer.C
	}
	select {
	case <-passed:
		return true
	case <-released:
		return true
	case <-ctx.Done():
		return false
	}
}

// Received returns what was recorded, in order.
func (e *Endpoint) Received() []Received {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.received)
}

// Count returns how many callbacks came, recorded or discarded.
func (e *Endpoint) Count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.count
}

// Wait returns nil as soon as n callbacks have come in all, or the error of ctx.
// Their answers may still be on the way.
func (e *Endpoint) Wait(ctx context.Context, n int) error {
	return e.wait(ctx, func(_ []Received, count int) bool { return count >= n })
}

// WaitFor returns nil as soon as enough says so of what was recorded, or the error of
// ctx. It asks after each callback; enough must not change the slice.
func (e *Endpoint) WaitFor(ctx context.Context, enough func([]Received) bool) error {
	return e.wait(ctx, func(received []Received, _ int) bool { return enough(received) })
}

func (e *Endpoint) wait(ctx context.Context, enough func([]Received, int) bool) error {
	for {
		e.mu.Lock()
		received, count, changed := slices.Clip(e.received), e.count, e.changed
		e.mu.Unlock()
		if enough(received, count) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for callbacks, %d came: %w", count, ctx.Err())
		case <-changed:
		}
	}
}

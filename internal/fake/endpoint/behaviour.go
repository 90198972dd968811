package endpoint

import (
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"time"
)

// A Behaviour chooses the answer to a callback. It is called for several callbacks at
// a time, before they are recorded: Status is not set yet.
type Behaviour func(Received) Answer

// An Answer is what the endpoint does with a callback that it has read.
type Answer struct {
	Status int // 0 means 200
	Header http.Header
	Body   string        // to the letter
	Delay  time.Duration // before the answer
	Hang   bool          // no answer until the caller goes away, or Release
	Reset  bool          // the connection is cut instead
}

// Done is the documented answer that acknowledges.
func Done() Answer { return Answer{Status: http.StatusOK, Body: doneBody} }

// Status is an answer with a status and its name as the body.
func Status(status int) Answer { return Answer{Status: status, Body: http.StatusText(status)} }

// Hang keeps the caller waiting.
func Hang() Answer { return Answer{Hang: true} }

// Reset cuts the connection without an answer.
func Reset() Answer { return Answer{Reset: true} }

// Redirect sends the caller elsewhere.
func Redirect(url string) Answer {
	return Answer{Status: http.StatusTemporaryRedirect, Header: http.Header{"Location": {url}}}
}

// SetBehaviour lets f choose the answers from now on; nil returns to those of the
// Config and of SetFail.
func (e *Endpoint) SetBehaviour(f Behaviour) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.behaviour = f
}

// SetFail replaces the statuses of the next answers; after them it is 200 again. The
// error is that of a status that no server answers with; nothing changes then.
func (e *Endpoint) SetFail(statuses ...int) error {
	if err := checkStatuses(statuses); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fail = slices.Clone(statuses)
	return nil
}

// Release ends all waits under way at once: what hangs is cut, what is delayed is
// answered. Later callbacks are not touched.
func (e *Endpoint) Release() {
	e.mu.Lock()
	defer e.mu.Unlock()
	close(e.released)
	e.released = make(chan struct{})
}

// status is what is recorded: 0 where no answer is given.
func (a Answer) status() int {
	switch {
	case a.Hang || a.Reset:
		return 0
	case a.Status == 0:
		return http.StatusOK
	}
	return a.Status
}

func (a Answer) write(w http.ResponseWriter) {
	if a.Hang || a.Reset {
		cut(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	maps.Copy(w.Header(), a.Header)
	w.WriteHeader(a.status())
	io.WriteString(w, a.Body) // who went away does not read it
}

// cut closes the connection below an answer, on TCP with a reset.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // net/http's way to cut what cannot be hijacked
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // its failure leaves an ordinary close
	}
	conn.Close()
}

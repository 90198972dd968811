package deliver

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/callback"
	"github.com/fingerpost/fingerpost/internal/enroll"
	"github.com/fingerpost/fingerpost/internal/fake/endpoint"
)

// Contract point 4: what acknowledges; everything else is a failure, stored in words.
func TestAcknowledgement(t *testing.T) {
	t.Parallel()
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	cut := func(partial string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				io.WriteString(conn, partial)
				conn.Close()
			}
		}
	}
	tests := []struct {
		name   string
		ack    string
		answer http.Handler // nil: nothing listens
		want   string       // the failure in words; "" if acknowledged
		status int          // kept of the answer
	}{
		{"status takes 200 with the documented body", "status", answer(200, `{"status":"done"}`), "", 200},
		{"status takes 201", "status", answer(201, `{"status":"ok"}`), "", 201},
		{"status takes 200 whatever the body", "status", answer(200, "<html>error</html>"), "", 200},
		{"status takes 200 with a long body", "status", answer(200, strings.Repeat("x", 200_000)), "", 200},
		{"status takes 200 with a body that breaks off", "status", cut("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"sta"), "", 200},
		{"status does not take 202", "status", answer(202, "done"), "answered 202 without acknowledging", 202},
		{"status does not take 204", "status", answer(204, ""), "answered 204 without acknowledging", 204},
		{"status does not take 301", "status", http.RedirectHandler("http://127.0.0.1:9001/", http.StatusMovedPermanently), "answered 301, a redirect: set the URL that it leads to", 301},
		{"status does not take 400", "status", answer(400, `{"status":"done"}`), "answered 400 without acknowledging", 400},
		{"status does not take 401", "status", answer(401, ""), "answered 401 without acknowledging", 401},
		{"status does not take 500", "status", answer(500, ""), "answered 500 without acknowledging", 500},
		{"a connection cut without an answer", "status", cut(""), "connection cut before an answer", 0},
		{"a connection cut in the headers", "status", cut("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n"), "connection cut before an answer", 0},
		{"an answer that is not HTTP", "status", cut("hello\r\n\r\n"), "the request failed", 0},
		{"a refused connection", "status", nil, "connection refused: nothing listens there", 0},
		{"body takes done", "body", answer(200, `{"status":"done"}`), "", 200},
		{"body takes ok with 201", "body", answer(201, `{"status":"ok"}`), "", 201},
		{"body does not take an empty body", "body", answer(200, ""), "answered 200, but the body does not say done or ok", 200},
		{"body does not take an error", "body", answer(200, `{"status":"error"}`), "answered 200, but the body does not say done or ok", 200},
		{"body does not take done with 202", "body", answer(202, `{"status":"done"}`), "answered 202 without acknowledging", 202},
		{"2xx takes 202", "2xx", answer(202, ""), "", 202},
		{"2xx takes 204", "2xx", answer(204, ""), "", 204},
		{"2xx does not take 304", "2xx", answer(304, ""), "answered 304, a redirect: set the URL that it leads to", 304},
		{"2xx does not take 503", "2xx", answer(503, ""), "answered 503 without acknowledging", 503},
	}
	got := make([]enroll.Attempt, len(tests))
	states := make([]enroll.EndpointState, len(tests))
	inBubble(t, nil, func(s *stand) {
		device := s.devices(1)[0]
		n := s.change(600)
		var hooks []*hook
		for i, tt := range tests {
			url := "http://127.0.0.1:1/hook?key=hidden"
			if tt.answer != nil {
				url = s.serve(tt.answer)
			}
			h := &hook{name: fmt.Sprintf("e%d", i)}
			h.id = s.addEndpoint(h.name, url, func(e *enroll.Endpoint) { e.Ack = tt.ack })
			n.To = append(n.To, enroll.Recipient{Endpoint: h.id, Kinds: n.Kinds})
			hooks = append(hooks, h)
		}
		s.deliver()
		s.accept(device, n)
		s.pass(time.Second)
		for i, h := range hooks {
			if tries := s.tries(enroll.LaneID(i+1), 1); len(tries) > 0 {
				got[i] = tries[0]
			}
			states[i] = s.endpoint(h).State()
		}
	})
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if a := got[i]; a.Number != 1 || a.Acknowledged != (tt.want == "") || a.Error != tt.want || a.Status != tt.status {
				t.Errorf("got attempt %d, status %d, %q, acknowledged %v, want 1, %d, %q", a.Number, a.Status, a.Error, a.Acknowledged, tt.status, tt.want)
			}
			want := enroll.Active
			if tt.want != "" {
				want = enroll.Suspended
			}
			if states[i] != want {
				t.Errorf("got the endpoint %s, want %s", states[i], want)
			}
			if n := len(got[i].Answer); n > enroll.AnswerKept {
				t.Errorf("got %d bytes of the answer kept, want at most %d", n, enroll.AnswerKept)
			}
		})
	}
	if n := len(got[3].Answer); n != enroll.AnswerKept {
		t.Errorf("got %d bytes kept of a long answer, want %d", n, enroll.AnswerKept)
	}
}

// Contract point 8, and the headers of wire-format.md section 6.
func TestSameCallback(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(s *stand) {
		h := s.hook("h", func(e *enroll.Endpoint) { e.Timeout = 5 * time.Second })
		h.SetBehaviour(func(r endpoint.Received) endpoint.Answer {
			if r.Sequence == 2 {
				switch r.Attempt {
				case 1, 3, 5:
					return endpoint.Status(500)
				case 2, 4:
					return endpoint.Hang()
				}
			}
			return endpoint.Done()
		})
		device := s.devices(1)[0]
		s.deliver()
		s.commit(device, 4, h)
		s.wait(h, 3)
		s.pass(8 * time.Second) // the second attempt has timed out
		s.restart()
		s.delivered(4+5, h)

		list := h.Received()
		wantSame(t, "sequences", column(list, sequence), []int64{1, 2, 2, 2, 2, 2, 2, 3, 4})
		wantSame(t, "attempts", column(list, number), []int{1, 1, 2, 3, 4, 5, 6, 1, 1})
		for _, r := range list[2:7] {
			if !bytes.Equal(r.Body, list[1].Body) || r.OperationID != list[1].OperationID {
				t.Errorf("attempt %d differs from the first:\n got %s\nwant %s", r.Attempt, r.Body, list[1].Body)
			}
		}
		for _, r := range list {
			if got := r.Header.Get(callback.HeaderID); got != r.OperationID {
				t.Errorf("got header id %q, want %q as in the body", got, r.OperationID)
			}
			if _, ok := r.Header["Idempotency-Key"]; ok {
				t.Error("got an Idempotency-Key, want none on the wire")
			}
			if r.URI != "/hook?key=hidden&stgid=a" || r.Header.Get("User-Agent") != "Fingerpost/test" || r.Header.Get("Content-Type") != "application/json" {
				t.Errorf("got %s from %q as %q", r.URI, r.Header.Get("User-Agent"), r.Header.Get("Content-Type"))
			}
		}
	})
}

// Contract point 9: an unread answer may be repeated.
func TestKeptConnection(t *testing.T) {
	t.Parallel()
	t.Run("cut by the other side it is no failure: the callback is sent once more, as the same attempt", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, func(s *stand) {
			h := s.hook("h", nil)
			device := s.devices(1)[0]
			cut := false
			h.SetBehaviour(func(r endpoint.Received) endpoint.Answer {
				if r.Sequence == 2 && !cut {
					cut = true
					return endpoint.Reset()
				}
				return endpoint.Done()
			})
			s.deliver()
			s.commit(device, 3, h)
			s.delivered(4, h)
			wantSame(t, "sequences", column(h.Received(), sequence), []int64{1, 2, 2, 3})
			wantSame(t, "attempts", column(h.Received(), number), []int{1, 1, 1, 1})
			s.wantState(h, enroll.Active, 0)
		})
	})
	t.Run("one connection serves a lane", func(t *testing.T) {
		t.Parallel()
		dialled := 0
		inBubble(t, func(c *Config) {
			dial := c.Dial
			c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				dialled++
				return dial(ctx, network, addr)
			}
		}, func(s *stand) {
			h := s.hook("h", nil)
			device := s.devices(1)[0]
			s.deliver()
			s.commit(device, 20, h)
			s.delivered(20, h)
			if dialled != 1 {
				t.Errorf("got %d connections, want 1", dialled)
			}
		})
	})
}

// No error text may carry a URL, whose query may hold a key, or what a stranger wrote.
func TestInWords(t *testing.T) {
	t.Parallel()
	const secret = "http://user:hidden@example.org/hidden?key=hidden"
	inURL := func(err error) error { return &url.Error{Op: "Post", URL: secret, Err: err} }
	network := func(err error) error { return inURL(&net.OpError{Op: "dial", Net: "tcp", Err: err}) }
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"an answer", notAcknowledged(503), "answered 503 without acknowledging"},
		{"a timeout", inURL(context.DeadlineExceeded), "no answer in 30s; it may have processed the callback"},
		{"a timeout of the network", network(timeout{}), "no answer in 30s; it may have processed the callback"},
		{"an unknown host", network(&net.DNSError{Err: "hidden", Name: "hidden", IsNotFound: true}), "the URL's host name is not known"},
		{"a failing resolver", network(&net.DNSError{Err: "hidden", Name: "hidden"}), "the URL's host name could not be looked up"},
		{"a wrong certificate", inURL(&tls.CertificateVerificationError{Err: x509.HostnameError{Host: "hidden", Certificate: &x509.Certificate{}}}), "the TLS certificate is not valid for this URL"},
		{"refused", network(syscall.ECONNREFUSED), "connection refused: nothing listens there"},
		{"no route", network(syscall.EHOSTUNREACH), "the host cannot be reached"},
		{"no network", network(syscall.ENETUNREACH), "the host cannot be reached"},
		{"reset", network(syscall.ECONNRESET), "connection cut before an answer"},
		{"broken pipe", network(syscall.EPIPE), "connection cut before an answer"},
		{"closed", inURL(io.EOF), "connection cut before an answer"},
		{"cut short", inURL(io.ErrUnexpectedEOF), "connection cut before an answer"},
		{"no TLS", inURL(tls.RecordHeaderError{Msg: "hidden"}), "the server does not speak TLS: try http:// in the URL"},
		{"other trouble of the network", network(errors.New("hidden")), "network: dial failed"},
		{"a bad URL", fmt.Errorf("%w", callback.ErrURL), callback.ErrURL.Error()},
		{"nothing that is known", inURL(errors.New("hidden")), "the request failed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := inWords(tt.err, 30*time.Second)
			if got != tt.want || strings.Contains(got, "hidden") {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// timeout is a net.Error that says so.
type timeout struct{}

func (timeout) Error() string   { return "hidden" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return false }

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
	tests := []struct {
		name string
		text string
		want time.Duration
	}{
		{"none", "", 0},
		{"seconds", "120", 2 * time.Minute},
		{"no seconds", "0", 0},
		{"negative", "-5", 0},
		{"more than an hour is cut to one", "7200", time.Hour},
		{"more than a number can hold is an hour too", "99999999999999999999", time.Hour},
		{"a date", "Mon, 04 May 2026 10:05:00 GMT", 5 * time.Minute},
		{"a date in the past", "Mon, 04 May 2026 09:00:00 GMT", 0},
		{"words", "soon", 0},
		{"seconds and more", "1.5", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := retryAfter(tt.text, now); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

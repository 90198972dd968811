package deliver

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/fingerpost/fingerpost/callback"
	"github.com/fingerpost/fingerpost/internal/enroll"
)

// answerRead is how much of an answer is read, so that its connection can be used
// again; what is longer is cut off.
const answerRead = 64 << 10

// newTransport returns the HTTP client of all endpoints. It is used below
// [http.Client], so that redirects are answers like any other.
func newTransport(dial func(ctx context.Context, network, addr string) (net.Conn, error)) *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dial,
		ForceAttemptHTTP2:     true,
		DisableCompression:    true,
		MaxIdleConns:          4096,
		MaxIdleConnsPerHost:   256,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   30 * time.Second,
		ExpectContinueTimeout: time.Second,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
	}
}

// A work is one attempt to be made: a copy of all that it needs.
type work struct {
	*Sender
	lane     *lane // passed through, never touched
	laneID   enroll.LaneID
	after    int64 // the head is the next number
	number   int
	dropped  int
	more     bool // others wait behind the head
	endpoint enroll.Endpoint
	ticket   ticket
	head     enroll.Delivery
	inMemory bool
}

// do makes the attempt. Its context ends only when the whole program must.
func (w work) do(ctx context.Context) *result {
	r := &result{lane: w.lane, ticket: w.ticket, dropped: w.dropped}
	if !w.inMemory {
		if r.readFail = w.read(ctx, r); r.readFail != nil {
			return r
		}
	}
	started := w.cfg.Now()
	r.attempt = enroll.Attempt{DeliveryID: w.head.DeliveryID, Number: w.number, StartedAt: enroll.Millis(started)}
	err := w.post(ctx, r, started)
	r.attempt.Duration = w.cfg.Now().Sub(started)
	if err != nil {
		r.cut = ctx.Err() != nil
		r.attempt.Error = inWords(err, w.endpoint.Timeout)
	}
	return r
}

// read gets the head from the store, and what follows it as far as the buffer has
// room. The head itself is in flight and takes none; it is handed back with the
// others if the attempt will need it again.
func (w *work) read(ctx context.Context, r *result) error {
	length, bytes := 1, 1
	if w.more && w.buffer.reserve(pageBytes) {
		length, bytes = pageLength, pageBytes
		defer w.buffer.release(pageBytes)
	}
	page, err := w.cfg.Store.Waiting(ctx, w.laneID, w.after, length, bytes)
	if err != nil {
		return err
	}
	if len(page) == 0 || page[0].N != w.after+1 {
		return fmt.Errorf("lane %d: delivery %d is not in the store", w.laneID, w.after+1)
	}
	w.head = page[0]
	for _, d := range page {
		if !w.buffer.take(d.Change) {
			break
		}
		r.more = append(r.more, d)
	}
	return nil
}

// post sends the callback and fills in what came back. A nil error means that the
// endpoint acknowledged.
func (w *work) post(ctx context.Context, r *result, now time.Time) error {
	body, suspect, err := render(w.head, w.endpoint)
	if err != nil {
		return fmt.Errorf("making the callback: %w", err)
	}
	to, err := callback.URL(w.endpoint.URL, string(w.head.StgID), w.endpoint.AppendStgID)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, w.endpoint.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return errors.New("the endpoint's URL makes no request")
	}
	if err := w.headers(req.Header, body, now, suspect); err != nil {
		return err
	}
	answer, err := w.http.RoundTrip(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	r.attempt.Status = answer.StatusCode
	r.asked = retryAfter(answer.Header.Get("Retry-After"), now)
	text, err := io.ReadAll(io.LimitReader(answer.Body, answerRead))
	r.attempt.Answer = text[:min(len(text), enroll.AnswerKept)]
	if err != nil && len(text) == 0 {
		return err // an answer that was begun counts by its status
	}
	if !callback.Acknowledges(callback.Ack(w.endpoint.Ack), answer.StatusCode, text) {
		return notAcknowledged(answer.StatusCode)
	}
	r.attempt.Acknowledged = true
	return nil
}

// headers sets the headers of wire-format.md section 6.
func (w *work) headers(h http.Header, body []byte, now time.Time, suspect bool) error {
	id := string(w.head.Change.OperationID)
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "Fingerpost/"+w.cfg.Version)
	h.Set(callback.HeaderID, id)
	h.Set(callback.HeaderTimestamp, strconv.FormatInt(now.Unix(), 10))
	h.Set(callback.HeaderLane, strconv.FormatInt(int64(w.laneID), 10))
	h.Set(callback.HeaderSequence, strconv.FormatInt(w.head.N, 10))
	h.Set(callback.HeaderAttempt, strconv.Itoa(w.number))
	if suspect {
		h.Set(callback.HeaderClock, callback.ClockSuspect)
	}
	if w.endpoint.Secret != "" {
		signature, err := callback.Sign(w.endpoint.Secret.Reveal(), id, now, body)
		if err != nil {
			return err
		}
		h.Set(callback.HeaderSignature, signature)
	}
	// Known to net/http as the mark of a request that it may send again when a kept
	// connection turns out to be closed; with no value it is not sent itself.
	h["Idempotency-Key"] = []string{}
	return nil
}

// A notAcknowledged is the status of an answer that does not acknowledge.
type notAcknowledged int

func (s notAcknowledged) Error() string {
	switch {
	case s == http.StatusOK || s == http.StatusCreated:
		return fmt.Sprintf("answered %d, but the body does not say done or ok", int(s))
	case s >= 300 && s < 400:
		return fmt.Sprintf("answered %d, a redirect: set the URL that it leads to", int(s))
	}
	return fmt.Sprintf("answered %d without acknowledging", int(s))
}

// retryAfter reads a Retry-After: seconds or a date. 0 if there is none.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(max(seconds, 0), int(longestWish/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

// inWords says what went wrong as an operator would. Errors of the network may quote
// the URL, whose query may hold a key, so nothing is passed on that is not known.
func inWords(err error, timeout time.Duration) string {
	if s, ok := errors.AsType[notAcknowledged](err); ok {
		return s.Error()
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsNotFound {
			return "the URL's host name is not known"
		}
		return "the URL's host name could not be looked up"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "the TLS certificate is not valid for this URL"
	}
	if network, ok := errors.AsType[net.Error](err); errors.Is(err, context.DeadlineExceeded) || ok && network.Timeout() {
		return fmt.Sprintf("no answer in %v; it may have processed the callback", timeout)
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused: nothing listens there"
	case errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH):
		return "the host cannot be reached"
	case errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.EPIPE):
		return "connection cut before an answer"
	case errors.Is(err, callback.ErrURL), errors.Is(err, callback.ErrNotExpressible):
		return err.Error()
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return "network: " + op.Op + " failed"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "the server does not speak TLS: try http:// in the URL"
	}
	return "the request failed"
}

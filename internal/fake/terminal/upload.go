package terminal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxAnswer is how much of an answer is read; init blocks and commands are far below.
const maxAnswer = 1 << 20

// An AnswerError reports an answer that acknowledges nothing, so that the terminal
// keeps its records and sends them again.
type AnswerError struct {
	Path   string // such as "cdata"
	Status int    // 200 if only the text was wrong
}

func (e *AnswerError) Error() string {
	if e.Status == http.StatusOK {
		return fmt.Sprintf("gateway answered %s with status 200 but without OK", e.Path)
	}
	return fmt.Sprintf("gateway answered %s with status %d", e.Path, e.Status)
}

// Upload posts body to a table, one try, byte for byte, and returns the gateway's
// answer without its line end. An answer that acknowledges nothing is an
// [*AnswerError].
func (t *Terminal) Upload(ctx context.Context, table string, body []byte) (string, error) {
	ack, err := t.do(ctx, upload(table, body))
	if err != nil {
		return "", err
	}
	ack = strings.TrimRight(ack, "\r\n")
	if !strings.HasPrefix(ack, "OK") {
		return "", &AnswerError{Path: "cdata", Status: http.StatusOK}
	}
	return ack, nil
}

func upload(table string, body []byte) request {
	query := "&table=" + url.QueryEscape(table)
	if table != "options" {
		query += "&Stamp=9999" // what current firmware sends; it has no meaning
	}
	return request{method: http.MethodPost, path: "cdata", query: query, body: body}
}

// Push is the terminal's outbox: it uploads body until the gateway acknowledges it, or
// ctx ends, with the habits of the terminal. Its error tells the last failure too.
func (t *Terminal) Push(ctx context.Context, table string, body []byte) error {
	t.mu.Lock()
	t.uploads++
	n := t.uploads
	t.mu.Unlock()

	if every(n, t.cfg.Habits.CutEvery) {
		t.cut(ctx, table, body)
	}
	if err := t.repeat(ctx, "upload of "+table, func(ctx context.Context) error {
		_, err := t.Upload(ctx, table, body)
		return err
	}); err != nil {
		return err
	}
	if every(n, t.cfg.Habits.RepeatEvery) {
		if _, err := t.Upload(ctx, table, body); err != nil { // it is acknowledged already
			t.cfg.Log.Debug("repeat not acknowledged", "serial", t.cfg.Serial, "table", table, "err", err)
		}
	}
	return nil
}

// every reports whether n is a multiple of period; no number is one of 0.
func every(n, period int) bool { return period > 0 && n%period == 0 }

// errCut ends a body that is cut on purpose.
var errCut = errors.New("connection cut on purpose")

// cut sends the first half of an upload and then closes the connection. What the
// gateway makes of it does not matter: the upload follows whole.
func (t *Terminal) cut(ctx context.Context, table string, body []byte) {
	r := upload(table, nil)
	half := io.MultiReader(bytes.NewReader(body[:len(body)/2]), failingReader{})
	ctx, cancel := context.WithTimeout(ctx, t.cfg.Timeout)
	defer cancel()
	req, err := t.newRequest(ctx, r, io.NopCloser(half))
	if err != nil {
		return
	}
	req.ContentLength = int64(max(len(body), 1))

	client := *t.client
	if transport := cuttingTransport(client.Transport); transport != nil {
		client.Transport = transport
		defer transport.CloseIdleConnections()
	}
	if resp, err := client.Do(req); err == nil {
		resp.Body.Close()
	}
}

// cuttingTransport returns a copy of transport that puts what it is given on the line
// at once, so that the gateway sees half a body rather than nothing; nil for a
// transport that is not net/http's.
func cuttingTransport(transport http.RoundTripper) *http.Transport {
	if transport == nil {
		transport = http.DefaultTransport
	}
	known, ok := transport.(*http.Transport)
	if !ok {
		return nil
	}
	own := known.Clone()
	own.WriteBufferSize = 16 // the smallest that bufio takes
	own.DisableKeepAlives = true
	return own
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errCut }

// A request is one call of the terminal; query comes after SN.
type request struct {
	method, path, query string
	body                []byte
}

// do sends r and returns the text of an answer with status 200.
func (t *Terminal) do(ctx context.Context, r request) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, t.cfg.Timeout)
	defer cancel()
	var body io.Reader
	if r.method == http.MethodPost {
		body = bytes.NewReader(r.body)
	}
	req, err := t.newRequest(ctx, r, body)
	if err != nil {
		return "", err
	}
	resp, err := t.client.Do(req)
	if err != nil {
		return "", fmt.Errorf("calling the gateway: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return "", fmt.Errorf("reading the gateway's answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return "", &AnswerError{Path: r.path, Status: resp.StatusCode}
	}
	return string(answer), nil
}

func (t *Terminal) newRequest(ctx context.Context, r request, body io.Reader) (*http.Request, error) {
	target := t.base + "/iclock/" + r.path + "?SN=" + url.QueryEscape(t.cfg.Serial) + r.query
	req, err := http.NewRequestWithContext(ctx, r.method, target, body)
	if err != nil {
		return nil, fmt.Errorf("calling the gateway: %w", err)
	}
	req.Header.Set("User-Agent", "iClock Proxy/1.09")
	req.Header.Set("Accept", "*/*")
	if body != nil {
		req.Header.Set("Content-Type", "text/plain")
	}
	return req, nil
}

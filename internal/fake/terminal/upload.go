package terminal

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Upload posts body to a table, one try, byte for byte, and returns the gateway's
// answer without its line end. An answer that acknowledges nothing is an
// [*AnswerError].
func (t *Terminal) Upload(ctx context.Context, table string, body []byte) (string, error) {
	return t.try(ctx, t.upload(table, body))
}

// Push is the terminal's outbox: it uploads body until the gateway acknowledges it, or
// ctx ends, with the habits of the terminal. Its error tells the last failure too.
func (t *Terminal) Push(ctx context.Context, table string, body []byte) error {
	return t.push(ctx, t.upload(table, body))
}

// upload is the request that carries records of a table.
func (t *Terminal) upload(table string, body []byte) request {
	r := request{method: http.MethodPost, path: "cdata", body: body, table: table}
	switch {
	case t.isAccess() && (table == rtlog || table == rtstate):
		r.query = []pair{{"table", table}}
	case t.isAccess():
		r.query = []pair{{"table", "tabledata"}, {"tablename", table}, {"count", strconv.Itoa(countRows(body))}}
	case table == options:
		r.query = []pair{{"table", table}}
	default:
		if t.manner.lowerTables {
			table = strings.ToLower(table)
		}
		r.query = []pair{{"table", table}, {"Stamp", "9999"}} // what current firmware sends; it has no meaning
	}
	return r
}

// try sends r once and returns the answer if it acknowledges.
func (t *Terminal) try(ctx context.Context, r request) (string, error) {
	ack, err := t.do(ctx, r)
	if err != nil {
		return "", err
	}
	ack = strings.TrimRight(ack, "\r\n")
	if !strings.HasPrefix(ack, "OK") && !(t.isAccess() && ack == r.counted()) {
		return "", &AnswerError{Path: r.path, Status: http.StatusOK}
	}
	return ack, nil
}

// counted is the ack of rows: their table and number, as the query told them.
func (r request) counted() string {
	count := ""
	for _, p := range r.query {
		if p.name == "count" {
			count = p.value
		}
	}
	return r.table + "=" + count
}

// push sends r until it is acknowledged, or ctx ends, with the habits of the terminal.
func (t *Terminal) push(ctx context.Context, r request) error {
	random := t.draw("upload")
	habits := t.cfg.Habits
	cut, lost, again := habits.shows(Cuts, random, 20), habits.shows(LostAcks, random, 20), habits.shows(Repeats, random, 10)
	if cut {
		t.cut(ctx, r)
	}
	if lost {
		t.lose(ctx, r)
		t.cfg.OnWait(errLost)
		if err := wait(ctx, t.retryWait()); err != nil {
			return err
		}
	}
	if err := t.repeat(ctx, "upload of "+r.table, func(ctx context.Context) error {
		_, err := t.try(ctx, r)
		return err
	}); err != nil {
		return err
	}
	if again {
		if _, err := t.try(ctx, r); err != nil { // it is acknowledged already
			t.cfg.Log.Debug("repeat not acknowledged", "serial", t.cfg.Serial, "table", r.table, "err", err)
		}
	}
	return nil
}

var (
	// errCut ends a body that is cut on purpose.
	errCut = errors.New("connection cut on purpose")
	// errLost is why the terminal waits after an answer that it did not read.
	errLost = errors.New("answer lost on purpose")
)

// lose sends an upload whole and does not read the answer. What the gateway makes of it
// does not matter: the upload follows once more.
func (t *Terminal) lose(ctx context.Context, r request) {
	ctx, cancel := context.WithTimeout(ctx, t.cfg.Timeout)
	defer cancel()
	req, err := t.newRequest(ctx, r, bytes.NewReader(r.body))
	if err != nil {
		return
	}
	if resp, err := t.client.Do(req); err == nil {
		resp.Body.Close()
	}
}

// cut sends the first half of an upload and then closes the connection. What the
// gateway makes of it does not matter: the upload follows whole.
func (t *Terminal) cut(ctx context.Context, r request) {
	half := io.MultiReader(bytes.NewReader(r.body[:len(r.body)/2]), failingReader{})
	ctx, cancel := context.WithTimeout(ctx, t.cfg.Timeout)
	defer cancel()
	req, err := t.newRequest(ctx, r, io.NopCloser(half))
	if err != nil {
		return
	}
	req.ContentLength = int64(max(len(r.body), 1))

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

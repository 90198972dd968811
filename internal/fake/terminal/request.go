package terminal

import (
	"bytes"
	"context"
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

// A request is one call of the terminal; its query comes after SN.
type request struct {
	method, path string
	query        []pair
	body         []byte
	table        string // of an upload
}

// A pair is a name of the query and its value.
type pair struct{ name, value string }

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
	req, err := http.NewRequestWithContext(ctx, r.method, t.base+t.path(r.path)+"?"+t.query(r.query), body)
	if err != nil {
		return nil, fmt.Errorf("calling the gateway: %w", err)
	}
	req.Header.Set("User-Agent", "iClock Proxy/1.09")
	req.Header.Set("Accept", "*/*")
	if body != nil {
		req.Header.Set("Content-Type", "text/plain")
	}
	if t.isAccess() {
		t.accessHeaders(req)
	}
	return req, nil
}

// accessHeaders sets what terminals of PUSH 3.x send.
func (t *Terminal) accessHeaders(req *http.Request) {
	req.Header.Set("Accept", "application/push")
	req.Header.Set("Accept-Charset", "UTF-8")
	if req.Body != nil {
		req.Header.Set("Content-Type", "application/push;charset=UTF-8")
	}
	t.mu.Lock()
	session := t.session
	t.mu.Unlock()
	if session == "" {
		return
	}
	cookie := "token=" + session
	if t.manner.anyOrder {
		cookie += ",timestamp=1" // appended with a comma, as seen
	}
	req.Header["Cookie"] = []string{cookie}
}

// path is the path of a call as the terminal writes it.
func (t *Terminal) path(name string) string {
	path := "/iclock/" + name
	if t.manner.doubled {
		path = "/iclock" + path
	}
	if t.manner.aspx {
		path += ".aspx"
	}
	if t.manner.slash {
		path += "/"
	}
	return path
}

// query is the query of a call as the terminal writes it.
func (t *Terminal) query(more []pair) string {
	pairs := append([]pair{{"SN", t.cfg.Serial}}, more...)
	if t.manner.anyOrder {
		t.draw("query").Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
	}
	var b strings.Builder
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(t.queryName(p.name) + "=" + url.QueryEscape(p.value))
	}
	return b.String()
}

func (t *Terminal) queryName(name string) string {
	switch t.manner.oddNames {
	case 1:
		return strings.ToLower(name)
	case 2:
		return strings.ToUpper(name)
	case 3:
		return strings.ToUpper(name[:1]) + strings.ToLower(name[1:])
	}
	return name
}

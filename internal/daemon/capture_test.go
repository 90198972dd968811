package daemon_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// captureDir has the recorded traffic of terminals, described by its index.json.
const captureDir = "../zkpush/testdata/captures"

// A capture is one recorded request.
type capture struct {
	ID       string            `json:"id"`
	Family   string            `json:"proto"` // v2 attendance, v3 access control
	Method   string            `json:"method"`
	URL      string            `json:"url"` // path and query as sent
	Headers  map[string]string `json:"headers"`
	Answer   *string           `json:"server_answer"`
	BodyFile string            `json:"body_file"`

	serial string
	text   []byte // of the body, unpacked
	lines  int    // of the text that are not blank
	body   []byte
}

// captures returns the recorded requests of a family, in the order of the index.
func captures(t *testing.T, family string) []capture {
	t.Helper()
	index, err := os.ReadFile(filepath.Join(captureDir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all, chosen []capture
	if err := json.Unmarshal(index, &all); err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Family != family || c.Method != http.MethodGet && c.Method != http.MethodPost {
			continue // one of them is the recorded answer of a server
		}
		c.read(t)
		chosen = append(chosen, c)
	}
	return chosen
}

// read fills in what is not in the index.
func (c *capture) read(t *testing.T) {
	t.Helper()
	_, query, _ := strings.Cut(c.URL, "?")
	for pair := range strings.SplitSeq(query, "&") {
		if serial, ok := strings.CutPrefix(pair, "SN="); ok {
			c.serial = serial
		}
	}
	if c.serial == "" {
		t.Fatalf("capture %s names no serial number", c.ID)
	}
	if c.BodyFile == "" {
		return
	}
	text, err := os.ReadFile(filepath.Join(captureDir, filepath.FromSlash(c.BodyFile)))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		if len(bytes.TrimSpace(line)) > 0 {
			c.lines++
		}
	}
	c.text, c.body = text, text
	if strings.Contains(c.URL, "ContentType=tgz") {
		c.body = packed(t, text) // recorded unpacked
	}
}

// packed returns text as a file in a tar in gzip.
func packed(t *testing.T, text []byte) []byte {
	t.Helper()
	var body bytes.Buffer
	zip := gzip.NewWriter(&body)
	archive := tar.NewWriter(zip)
	header := &tar.Header{Name: "operlog.txt", Mode: 0o644, Size: int64(len(text))}
	if err := archive.WriteHeader(header); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return body.Bytes()
}

// wantAck is the exact answer to an attendance terminal, as the protocol has it; "" for
// the init block. What a server was seen to answer, or the manual prints, must agree.
func (c *capture) wantAck(t *testing.T) string {
	t.Helper()
	var want string
	switch {
	case strings.Contains(c.URL, "options=all"):
		return ""
	case c.Method == http.MethodGet, strings.Contains(c.URL, "/devicecmd"),
		strings.Contains(c.URL, "table=options"), strings.Contains(c.URL, "table=ATTPHOTO"):
		want = "OK"
	default:
		want = fmt.Sprintf("OK: %d", c.lines)
	}
	if c.Answer == nil {
		return want
	}
	seen, _, _ := strings.Cut(*c.Answer, " (") // what follows is a remark
	switch c.ID {
	case "vendor-attendance-manual/03-mixed-user-fp":
		seen = strings.Replace(seen, "OK:", "OK: ", 1) // printed without the blank there alone
	case "vendor-attendance-manual/08-biophoto":
		seen += ": 1" // terminals take the count here too, and it is one rule for a table
	}
	if seen != want {
		t.Fatalf("capture %s: the answer recorded is %q, want %q", c.ID, seen, want)
	}
	return want
}

// send posts the request over a connection of its own, byte for byte as a terminal
// does, and returns the answer with its text.
func (c *capture) send(ctx context.Context, address string) (*http.Response, string, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return nil, "", err
	}
	var request bytes.Buffer
	fmt.Fprintf(&request, "%s %s HTTP/1.1\r\nHost: %s\r\n", c.Method, c.URL, address)
	for name, value := range c.Headers {
		fmt.Fprintf(&request, "%s: %s\r\n", name, value)
	}
	if c.Method == http.MethodPost {
		fmt.Fprintf(&request, "Content-Length: %d\r\n", len(c.body))
	}
	request.WriteString("\r\n")
	request.Write(c.body)
	if _, err := conn.Write(request.Bytes()); err != nil {
		return nil, "", err
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer, string(text), err
}

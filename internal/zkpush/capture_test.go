package zkpush

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

var update = flag.Bool("update", false, "write golden files instead of comparing")

// A capture is one recorded request of index.json.
type capture struct {
	ID       string  `json:"id"`
	Proto    string  `json:"proto"`
	Method   string  `json:"method"`
	URL      string  `json:"url"`
	Answer   *string `json:"server_answer"`
	BodyFile string  `json:"body_file"`
}

// captures returns the recorded requests, without the recorded answer of a server.
func captures(tb testing.TB) []capture {
	tb.Helper()
	index, err := os.ReadFile("testdata/captures/index.json")
	if err != nil {
		tb.Fatal(err)
	}
	var all, requests []capture
	if err := json.Unmarshal(index, &all); err != nil {
		tb.Fatal(err)
	}
	for _, c := range all {
		if c.Method == http.MethodGet || c.Method == http.MethodPost {
			requests = append(requests, c)
		}
	}
	if len(requests) < 60 {
		tb.Fatalf("got %d captures, want at least 60", len(requests))
	}
	return requests
}

// body returns the recorded body, packed as it was on the wire.
func (c capture) body(tb testing.TB) []byte {
	tb.Helper()
	if c.BodyFile == "" {
		return nil
	}
	body, err := os.ReadFile(filepath.Join("testdata/captures", filepath.FromSlash(c.BodyFile)))
	if err != nil {
		tb.Fatal(err)
	}
	if strings.Contains(c.URL, "ContentType=tgz") {
		return tgz(tb, string(body))
	}
	return body
}

// wantAck works the ack out from the words of the protocol; "" for the init block,
// which has a golden file of its own.
func (c capture) wantAck(tb testing.TB) string {
	tb.Helper()
	switch {
	case strings.Contains(c.URL, "/registry?"):
		return "" // the code, in the golden file
	case strings.Contains(c.URL, "options=all"):
		return ""
	case c.Proto == "v3" && c.Answer != nil:
		return *c.Answer
	case c.Method == http.MethodGet, strings.Contains(c.URL, "devicecmd"),
		strings.Contains(c.URL, "table=options"), strings.Contains(c.URL, "table=ATTPHOTO"):
		return "OK"
	}
	text, err := os.ReadFile(filepath.Join("testdata/captures", filepath.FromSlash(c.BodyFile)))
	if err != nil {
		tb.Fatal(err)
	}
	lines := 0
	for line := range bytes.Lines(text) {
		if len(bytes.TrimSpace(line)) > 0 {
			lines++
		}
	}
	return fmt.Sprintf("OK: %d", lines)
}

// The golden files say what recorded traffic means. A diff here changes what
// customers are told.
func TestCaptures(t *testing.T) {
	t.Parallel()
	for _, c := range captures(t) {
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			h, sink, log := newHandler(t)
			body := c.body(t)
			w := send(h, c.Method, c.URL, string(body))
			if want := c.wantAck(t); want != "" && w.Body.String() != want {
				t.Errorf("ack: got %q, want %q", w.Body, want)
			}
			if w.Code != http.StatusOK {
				t.Errorf("status: got %d, want 200", w.Code)
			}
			golden(t, c.ID, transcript(c, w.Body.String(), sink))
			for line := range strings.SplitSeq(string(body), "\n") {
				if len(line) > 20 && strings.Contains(log.String(), line) {
					t.Errorf("the log has a line of the body")
				}
			}
		})
	}
}

func transcript(c capture, ack string, sink *memory) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", c.Method, c.URL)
	for _, s := range sink.sightings {
		fmt.Fprintf(&b, "seen protocol=%q language=%q firmware=%q", s.Protocol, s.Language, s.Firmware)
		if s.Family != "" {
			fmt.Fprintf(&b, " family=%s", s.Family)
		}
		if !s.MeasuredAt.IsZero() {
			fmt.Fprintf(&b, " clock=%v", s.ClockOffset)
		}
		b.WriteString("\n")
	}
	for _, u := range sink.uploads {
		fmt.Fprintf(&b, "upload %q", u.Table)
		if u.Order != "" {
			fmt.Fprintf(&b, " order %q", u.Order)
		}
		if len(u.Raw) > 0 {
			fmt.Fprintf(&b, " raw %s", short(enroll.Data{Bytes: u.Raw, Text: true}))
		}
		b.WriteString("\n")
		for _, report := range u.Reports {
			fmt.Fprintf(&b, "  %s\n", describe(report))
		}
	}
	for _, a := range sink.answers {
		fmt.Fprintf(&b, "answer %q %d %s\n", a.ID, a.Return, a.Words)
	}
	fmt.Fprintf(&b, "-> %s\n", strings.TrimSuffix(ack, "\n"))
	return b.String()
}

func golden(t *testing.T, id, got string) {
	t.Helper()
	file := "testdata/golden/" + strings.ReplaceAll(id, "/", "-") + ".txt"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; run go test ./internal/zkpush -update and read the diff\n got %s\nwant %s", file, got, want)
	}
}

// tgz packs each text as a file of an archive.
func tgz(tb testing.TB, files ...string) []byte {
	tb.Helper()
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	archive := tar.NewWriter(zip)
	for i, text := range files {
		header := &tar.Header{Name: fmt.Sprintf("../%d.txt", i), Mode: 0o644, Size: int64(len(text))}
		if err := archive.WriteHeader(header); err != nil {
			tb.Fatal(err)
		}
		if _, err := archive.Write([]byte(text)); err != nil {
			tb.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		tb.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		tb.Fatal(err)
	}
	return packed.Bytes()
}

func gzipped(tb testing.TB, text []byte) []byte {
	tb.Helper()
	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := zip.Write(text); err != nil {
		tb.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		tb.Fatal(err)
	}
	return packed.Bytes()
}

package zkpush

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// A cut request is written by hand, since no HTTP client sends one.
func TestBody_CutShortIsNotHandedOver(t *testing.T) {
	t.Parallel()
	h, sink, _ := newHandler(t)
	server := httptest.NewServer(h)
	for _, head := range []string{"Content-Length: 5000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n500\r\n"} {
		connection, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.WriteString(connection, "POST /iclock/cdata?SN=A1&table=OPERLOG HTTP/1.1\r\nHost: a\r\n"+head+userLine+"\n")
		if err != nil {
			t.Fatal(err)
		}
		if err := connection.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(connection), nil)
		if err == nil {
			if response.StatusCode == http.StatusOK {
				t.Errorf("%q: got 200, want no ack", head)
			}
			_ = response.Body.Close()
		}
		_ = connection.Close()
	}
	server.Close() // waits for the handlers
	if len(sink.uploads) > 0 {
		t.Errorf("got %d uploads, want none", len(sink.uploads))
	}
}

// A slow terminal sends byte by byte; chunked, as some do.
func TestBody_SlowAndChunkedIsTaken(t *testing.T) {
	t.Parallel()
	h, sink, _ := newHandler(t)
	server := httptest.NewServer(h)
	defer server.Close()
	read, write := io.Pipe()
	go func() {
		for _, c := range []byte(userLine) {
			if _, err := write.Write([]byte{c}); err != nil {
				return
			}
		}
		_ = write.Close()
	}()
	response, err := server.Client().Post(server.URL+"/iclock/cdata?SN=A1&table=OPERLOG", "application/x-www-form-urlencoded", read)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != 200 || len(sink.uploads) != 1 {
		t.Errorf("got %d and %d uploads, want 200 and 1", response.StatusCode, len(sink.uploads))
	}
}

func TestBody_Limits(t *testing.T) {
	t.Parallel()
	upload := func(h *Handler, header, url string, body io.Reader, length int64) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", url, body)
		r.ContentLength = length
		r.Header.Set("Content-Encoding", header)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	bomb := gzipped(t, make([]byte, maxUnpacked+1))
	photo := append([]byte("x\x00"), bytes.Repeat([]byte{'A'}, maxBody-2)...)
	tests := []struct {
		name, encoding, url string
		body                []byte
		length              int64
		status              int
	}{
		{"a claim of more than 16 MiB", "", "table=OPERLOG", nil, maxBody + 1, 413},
		{"more than 16 MiB without a claim", "", "table=OPERLOG", append(photo, 'A'), -1, 413},
		{"16 MiB are taken", "", "table=ATTPHOTO", photo, maxBody, 200},
		{"gzip that grows beyond 64 MiB", "gzip", "table=OPERLOG", bomb, -1, 413},
		{"tgz that grows beyond 64 MiB", "", "table=OPERLOG&ContentType=tgz", bomb, -1, 413},
		{"tgz in gzip that grows beyond 64 MiB", "gzip", "table=OPERLOG&ContentType=tgz", gzipped(t, bomb), -1, 413},
		{"more lines than any terminal sends", "", "table=OPERLOG", bytes.Repeat([]byte("a\n"), maxLines+1), -1, 413},
		{"more lines in an unknown table", "", "table=NEW", bytes.Repeat([]byte("a\n"), maxLines+1), -1, 413},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, sink, _ := newHandler(t)
			w := upload(h, tt.encoding, "/iclock/cdata?SN=A1&"+tt.url, bytes.NewReader(tt.body), tt.length)
			if w.Code != tt.status {
				t.Errorf("got %d, want %d", w.Code, tt.status)
			}
			if got := w.Header().Get("Connection"); tt.status == 413 && got != "close" {
				t.Errorf("Connection: got %q, want close", got)
			}
			if got := len(sink.uploads); (got == 1) != (tt.status == 200) {
				t.Errorf("got %d uploads with status %d", got, tt.status)
			}
		})
	}
}

func TestBody_Packed(t *testing.T) {
	t.Parallel()
	archive := tgz(t, bom+userLine, "", userLine+"\r\n"+userLine)
	text := userLine + "\n" + userLine
	broken := gzipped(t, []byte(strings.Repeat(userLine, 50)))
	plain, err := gunzip(archive)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, encoding, query, body, ack string
	}{
		{"gzip", "gzip", "", string(gzipped(t, []byte(text))), "OK: 2"},
		{"gzip by its old name", "X-GZIP", "", string(gzipped(t, []byte(text))), "OK: 2"},
		{"a proxy unpacked and left the header", "gzip", "", text, "OK: 2"},
		{"tgz with several files", "", "&contenttype=TGZ", string(archive), "OK: 3"},
		{"tgz in gzip", "gzip", "&ContentType=tgz", string(gzipped(t, archive)), "OK: 3"},
		{"tgz that is only gzip", "", "&ContentType=tgz", string(gzipped(t, []byte(text))), "OK: 2"},
		{"tgz that is plain text", "", "&ContentType=tgz", text, "OK: 2"},
		{"gzip that is damaged is kept whole", "gzip", "", string(broken[:len(broken)-9]), "OK: 1"},
		{"gzip with a damaged head is kept whole", "gzip", "", "\x1f\x8b!", "OK: 1"},
		{"tgz that is damaged is kept whole", "", "&ContentType=tgz", string(broken[:len(broken)-9]), "OK: 1"},
		{"an archive that ends early is kept whole", "", "&ContentType=tgz", string(gzipped(t, plain[:520])), "OK: 1"},
		{"an archive with a damaged head is kept whole", "", "&ContentType=tgz",
			string(gzipped(t, append(bytes.Clone(plain[:1024]), bytes.Repeat([]byte{'x'}, 512)...))), "OK: 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, sink, _ := newHandler(t)
			r := httptest.NewRequest("POST", "/iclock/cdata?SN=A1&table=OPERLOG"+tt.query, strings.NewReader(tt.body))
			r.Header.Set("Content-Encoding", tt.encoding)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			checkAnswer(t, w, 200, tt.ack)
			for _, report := range sink.uploads[0].Reports {
				unread, ok := report.(enroll.UnreadReport)
				if whole := strings.Contains(tt.name, "kept whole"); ok != whole || whole && string(unread.Line) != tt.body {
					t.Errorf("got %s", describe(report))
				}
			}
		})
	}
}

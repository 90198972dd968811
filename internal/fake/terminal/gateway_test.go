package terminal_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/fake/terminal"
)

// A gateway is as much of one as a terminal sees: it approves, acknowledges, and
// refuses or sends commands when told to.
type gateway struct {
	*httptest.Server

	mu       sync.Mutex
	pending  int      // handshakes left without init block
	refuse   int      // uploads left to be answered 503
	commands string   // answer of the next poll
	calls    []string // method, path and query of every request
	stored   []stored // acknowledged uploads
	closing  bool     // every request said Connection: close

	broken chan int // bytes that came of an upload that was cut
}

type stored struct{ table, body string }

func newGateway(t *testing.T) *gateway {
	t.Helper()
	g := &gateway{closing: true, broken: make(chan int, 10)}
	g.Server = httptest.NewServer(g)
	t.Cleanup(g.Close)
	return g
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls = append(g.calls, r.Method+" "+r.URL.RequestURI())
	g.closing = g.closing && r.Close
	if err != nil {
		g.broken <- len(body)
		return
	}
	table := r.URL.Query().Get("table")
	switch {
	case r.URL.Path == "/iclock/getrequest" && g.commands != "":
		io.WriteString(w, g.commands)
		g.commands = ""
	case r.URL.Path == "/iclock/devicecmd":
		g.stored = append(g.stored, stored{"devicecmd", string(body)})
		io.WriteString(w, "OK")
	case r.Method == http.MethodGet && r.URL.Path == "/iclock/cdata":
		if g.pending > 0 {
			g.pending--
			io.WriteString(w, "OK")
			return
		}
		fmt.Fprintf(w, "GET OPTION FROM: %s\nErrorDelay=1\nDelay=10\nTimeZone=330\nPushOptionsFlag=1\n", r.URL.Query().Get("SN"))
	case table != "" && g.refuse > 0:
		g.refuse--
		http.Error(w, "try again", http.StatusServiceUnavailable)
	case table != "":
		g.stored = append(g.stored, stored{table, string(body)})
		fmt.Fprintf(w, "OK: %d", max(1, len(strings.Fields(strings.ReplaceAll(string(body), "\t", "")))))
	default:
		io.WriteString(w, "OK")
	}
}

func (g *gateway) uploads() []stored {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.stored
}

// newTerminal returns a terminal of g whose clock stands still.
func newTerminal(t *testing.T, g *gateway, c terminal.Config) *terminal.Terminal {
	t.Helper()
	c.Gateway, c.Serial, c.Retry = g.URL, "SIM0000000001", time.Millisecond
	c.Now = func() time.Time { return time.Date(2026, 9, 17, 10, 3, 38, 0, time.UTC) }
	c.PhotoWidth, c.PhotoHeight = 48, 64
	term, err := terminal.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(term.Close)
	return term
}

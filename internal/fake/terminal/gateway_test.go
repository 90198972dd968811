package terminal_test

import (
	"cmp"
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
	cookies  []string // of every request

	registered bool   // the terminal of PUSH 3.x is known
	block      string // answer of the handshake of PUSH 3.x; "" for the right one
	ack        string // of rows; "" for the right one

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
	g.cookies = append(g.cookies, r.Header.Get("Cookie"))
	g.closing = g.closing && r.Close
	if err != nil {
		g.broken <- len(body)
		return
	}
	query := make(map[string]string)
	for name, values := range r.URL.Query() {
		query[strings.ToLower(name)] = values[0]
	}
	path := strings.TrimSuffix(strings.Trim(strings.ReplaceAll(r.URL.Path, "/iclock", ""), "/"), ".aspx")
	if path == "cdata" && query["options"] != "" || path == "registry" || path == "push" || path == "rtdata" {
		g.greet(w, path, query)
		return
	}
	table := query["table"]
	switch {
	case path == "getrequest" && g.commands != "":
		io.WriteString(w, g.commands)
		g.commands = ""
	case path == "devicecmd":
		g.stored = append(g.stored, stored{"devicecmd", string(body)})
		io.WriteString(w, "OK")
	case (table != "" || path == "querydata") && g.refuse > 0:
		g.refuse--
		http.Error(w, "try again", http.StatusServiceUnavailable)
	case path == "querydata" || table == "tabledata":
		name := query["tablename"]
		if path == "querydata" {
			name += " " + query["cmdid"] + " " + query["packidx"] + "/" + query["packcnt"]
		}
		g.stored = append(g.stored, stored{name, string(body)})
		io.WriteString(w, cmp.Or(g.ack, query["tablename"]+"="+query["count"]))
	case table == "rtlog", table == "rtstate":
		g.stored = append(g.stored, stored{table, string(body)})
		io.WriteString(w, "OK")
	case table != "":
		g.stored = append(g.stored, stored{table, string(body)})
		fmt.Fprintf(w, "OK: %d", max(1, len(strings.Fields(strings.ReplaceAll(string(body), "\t", "")))))
	default:
		io.WriteString(w, "OK")
	}
}

// greet answers what a terminal begins with.
func (g *gateway) greet(w io.Writer, path string, query map[string]string) {
	const settings = "RegistryCode=code1\nServerVersion=3.0.1\nErrorDelay=1\nRequestDelay=5\nSessionID=session1\n"
	switch {
	case g.pending > 0 && (path == "registry" || query["devicetype"] != "acc"):
		g.pending--
		if path == "registry" {
			w.(http.ResponseWriter).WriteHeader(http.StatusNotAcceptable)
		}
		io.WriteString(w, "OK")
	case path == "registry":
		g.registered = true
		io.WriteString(w, "RegistryCode=code1")
	case path == "push":
		io.WriteString(w, settings)
	case path == "rtdata":
		io.WriteString(w, "DateTime=583050990,ServerTZ=+0530")
	case query["devicetype"] == "acc" && g.registered:
		io.WriteString(w, "registry=ok\n"+settings)
	case query["devicetype"] == "acc" && g.block != "":
		io.WriteString(w, g.block)
	case query["devicetype"] == "acc":
		io.WriteString(w, "OK")
	default:
		fmt.Fprintf(w, "GET OPTION FROM: %s\nErrorDelay=1\nDelay=10\nTimeZone=330\nPushOptionsFlag=1\n", query["sn"])
	}
}

func (g *gateway) uploads() []stored {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.stored
}

// newTerminal returns a terminal of g whose clock stands still, polite unless c says
// otherwise.
func newTerminal(t *testing.T, g *gateway, c terminal.Config) *terminal.Terminal {
	t.Helper()
	c.Gateway, c.Serial, c.Retry = g.URL, "SIM0000000001", time.Millisecond
	c.Now = func() time.Time { return time.Date(2026, 9, 17, 10, 3, 38, 0, time.UTC) }
	c.PhotoWidth, c.PhotoHeight = 48, 64
	c.Pause = time.Millisecond
	if c.Habits == (terminal.Habits{}) {
		c.Habits = terminal.Polite()
	}
	term, err := terminal.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(term.Close)
	return term
}

package daemon_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/admin"
	"github.com/fingerpost/fingerpost/internal/config"
	"github.com/fingerpost/fingerpost/internal/daemon"
	"github.com/fingerpost/fingerpost/internal/fake/endpoint"
)

var update = flag.Bool("update", false, "write golden files instead of comparing")

// The golden files say what recorded traffic is to customers. A diff here changes what
// their receivers get.
func TestReplay(t *testing.T) {
	t.Parallel()
	requests := captures(t, "v2")
	if len(requests) < 45 {
		t.Fatalf("got %d requests, want at least 45", len(requests))
	}
	for name, times := range map[string]int{
		"each request once":                       1,
		"each request twice, as after a lost ack": 2,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testReplay(t, requests, times)
		})
	}
}

// testReplay posts each request so many times in a row, and then all of them once more.
func testReplay(t *testing.T, requests []capture, times int) {
	g := startGateway(t)
	g.approve(t, requests)
	for _, c := range requests {
		for range times {
			g.post(t, c)
		}
	}
	first := g.delivered(t)
	t.Run("every change comes to one callback", func(t *testing.T) {
		g.golden(t, "", requests, first)
	})

	if times > 1 {
		return // a third time would switch the form of the ack, as it should
	}
	// As after a long outage. What differs from the last that was told is news.
	for _, c := range requests {
		g.post(t, c)
	}
	again := slices.DeleteFunc(g.delivered(t), func(d told) bool {
		return slices.ContainsFunc(first, func(f told) bool { return f.ID == d.ID })
	})
	t.Run("what is not new makes no callback", func(t *testing.T) {
		g.golden(t, "-again", requests, again)
	})
	t.Run("every line was understood", func(t *testing.T) {
		for _, serial := range serials(requests) {
			device, err := g.client.Device(t.Context(), serial)
			if err != nil {
				t.Fatal(err)
			}
			if device.UnreadRecords != 0 {
				t.Errorf("device %s: got %d unread records, want 0", serial, device.UnreadRecords)
			}
		}
	})
	t.Run("neither log nor output has a credential", func(t *testing.T) {
		g.stop(t)
		g.checkQuiet(t, requests)
	})
}

// TestReplay_Access is TestReplay for access control terminals.
func TestReplay_Access(t *testing.T) {
	t.Parallel()
	requests := captures(t, "v3")
	if len(requests) < 18 {
		t.Fatalf("got %d requests, want at least 18", len(requests))
	}
	g := startGateway(t)
	g.approve(t, requests)
	for _, c := range requests {
		answer, text, err := c.send(t.Context(), g.device)
		if err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		want := "OK"
		switch {
		case strings.Contains(c.URL, "/registry?"):
			want = "RegistryCode="
		case strings.Contains(c.URL, "options=all"):
			want = "registry=ok\nRegistryCode="
		case c.Answer != nil:
			want = *c.Answer
		}
		if open := strings.HasSuffix(want, "RegistryCode="); answer.StatusCode != http.StatusOK ||
			open && !strings.HasPrefix(text, want) || !open && text != want {
			t.Errorf("%s: got %d %q, want 200 %q", c.ID, answer.StatusCode, text, want)
		}
	}
	g.golden(t, "-access", requests, g.delivered(t))
	for _, serial := range serials(requests) {
		device, err := g.client.Device(t.Context(), serial)
		if err != nil {
			t.Fatal(err)
		}
		if device.UnreadRecords != 0 {
			t.Errorf("device %s: got %d unread records, want 0", serial, device.UnreadRecords)
		}
	}
}

// A gateway is a daemon in this process with one endpoint that wants everything, and
// the receiver behind it.
type gateway struct {
	client   *admin.Client
	receiver *endpoint.Endpoint
	device   string // host:port where terminals call
	output   output
	end      context.CancelFunc
	ended    chan error
}

// endpointName and authToken are what the receiver is called and checks.
const (
	endpointName = "replay"
	authToken    = "token-of-the-replay"
)

// output is what a daemon logged and printed.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func startGateway(t *testing.T) *gateway {
	t.Helper()
	dir := t.TempDir()
	g := &gateway{ended: make(chan error, 1)}
	d, err := daemon.New(config.Config{
		Data:         filepath.Join(dir, "data"),
		KeyFile:      filepath.Join(dir, "data", "seal.key"),
		DeviceListen: "127.0.0.1:0",
		AdminListen:  "127.0.0.1:0",
	}, daemon.Options{
		Log:     slog.New(slog.NewTextHandler(&g.output, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Out:     &g.output,
		Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	var ctx context.Context
	ctx, g.end = context.WithCancel(context.Background())
	go func() { g.ended <- d.Run(ctx) }()
	t.Cleanup(func() { g.stop(t) })
	select {
	case err := <-g.ended:
		t.Fatalf("the daemon ended with %v, want it to listen", err)
	case <-d.Ready:
	}
	g.device = strings.TrimPrefix(d.DeviceURL(), "http://")
	token, err := os.ReadFile(filepath.Join(dir, "data", daemon.TokenFile))
	if err != nil {
		t.Fatal(err)
	}
	g.client = admin.NewClient(d.AdminURL(), strings.TrimSpace(string(token)), nil)
	g.addReceiver(t)
	return g
}

// addReceiver starts a receiver and adds it as the endpoint.
func (g *gateway) addReceiver(t *testing.T) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.receiver.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	token := authToken
	added, err := g.client.AddEndpoint(t.Context(), admin.NewEndpoint{Name: endpointName,
		URL: server.URL + "/callback?key=a%20b", AuthToken: &token, Kinds: []string{"all"}})
	if err != nil {
		t.Fatal(err)
	}
	if g.receiver, err = endpoint.New(endpoint.Config{AuthToken: authToken, Secret: added.Secret}); err != nil {
		t.Fatal(err)
	}
}

// stop ends the daemon and waits for it; a second call does nothing.
func (g *gateway) stop(t *testing.T) {
	t.Helper()
	g.end()
	select {
	case err, first := <-g.ended:
		if first && err != nil {
			t.Errorf("the daemon ended with %v, want nil", err)
		}
		if first {
			close(g.ended)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the daemon did not end within 30s")
	}
}

// approve adds a device for each serial number in requests.
func (g *gateway) approve(t *testing.T, requests []capture) {
	t.Helper()
	for _, serial := range serials(requests) {
		if _, err := g.client.AddDevice(t.Context(), admin.NewDevice{Serial: serial, StgID: "stg-" + serial,
			TimeZone: "Asia/Kolkata", Endpoints: []string{endpointName}, Settle: "0s"}); err != nil {
			t.Fatal(err)
		}
		g.answerQuery(t, serial)
	}
}

// answerQuery takes the query for users that an approved device gets, and answers
// that there are none.
func (g *gateway) answerQuery(t *testing.T, serial string) {
	t.Helper()
	base := "http://" + g.device + "/iclock/"
	order := call(t, http.MethodGet, base+"getrequest?SN="+serial, "")
	id, _, found := strings.Cut(strings.TrimPrefix(order, "C:"), ":")
	if !found || !strings.Contains(order, "DATA QUERY") {
		t.Fatalf("device %s: got order %q, want a query for its users", serial, order)
	}
	if ack := call(t, http.MethodPost, base+"devicecmd?SN="+serial, "ID="+id+"&Return=0&CMD=DATA\n"); ack != "OK" {
		t.Fatalf("device %s: got %q, want OK", serial, ack)
	}
}

// call makes a request as a terminal does, and returns the answer.
func call(t *testing.T, method, url, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func serials(requests []capture) []string {
	var all []string
	for _, c := range requests {
		if !slices.Contains(all, c.serial) {
			all = append(all, c.serial)
		}
	}
	return all
}

// post sends a request of an attendance terminal and checks the answer.
func (g *gateway) post(t *testing.T, c capture) {
	t.Helper()
	answer, text, err := c.send(t.Context(), g.device)
	if err != nil {
		t.Fatalf("%s: %v", c.ID, err)
	}
	if answer.StatusCode != http.StatusOK {
		t.Errorf("%s: got status %d, want 200", c.ID, answer.StatusCode)
	}
	if got := answer.Header.Get("Content-Type"); got != "text/plain" {
		t.Errorf("%s: got Content-Type %q, want text/plain", c.ID, got)
	}
	if _, err := http.ParseTime(answer.Header.Get("Date")); err != nil {
		t.Errorf("%s: the Date header is no time: %v", c.ID, err) // terminals set their clock by it
	}
	want := c.wantAck(t)
	if want == "" {
		checkInitBlock(t, c, text)
	} else if text != want {
		t.Errorf("%s: got ack %q, want %q", c.ID, text, want)
	}
}

// checkInitBlock checks what depends on the device and its settings; the golden files
// of package zkpush have the whole block.
func checkInitBlock(t *testing.T, c capture, text string) {
	t.Helper()
	lines := strings.Split(text, "\n")
	for _, want := range []string{"OPERLOGStamp=9999", "TimeZone=330", "Delay=10"} {
		if !slices.Contains(lines, want) {
			t.Errorf("%s: got an init block without the line %q", c.ID, want)
		}
	}
	if want := "GET OPTION FROM: " + c.serial; lines[0] != want {
		t.Errorf("%s: got %q first, want %q", c.ID, lines[0], want)
	}
}

// A told is a delivery with the callback that brought it.
type told struct {
	admin.Delivery
	callback endpoint.Received
}

// delivered waits until nothing waits, and returns all deliveries so far with their
// callbacks, lane by lane, in order.
func (g *gateway) delivered(t *testing.T) []told {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	list := g.deliveries(t, ctx, "")
	if err := g.receiver.Wait(ctx, len(list)); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	done := g.deliveries(t, ctx, "delivered")
	for len(done) < len(list) {
		select {
		case <-ctx.Done():
			t.Fatal("not everything was delivered within 30s")
		case <-tick.C:
			done = g.deliveries(t, ctx, "delivered")
		}
	}
	received := g.receiver.Received()
	if len(received) != len(list) {
		t.Fatalf("got %d callbacks, want %d", len(received), len(list))
	}
	if breaches := endpoint.Check(received); len(breaches) > 0 {
		t.Fatalf("got breaches of the delivery contract, want none:\n%s", strings.Join(breaches, "\n"))
	}
	return match(t, done, received)
}

// deliveries returns all deliveries in a state, lane by lane.
func (g *gateway) deliveries(t *testing.T, ctx context.Context, state string) []admin.Delivery {
	t.Helper()
	list, err := g.client.Deliveries(ctx, admin.DeliveryQuery{State: state, Page: admin.Page{Limit: 1000}})
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	return list.Items
}

// match puts each delivery and its callback together.
func match(t *testing.T, list []admin.Delivery, received []endpoint.Received) []told {
	t.Helper()
	byID := make(map[string]endpoint.Received)
	for _, r := range received {
		byID[r.OperationID] = r
	}
	all := make([]told, len(list))
	for i, d := range list {
		r, came := byID[d.OperationID]
		if !came || r.Sequence != d.Sequence {
			t.Fatalf("delivery %s: got a callback with sequence %d, want %d", d.ID, r.Sequence, d.Sequence)
		}
		all[i] = told{d, r}
	}
	return all
}

// golden compares the callbacks of each serial number with its golden file, lane by
// lane, in order. A device without callbacks has no file.
func (g *gateway) golden(t *testing.T, suffix string, requests []capture, all []told) {
	t.Helper()
	for _, serial := range serials(requests) {
		var text strings.Builder
		for _, class := range []string{"updates", "punches"} {
			for _, d := range all {
				if d.Device == serial && d.Class == class {
					checkCallback(t, d)
					fmt.Fprintf(&text, "%s %d: %s, user %q\n%s\n\n", class, d.Sequence, strings.Join(d.Kinds, ","), d.UserID, fixed(d.callback.Body))
				}
			}
		}
		file := filepath.Join("testdata", "replay", serial+suffix+".golden")
		if *update {
			writeGolden(t, file, text.String())
		}
		want, err := os.ReadFile(file)
		if err != nil && (!errors.Is(err, os.ErrNotExist) || text.Len() > 0) {
			t.Fatal(err)
		}
		if text.String() != string(want) {
			t.Errorf("%s differs; run go test ./internal/daemon -update and read the diff\n got %s\nwant %s", file, text.String(), want)
		}
	}
}

func writeGolden(t *testing.T, file, text string) {
	t.Helper()
	if text == "" {
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		return
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// checkCallback checks what is the same in every callback and not in its body.
func checkCallback(t *testing.T, d told) {
	t.Helper()
	r := d.callback
	for what, err := range map[string]error{"body": r.ParseErr, "token": r.TokenErr, "signature": r.SignatureErr} {
		if err != nil {
			t.Errorf("callback %s: %s: %v", d.ID, what, err)
		}
	}
	if want := "/callback?key=a%20b&stgid=stg-" + url.QueryEscape(d.Device); r.URI != want {
		t.Errorf("callback %s: got URI %q, want %q", d.ID, r.URI, want)
	}
	if got := r.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("callback %s: got Content-Type %q, want application/json", d.ID, got)
	}
	if r.Attempt != 1 || d.Attempts != 1 {
		t.Errorf("callback %s: got attempt %d of %d, want 1 of 1", d.ID, r.Attempt, d.Attempts)
	}
}

var (
	operationID  = regexp.MustCompile(`"OperationID":"[a-z0-9]{12}"`)
	downloadedAt = regexp.MustCompile(`"DownloadedAt":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"`)
	longData     = regexp.MustCompile(`"Data":"[^"]{40,}"`)
)

// fixed returns a body without what differs from run to run, long data as its length
// and hash. All else stays to the letter.
func fixed(body []byte) []byte {
	body = operationID.ReplaceAll(body, []byte(`"OperationID":"<12 of a-z0-9>"`))
	body = downloadedAt.ReplaceAll(body, []byte(`"DownloadedAt":"<time>"`))
	return longData.ReplaceAllFunc(body, func(field []byte) []byte {
		data := field[len(`"Data":"`) : len(field)-1]
		return fmt.Appendf(nil, `"Data":"<%d characters, sha256 %x>"`, len(data), sha256.Sum256(data))
	})
}

// checkQuiet checks that no template, picture, password or card of the requests is in
// what the daemon logged or printed.
func (g *gateway) checkQuiet(t *testing.T, requests []capture) {
	t.Helper()
	output := g.output.String()
	if !strings.Contains(output, "level=DEBUG") {
		t.Error("got no debug log, want one: else this test sees nothing")
	}
	if strings.Contains(output, authToken) {
		t.Error("the auth token is in the log")
	}
	for _, c := range requests {
		for field := range strings.FieldsFuncSeq(string(c.text), func(r rune) bool { return r == '\t' || r == '\n' }) {
			key, value, _ := strings.Cut(field, "=")
			secret := slices.Contains([]string{"TMP", "CONTENT", "PASSWD", "CARD", "VICECARD"}, strings.ToUpper(key))
			if secret && len(value) >= 6 && strings.Contains(output, value[:min(len(value), 40)]) {
				t.Errorf("%s: %s is in the log", c.ID, key)
			}
		}
	}
}

package daemon_test

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fingerpost/fingerpost/internal/admin"
	"github.com/fingerpost/fingerpost/internal/config"
	"github.com/fingerpost/fingerpost/internal/daemon"
	"github.com/fingerpost/fingerpost/internal/fake/endpoint"
	"github.com/fingerpost/fingerpost/internal/fake/terminal"
)

// TestModel draws what people do at a terminal that misbehaves as the field does, with
// restarts of the gateway between. In the end the receiver's picture of all users is the
// terminal's, and no template or photo was told twice.
func TestModel(t *testing.T) {
	t.Parallel()
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		if err := checks.Value.Set("12"); err != nil { // half a second each; -rapid.checks=500 for long
			t.Fatal(err)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		m := startModel(t, rt, rapid.IntRange(2, 3).Draw(rt, "protocol"), rapid.Uint64().Draw(rt, "seed"),
			rapid.SampledFrom([]string{"0s", "300ms"}).Draw(rt, "settle"))
		defer m.end()
		for _, step := range rapid.SliceOfN(rapid.SampledFrom([]string{"act", "act", "act", "act", "poll", "connect", "restart"}), 5, 40).Draw(rt, "steps") {
			m.step(step)
		}
		m.check()
	})
}

// A model is a terminal, a gateway that can be started again, and a receiver.
type model struct {
	rt       *rapid.T
	ctx      context.Context
	stop     context.CancelFunc
	dir      string
	device   atomic.Value // host:port where the gateway listens now
	client   *admin.Client
	receiver *endpoint.Endpoint
	server   *httptest.Server
	terminal *terminal.Terminal
	endRun   context.CancelFunc
	ran      chan error
}

const modelSerial = "MODEL0001"

func startModel(t *testing.T, rt *rapid.T, protocol int, seed uint64, settle string) *model {
	m := &model{rt: rt, dir: filepath.Join(t.TempDir(), "data")}
	m.ctx, m.stop = context.WithTimeout(context.Background(), 2*time.Minute)
	m.run()
	m.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { m.receiver.ServeHTTP(w, r) }))
	added, err := m.client.AddEndpoint(m.ctx, admin.NewEndpoint{Name: "all", URL: m.server.URL, Kinds: []string{"updates", "user-deleted", "punch"}})
	m.ok(err)
	m.receiver, err = endpoint.New(endpoint.Config{AuthToken: added.AuthToken, Secret: added.Secret})
	m.ok(err)
	_, err = m.client.AddDevice(m.ctx, admin.NewDevice{Serial: modelSerial, StgID: modelSerial, TimeZone: "Asia/Kolkata",
		Endpoints: []string{"all"}, Settle: settle})
	m.ok(err)
	// The gateway has another port after each start.
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, m.device.Load().(string))
	}
	m.terminal, err = terminal.New(terminal.Config{Gateway: "http://gateway.test", Serial: modelSerial, Protocol: protocol, Seed: seed,
		Client: &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}},
		Retry:  5 * time.Millisecond, Pause: 20 * time.Millisecond, TemplateSize: 200, PhotoWidth: 8, PhotoHeight: 8})
	m.ok(err)
	m.ok(m.terminal.Connect(m.ctx))
	m.ok(m.terminal.Poll(m.ctx))
	return m
}

func (m *model) ok(err error) {
	m.rt.Helper()
	if err != nil {
		m.rt.Fatal(err)
	}
}

// run starts the gateway on the data that it has.
func (m *model) run() {
	d, err := daemon.New(config.Config{Data: m.dir, KeyFile: filepath.Join(m.dir, "seal.key"), DeviceListen: "127.0.0.1:0",
		AdminListen: "127.0.0.1:0"}, daemon.Options{Version: "test"})
	m.ok(err)
	var ctx context.Context
	ctx, m.endRun = context.WithCancel(context.Background())
	m.ran = make(chan error, 1)
	go func() { m.ran <- d.Run(ctx) }()
	select {
	case err := <-m.ran:
		m.rt.Fatalf("the daemon ended with %v", err)
	case <-d.Ready:
	}
	m.device.Store(strings.TrimPrefix(d.DeviceURL(), "http://"))
	token, err := os.ReadFile(filepath.Join(m.dir, daemon.TokenFile))
	m.ok(err)
	m.client = admin.NewClient(d.AdminURL(), strings.TrimSpace(string(token)), nil)
}

func (m *model) end() {
	m.endRun()
	if err := <-m.ran; err != nil {
		m.rt.Error(err)
	}
	if m.terminal != nil {
		m.terminal.Close()
	}
	if m.server != nil {
		m.server.Close()
	}
	m.stop()
}

func (m *model) step(step string) {
	switch step {
	case "act":
		_, err := m.terminal.Draw(m.ctx, terminal.Choice{Users: 4})
		m.ok(err)
	case "poll":
		m.ok(m.terminal.Poll(m.ctx))
	case "connect":
		m.ok(m.terminal.Connect(m.ctx))
	case "restart":
		m.endRun()
		m.ok(<-m.ran)
		m.run()
	}
}

// check waits until the receiver knows what the terminal holds.
func (m *model) check() {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		m.ok(m.terminal.Poll(m.ctx)) // it may be asked for something
		found := m.differences()
		if len(found) == 0 {
			break
		}
		select {
		case <-tick.C:
		case <-m.ctx.Done():
			m.rt.Fatalf("the receiver's picture is not the terminal's:\n%s", strings.Join(found, "\n"))
		}
	}
	seen := make(map[string]int)
	for _, r := range m.receiver.Received() {
		for content := range contents(r) {
			if seen[content]++; seen[content] > 1 {
				m.rt.Errorf("told twice: %s", content)
			}
		}
	}
	for _, breach := range endpoint.Check(m.receiver.Received()) {
		m.rt.Error(breach)
	}
}

func (m *model) differences() []string {
	var picture endpoint.Picture
	for _, r := range m.receiver.Received() {
		picture.Add(r)
	}
	// The endpoint chose not to hear of the templates of faces that have a picture.
	found := endpoint.Diff(picture.Users(modelSerial), m.terminal.State(), func(fact string) bool { return strings.HasPrefix(fact, "face/") })
	if got, want := picture.Punches(modelSerial), m.terminal.Punches(); got != want {
		found = append(found, fmt.Sprintf("%d punches came of %d", got, want))
	}
	return found
}

// contents names the templates and photos of a callback, which a terminal never makes
// twice.
func contents(r endpoint.Received) map[string]bool {
	list := make(map[string]bool)
	u := r.Callback.User
	if u == nil {
		return list
	}
	add := func(what, data string) {
		list[fmt.Sprintf("%s of user %s, %x", what, u.UserID, sha256.Sum256([]byte(data)))] = true
	}
	for _, c := range u.Template {
		if c.Type == "Fingerprint" {
			add("finger "+c.Index, string(c.Data))
		}
	}
	if u.Photo != nil {
		add("photo", string(u.Photo.Data))
	}
	return list
}

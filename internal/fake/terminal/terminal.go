// Package terminal is a biometric terminal that speaks PUSH 2.x or 3.x, for tests,
// benchmarks, the demo and "fingerpost simulate". It talks real HTTP to a gateway, and
// misbehaves as the field does unless told otherwise: see [Habits].
//
// # What it keeps
//
// A [Terminal] holds users and credentials as a device does: an action changes what
// it holds first and pushes afterwards. [Terminal.Users] and [Terminal.State] are
// therefore the truth that a receiver's picture must come to equal once everything is
// acknowledged. Terminals of PUSH 3.x tell no removal: what is deleted at one is gone
// from its truth only.
//
// # Loss and order
//
// [Terminal.Push] returns nil only when the gateway acknowledged: status 200 and an
// answer that begins with OK, or with the table and the number of rows. Everything else
// is repeated, with the same bytes, until its context ends. The posts of one action
// leave one after the other; actions of several goroutines are pushed beside each
// other, in no order between them.
//
// # Credentials
//
// Nothing here is of a real person. Templates, photos, passwords and card numbers are
// drawn from a seed: the same seed, serial number, user and count of enrolments give
// the same bytes, whatever else happened in between. They are drawn again whenever they
// are pushed or asked for and not kept, so that thousands of terminals fit one process.
// Habits are drawn from the same seed: a terminal whose methods are called in the same
// order behaves the same.
//
// It starts no goroutine of its own and reads no clock but [Config.Now] and timers, so
// it works inside a testing/synctest bubble.
package terminal

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Config says what a Terminal is. Gateway and Serial are required; every other field
// has a useful zero value.
type Config struct {
	Gateway  string // base URL, such as "http://127.0.0.1:8081"
	Serial   string // what the terminal calls itself
	Protocol int    // of PUSH: 2 attendance, 3 access control; 0 means 2

	Client    *http.Client  // nil: one that opens a connection for each request, as terminals do
	KeepAlive bool          // with a nil Client: keep connections, for benchmarks
	Timeout   time.Duration // of one request; 0 means 30s
	Retry     time.Duration // wait after a failure; 0 means what the gateway says (ErrorDelay), 30s before it does
	Pause     time.Duration // longest between two posts of one action, with the habit Pauses; 0 means 3s

	Log    *slog.Logger     // nil discards
	OnWait func(why error)  // called before each wait after a failure, by who waits; nil does nothing
	Now    func() time.Time // the terminal's clock, before habits put it off; nil means time.Now
	Zone   *time.Location   // its zone; nil means what the gateway says (TimeZone), UTC before it does

	Seed         uint64 // of all credentials and habits
	TemplateSize int    // bytes of a fingerprint template; 0 varies from 1,100 to 2,000
	PhotoWidth   int    // 0 means 480
	PhotoHeight  int    // 0 means 640
	PhotoBytes   int    // photos are filled up to this size; 0 leaves them as they are
	NearInfrared bool   // faces are 15 rows without a picture, as older terminals take them

	Habits Habits
}

// A Terminal is one device. Its methods may be called from several goroutines.
type Terminal struct {
	cfg    Config
	client *http.Client
	base   string
	manner manner

	mu       sync.Mutex // guards what follows
	users    map[string]*held
	drawn    map[string]uint64 // how often each name was drawn
	settings map[string]string // what the gateway's init block said
	punches  int
	second   string          // wall time of the last punch
	punched  map[string]bool // what was punched in that second
	index    int             // of the last event
	late     []string        // lines of the operation log that are still to be pushed
	offset   time.Duration   // by which the clock is off
	met      bool            // it was connected before
	quiet    int             // polls since something happened
	session  string          // token of PUSH 3.x
}

// maxSide is the largest side of a JPEG.
const maxSide = 1<<16 - 1

// New returns a Terminal that holds no users. It sends nothing: call
// [Terminal.Connect].
func New(c Config) (*Terminal, error) {
	base, err := url.Parse(c.Gateway)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, fmt.Errorf("terminal: gateway %q: want a URL such as \"http://127.0.0.1:8081\"", c.Gateway)
	}
	if c.Serial == "" || strings.ContainsFunc(c.Serial, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return nil, fmt.Errorf("terminal: serial %q: want characters without blanks", c.Serial)
	}
	if c.Timeout < 0 || c.Retry < 0 || c.Pause < 0 || c.TemplateSize < 0 || c.PhotoWidth < 0 || c.PhotoHeight < 0 || c.PhotoBytes < 0 {
		return nil, errors.New("terminal: sizes and durations must not be negative")
	}
	if c.PhotoWidth > maxSide || c.PhotoHeight > maxSide {
		return nil, fmt.Errorf("terminal: photos of %d x %d: want at most %d a side", c.PhotoWidth, c.PhotoHeight, maxSide)
	}
	if c.Protocol != 0 && c.Protocol != 2 && c.Protocol != 3 {
		return nil, fmt.Errorf("terminal: protocol %d: want 2 or 3", c.Protocol)
	}
	c.setDefaults()
	t := &Terminal{
		cfg:      c,
		client:   refuseRedirects(c.Client, c.KeepAlive),
		base:     strings.TrimRight(base.Scheme+"://"+base.Host+base.Path, "/"),
		users:    make(map[string]*held),
		drawn:    make(map[string]uint64),
		settings: make(map[string]string),
		punched:  make(map[string]bool),
	}
	t.manner = newManner(c.Habits, t.draw("manner"))
	t.offset = clockOffset(c.Habits, c.Now(), t.draw("clock"))
	return t, nil
}

func (c *Config) setDefaults() {
	if c.Protocol == 0 {
		c.Protocol = 2
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	if c.Pause == 0 {
		c.Pause = 3 * time.Second
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.OnWait == nil {
		c.OnWait = func(error) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.PhotoWidth == 0 {
		c.PhotoWidth = 480
	}
	if c.PhotoHeight == 0 {
		c.PhotoHeight = 640
	}
}

// refuseRedirects returns a copy of client, or the default one, that takes a redirect
// for an answer: terminals do not follow them.
func refuseRedirects(client *http.Client, keepAlive bool) *http.Client {
	if client == nil {
		client = &http.Client{Transport: &http.Transport{
			DisableKeepAlives:  !keepAlive,
			DisableCompression: true, // terminals ask for none
		}}
	}
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// Close closes kept connections. Requests under way are not touched.
func (t *Terminal) Close() { t.client.CloseIdleConnections() }

// Serial returns the serial number.
func (t *Terminal) Serial() string { return t.cfg.Serial }

// isAccess reports whether the terminal speaks PUSH 3.x.
func (t *Terminal) isAccess() bool { return t.cfg.Protocol == 3 }

// Punches returns how many punches the terminal made that a gateway can tell apart.
func (t *Terminal) Punches() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.punches
}

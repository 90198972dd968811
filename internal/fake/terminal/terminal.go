// Package terminal is a biometric terminal that speaks PUSH 2.x, for tests,
// benchmarks, the demo and "fingerpost simulate". It talks real HTTP to a gateway.
//
// # What it keeps
//
// A [Terminal] holds users and credentials as a device does: an action changes what
// it holds first and pushes afterwards. [Terminal.Users] is therefore the truth that
// a receiver's picture must come to equal once everything is acknowledged.
//
// # Loss and order
//
// [Terminal.Push] returns nil only when the gateway acknowledged: status 200 and an
// answer that begins with OK. Everything else is repeated, with the same bytes, until
// its context ends. The posts of one action leave one after the other; actions of
// several goroutines are pushed beside each other, in no order between them.
//
// # Credentials
//
// Nothing here is of a real person. Templates, photos, passwords and card numbers are
// drawn from a seed: the same seed, serial number, user and count of enrolments give
// the same bytes, whatever else happened in between.
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
	Gateway string // base URL, such as "http://127.0.0.1:8081"
	Serial  string // what the terminal calls itself

	Client    *http.Client  // nil: one that opens a connection for each request, as terminals do
	KeepAlive bool          // with a nil Client: keep connections, for benchmarks
	Timeout   time.Duration // of one request; 0 means 30s
	Retry     time.Duration // wait after a failure; 0 means what the gateway says (ErrorDelay), 30s before it does

	Log    *slog.Logger     // nil discards
	OnWait func(why error)  // called before each wait after a failure, by who waits; nil does nothing
	Now    func() time.Time // the terminal's clock; nil means time.Now
	Zone   *time.Location   // its zone; nil means what the gateway says (TimeZone), UTC before it does

	Seed         uint64 // of all credentials
	TemplateSize int    // bytes of a fingerprint template; 0 varies from 1,100 to 2,000
	PhotoWidth   int    // 0 means 480
	PhotoHeight  int    // 0 means 640
	PhotoBytes   int    // photos are filled up to this size; 0 leaves them as they are

	Habits Habits
}

// Habits are what terminals in the field do beyond the manual. The zero value has none.
type Habits struct {
	CRLF        bool // lines end with CR LF
	NoFinalLF   bool // the last line has no end
	RepeatEvery int  // every so many-th upload is sent again although it was acknowledged; 0 never
	CutEvery    int  // every so many-th upload is first cut in the middle of its body; 0 never
	Log         LogHabit
}

// A LogHabit is where the operation log line of an action goes.
type LogHabit int

// A gateway that does not wait knows the operation time with the first two only.
const (
	LogFirst   LogHabit = iota // first line of the first body of the action
	LogOwnPost                 // in a post of its own before the data
	LogLast                    // in a post of its own after the data
	LogNever                   // not pushed at all
)

// A Terminal is one device. Its methods may be called from several goroutines.
type Terminal struct {
	cfg    Config
	client *http.Client
	base   string

	mu       sync.Mutex // guards what follows
	users    map[string]*User
	drawn    map[string]uint64 // how often each credential was drawn
	settings map[string]string // what the gateway's init block said
	uploads  int               // calls of Push
	punches  int
}

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
	if c.Timeout < 0 || c.Retry < 0 || c.TemplateSize < 0 || c.PhotoWidth < 0 || c.PhotoHeight < 0 || c.PhotoBytes < 0 {
		return nil, errors.New("terminal: sizes and durations must not be negative")
	}
	if c.Habits.RepeatEvery < 0 || c.Habits.CutEvery < 0 {
		return nil, errors.New("terminal: RepeatEvery and CutEvery must not be negative")
	}
	c.setDefaults()
	return &Terminal{
		cfg:      c,
		client:   refuseRedirects(c.Client, c.KeepAlive),
		base:     strings.TrimRight(base.Scheme+"://"+base.Host+base.Path, "/"),
		users:    make(map[string]*User),
		drawn:    make(map[string]uint64),
		settings: make(map[string]string),
	}, nil
}

func (c *Config) setDefaults() {
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
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

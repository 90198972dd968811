package zkpush

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// Sink is what the handler hands over to; package intake implements it.
type Sink interface {
	// Seen notes a request of a device and returns its settings (s's empty fields
	// mean "not told in this request"). An unknown serial number becomes a pending
	// device. The error is [enroll.ErrUnknownDevice] for every device that is not
	// approved. Cheap: called at each request.
	Seen(ctx context.Context, serial enroll.Serial, s enroll.Sighting) (enroll.Device, error)

	// Accept commits what a device uploaded; nil only after commit. On
	// [enroll.ErrUnknownDevice], [enroll.ErrBusy] and any other error nothing is stored.
	Accept(ctx context.Context, serial enroll.Serial, upload enroll.Upload) error

	// NextOrder hands out what the device is to do next; false if nothing. While an
	// order is with the device, not answered and not timed out, there is none.
	NextOrder(ctx context.Context, serial enroll.Serial) (enroll.Order, bool, error)

	// Answered commits what a device says of its orders. Unknown ids are ignored.
	Answered(ctx context.Context, serial enroll.Serial, answers []enroll.OrderAnswer) error

	// Join commits a part of an answer and returns the whole body, in the order of
	// the parts, once all have come. A part that comes again replaces the one kept;
	// when it completes the body again, whole is returned again.
	Join(ctx context.Context, serial enroll.Serial, part enroll.Part) (whole []byte, complete bool, err error)
}

// Config says what a Handler works with. Sink and Hash are required; every other
// field has a useful zero value.
type Config struct {
	Sink Sink
	Hash func(parts ...string) string // keyed; what access terminals get to know us by is derived from it
	Log  *slog.Logger                 // nil discards
	Now  func() time.Time             // nil means time.Now; tests set it

	// TrustedProxies are the networks of proxies whose X-Forwarded-For counts.
	TrustedProxies []netip.Prefix
}

// A Handler serves terminals. It dispatches paths itself and never redirects:
// terminals do not follow.
type Handler struct {
	sink    Sink
	hash    func(parts ...string) string
	log     *slog.Logger
	now     func() time.Time
	clock   func() time.Time // the real one, which deadlines of connections are of
	proxies []netip.Prefix
	budget  *budget
	habits  *habits

	mu sync.Mutex
	// plain has the approved devices that asked for encryption since the start.
	plain map[enroll.Serial]bool
	// outside has when an address was last logged from which a device may not call.
	outside map[enroll.Serial]time.Time
}

// New returns a Handler.
func New(c Config) (*Handler, error) {
	if c.Sink == nil || c.Hash == nil {
		return nil, errors.New("zkpush: Sink and Hash are required")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Handler{sink: c.Sink, hash: c.Hash, log: c.Log, now: c.Now, clock: time.Now, proxies: c.TrustedProxies,
		budget: newBudget(), habits: newHabits(),
		plain: make(map[enroll.Serial]bool), outside: make(map[enroll.Serial]time.Time)}, nil
}

// A call is one request of a device, taken apart.
type call struct {
	path     string // below /iclock/, see route
	query    pairs
	asks     bool // a GET
	at       time.Time
	from     string // source address
	serial   enroll.Serial
	approved bool
	device   enroll.Device // zero unless approved
}

// ServeHTTP answers one request of a terminal.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := call{path: route(r.URL.Path), query: parseQuery(r.URL.RawQuery), at: h.now(), from: h.address(r),
		asks: r.Method == http.MethodGet || r.Method == http.MethodHead}
	if c.path == "" && c.asks && !c.query.has("SN") {
		answer(w, http.StatusOK, "Fingerpost reached from "+c.from)
		return
	}
	serial, err := enroll.ParseSerial(strings.TrimSpace(c.query.get("SN")))
	if err != nil {
		answer(w, http.StatusBadRequest, "SN, the serial number in the query, is missing or not one: want 1 to 64 letters, digits, or any of -_.:")
		return
	}
	c.serial = serial
	c.device, err = h.sink.Seen(r.Context(), serial, c.sighting())
	switch {
	case err == nil:
		c.approved = true
	case !errors.Is(err, enroll.ErrUnknownDevice):
		h.refuse(w, c, "noting a device", err)
		return
	}
	switch {
	case c.approved && !h.allowed(c):
		answer(w, http.StatusForbidden, "not from this address")
	case c.path == "exchange":
		h.exchange(w, c)
	case c.path == "registry" && !c.approved:
		// Access terminals register before anything else. An OK would make them
		// register for ever.
		answer(w, http.StatusNotAcceptable, "registration refused")
	case c.asks || c.polls():
		h.ask(w, r, c)
	default:
		h.take(w, r, c)
	}
}

// ask serves GET, by which a device wants something of us.
func (h *Handler) ask(w http.ResponseWriter, r *http.Request, c call) {
	timely := strings.EqualFold(c.query.get("type"), "time")
	switch {
	case !c.approved:
		answer(w, http.StatusOK, "OK") // nothing for you
	case c.polls():
		h.order(w, r, c)
	case c.path == "cdata" && !c.query.has("table") && !c.query.has("type") && !c.query.has("AuthType"):
		h.handshake(w, r, c)
	case c.path == "push":
		h.configure(w, c)
	case c.path == "registry":
		answer(w, http.StatusOK, h.registration(c.serial))
	case timely && (c.path == "cdata" || c.path == "rtdata"):
		h.tellTime(w, r, c)
	default:
		answer(w, http.StatusOK, "OK")
	}
}

// handshake answers the request that a device begins with by the settings that its
// family understands.
func (h *Handler) handshake(w http.ResponseWriter, r *http.Request, c call) {
	if c.family() == enroll.Access {
		h.log.Debug("handshake", "serial", c.serial, "version", accessVersion)
		answer(w, http.StatusOK, "registry=ok\n"+h.configBlock(c))
		return
	}
	h.mu.Lock()
	version := ourVersion
	if h.plain[c.serial] {
		version = plainVersion
	}
	h.mu.Unlock()
	block, err := initBlock(c.device, c.serial, version, c.at)
	if err != nil {
		h.refuse(w, c, "answering the handshake", err)
		return
	}
	if err := h.told(r, c); err != nil {
		h.refuse(w, c, "answering the handshake", err)
		return
	}
	h.log.Debug("handshake", "serial", c.serial, "version", version)
	answer(w, http.StatusOK, block)
}

// told notes which offset from UTC a device is being told, so that it can be told
// again when summer time begins or ends.
func (h *Handler) told(r *http.Request, c call) error {
	zone, err := enroll.ParseZone(c.device.TimeZone)
	if err != nil {
		return err
	}
	_, seconds := c.at.In(zone).Zone()
	s := c.sighting()
	s.ToldAt, s.ToldOffset = c.at, time.Duration(seconds)*time.Second
	_, err = h.sink.Seen(r.Context(), c.serial, s)
	return err
}

// exchange refuses the encrypted mode: its keys are mixed by a closed library of the
// vendor. The next handshake of this device offers a version that has none.
func (h *Handler) exchange(w http.ResponseWriter, c call) {
	if c.approved {
		h.mu.Lock()
		h.plain[c.serial] = true
		h.mu.Unlock()
	}
	h.log.Warn("device asked for encryption, which only the vendor's server has", "serial", c.serial)
	answer(w, http.StatusNotFound, "no encryption here")
}

// refuse answers that we cannot now, so that the device comes again, and logs why.
func (h *Handler) refuse(w http.ResponseWriter, c call, doing string, err error) {
	h.log.Error("device refused", "serial", c.serial, "table", table(c), "doing", doing, "err", err)
	why := "try again"
	if errors.Is(err, enroll.ErrClock) {
		why = err.Error() // for who looks at the traffic; it names no user
	}
	answer(w, http.StatusServiceUnavailable, why)
}

// sighting returns what a request tells of its device.
func (c call) sighting() enroll.Sighting {
	firmware, _, _ := strings.Cut(c.query.get("INFO"), ",") // INFO=firmware,users,fingers,…
	return enroll.Sighting{
		SeenAt:   c.at,
		Address:  c.from,
		Protocol: clean(c.query.get("pushver")),
		Language: clean(c.query.get("language")),
		Firmware: clean(firmware),
		Family:   c.toldFamily(),
	}
}

// polls reports whether c asks for orders. Some firmware does so by POST.
func (c call) polls() bool { return c.path == "getrequest" || c.path == "getreq" }

// route returns the name of a path: what is below /iclock/, in lower case. Devices
// of eSSL append .aspx, and users type /iclock into the menu, which doubles it.
func route(path string) string {
	var name []string
	for part := range strings.SplitSeq(strings.ToLower(path), "/") {
		if part != "" && part != "iclock" {
			name = append(name, part)
		}
	}
	return strings.TrimSuffix(strings.Join(name, "/"), ".aspx")
}

// answer writes a short text in the one form that all devices read.
func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // a device that is gone asks again
}

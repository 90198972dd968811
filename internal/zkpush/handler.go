package zkpush

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
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
}

// Config says what a Handler works with. Sink is required; every other field has a
// useful zero value.
type Config struct {
	Sink Sink
	Log  *slog.Logger     // nil discards
	Now  func() time.Time // nil means time.Now; tests set it
}

// A Handler serves terminals. It dispatches paths itself and never redirects:
// terminals do not follow.
type Handler struct {
	sink Sink
	log  *slog.Logger
	now  func() time.Time

	mu sync.Mutex
	// plain has the approved devices that asked for encryption since the start.
	plain map[enroll.Serial]bool
}

// New returns a Handler.
func New(c Config) (*Handler, error) {
	if c.Sink == nil {
		return nil, errors.New("zkpush: Sink is required")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Handler{sink: c.Sink, log: c.Log, now: c.Now, plain: make(map[enroll.Serial]bool)}, nil
}

// A call is one request of a device, taken apart.
type call struct {
	path     string // below /iclock/, see route
	query    pairs
	serial   enroll.Serial
	approved bool
	device   enroll.Device // zero unless approved
}

// ServeHTTP answers one request of a terminal.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := call{path: route(r.URL.Path), query: parseQuery(r.URL.RawQuery)}
	asks := r.Method == http.MethodGet || r.Method == http.MethodHead
	if c.path == "" && asks && !c.query.has("SN") {
		answer(w, http.StatusOK, "Fingerpost reached from "+address(r))
		return
	}
	serial, err := enroll.ParseSerial(strings.TrimSpace(c.query.get("SN")))
	if err != nil {
		answer(w, http.StatusBadRequest, "SN, the serial number in the query, is missing or not one: want 1 to 64 letters, digits, or any of -_.:")
		return
	}
	c.serial = serial
	c.device, err = h.sink.Seen(r.Context(), serial, h.sighting(r, c.query))
	switch {
	case err == nil:
		c.approved = true
	case !errors.Is(err, enroll.ErrUnknownDevice):
		h.refuse(w, c, "noting a device", err)
		return
	}
	switch {
	case c.path == "exchange":
		h.exchange(w, c)
	case c.path == "registry":
		// Access control terminals register before anything else. An OK would make
		// them register for ever.
		answer(w, http.StatusNotAcceptable, "registration refused")
	case asks:
		h.ask(w, c)
	default:
		h.take(w, r, c)
	}
}

// ask serves GET, by which a device wants something of us.
func (h *Handler) ask(w http.ResponseWriter, c call) {
	handshake := c.path == "cdata" && !c.query.has("table") && !c.query.has("type")
	if !handshake || !c.approved {
		answer(w, http.StatusOK, "OK") // nothing for you
		return
	}
	h.mu.Lock()
	version := ourVersion
	if h.plain[c.serial] {
		version = plainVersion
	}
	h.mu.Unlock()
	block, err := initBlock(c.device, c.serial, version, h.now())
	if err != nil {
		h.refuse(w, c, "answering the handshake", err)
		return
	}
	h.log.Debug("handshake", "serial", c.serial, "version", version)
	answer(w, http.StatusOK, block)
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
	answer(w, http.StatusServiceUnavailable, "try again")
}

// sighting returns what a request tells of its device.
func (h *Handler) sighting(r *http.Request, query pairs) enroll.Sighting {
	firmware, _, _ := strings.Cut(query.get("INFO"), ",") // INFO=firmware,users,fingers,…
	return enroll.Sighting{
		SeenAt:   h.now(),
		Address:  address(r),
		Protocol: clean(query.get("pushver")),
		Language: clean(query.get("language")),
		Firmware: clean(firmware),
	}
}

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

// address returns the host that r came from, as text.
func address(r *http.Request) string {
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return from.Addr().Unmap().WithZone("").String()
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return clean(r.RemoteAddr)
	}
	return clean(host)
}

// answer writes a short text in the one form that all devices read.
func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // a device that is gone asks again
}

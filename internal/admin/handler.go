package admin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// Bounds of the body of a request, in bytes.
const (
	maxBody   = 1 << 20
	maxImport = 16 << 20
)

// Limits of a page of a list.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

// Config says what the API works with. Store is required.
type Config struct {
	Store   Store
	Log     *slog.Logger     // nil discards
	Now     func() time.Time // nil means time.Now
	Version string

	// Presence returns what was seen of a device since the store was told, and
	// whether anything was. It may be nil.
	Presence func(enroll.Serial) (enroll.Sighting, bool)

	// CheckURL says why an endpoint may not live at a URL that is well-formed: an
	// [*enroll.InvalidError], or any error whose text is the reason. It may be nil.
	CheckURL func(ctx context.Context, url string) error

	// Ready says why the gateway cannot do its work now. It may be nil.
	Ready func(ctx context.Context) error

	// Reread tries the unread records of a device again, and returns how many are
	// understood now and how many still are not. Without it that is refused.
	Reread func(ctx context.Context, serial enroll.Serial) (int, int, error)

	// DefaultZone is the gateway's IANA zone, for devices that are approved without
	// one; "" if it is not known.
	DefaultZone string
}

type handler struct {
	cfg   Config
	store Store
	log   *slog.Logger
	front *template.Template
}

// New returns the handler of the admin port. It opens nothing and starts nothing.
func New(c Config) (http.Handler, error) {
	if c.Store == nil {
		return nil, errors.New("admin: Store is required")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	front, err := parsePage()
	if err != nil {
		return nil, fmt.Errorf("admin: reading the page: %w", err)
	}
	h := &handler{cfg: c, store: c.Store, log: c.Log, front: front}

	api := http.NewServeMux()
	for path, methods := range h.routes() {
		limit := int64(maxBody)
		if path == importPath {
			limit = maxImport
		}
		api.Handle(path, h.dispatch(methods, limit))
	}
	api.HandleFunc("/", notFound)

	mux := http.NewServeMux()
	mux.Handle("/api/v1/", http.StripPrefix("/api/v1", h.authorized(api)))
	mux.HandleFunc("/healthz", h.health)
	mux.HandleFunc("/readyz", h.ready)
	mux.HandleFunc("/{$}", h.page)
	mux.HandleFunc("/", notFound)
	return mux, nil
}

// An action serves one method of one path. It answers nothing itself: what it returns
// is written, an error as a [Problem].
type action func(r *http.Request) (answer, error)

type answer struct {
	status   int    // 0 is 200
	location string // of what was created
	body     any
}

func (h *handler) routes() map[string]map[string]action {
	return map[string]map[string]action{
		"/devices":                  {"GET": h.listDevices, "POST": h.addDevice},
		importPath:                  {"POST": h.importDevices},
		"/devices/{serial}":         {"GET": h.showDevice, "PATCH": h.setDevice, "DELETE": h.removeDevice},
		"/devices/{serial}/approve": {"POST": h.approveDevice},
		"/devices/{serial}/replace": {"POST": h.replaceDevice},
		"/devices/{serial}/sync":    {"POST": h.syncDevice},
		"/devices/{serial}/unread":  {"GET": h.listUnread, "DELETE": h.dismissUnread},
		"/devices/{serial}/reread":  {"POST": h.reread},
		"/endpoints":                {"GET": h.listEndpoints, "POST": h.addEndpoint},
		"/endpoints/{name}":         {"GET": h.showEndpoint},
		"/endpoints/{name}/resume":  {"POST": h.resumeEndpoint},
		"/deliveries":               {"GET": h.listDeliveries},
		"/deliveries/{id}":          {"GET": h.showDelivery},
	}
}

// dispatch is here, and not in the mux's patterns, because the mux would answer a
// wrong method as text.
func (h *handler) dispatch(methods map[string]action, limit int64) http.Handler {
	var allowed []string
	for method := range methods {
		allowed = append(allowed, method)
	}
	slices.Sort(allowed)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		act, ok := methods[method]
		if !ok {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			writeProblem(w, problem(http.StatusMethodNotAllowed, "this path takes "+strings.Join(allowed, " and ")))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		a, err := act(r)
		if err != nil {
			h.fail(w, r, err)
			return
		}
		if a.location != "" {
			w.Header().Set("Location", a.location)
		}
		if a.status == 0 {
			a.status = http.StatusOK
		}
		writeJSON(w, "application/json", a.status, a.body)
	})
}

func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	if p == nil {
		h.log.Error("serving the API failed", "method", r.Method, "path", r.URL.Path, "err", err)
		p = problem(http.StatusInternalServerError, "the gateway failed: its log says why")
	}
	writeProblem(w, p)
}

// authorized lets pass who knows an admin token.
func (h *handler) authorized(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		token = strings.TrimSpace(token)
		detail := `an admin token is needed: send "Authorization: Bearer TOKEN", with what stands in admin-token of the data directory`
		if strings.EqualFold(scheme, "Bearer") && token != "" {
			// What is looked up is a hash, so the time that it takes tells nothing of the token.
			hash := sha256.Sum256([]byte(token))
			accepted, err := h.store.AdminToken(r.Context(), hex.EncodeToString(hash[:]))
			if err != nil {
				h.fail(w, r, err)
				return
			}
			if accepted {
				next.ServeHTTP(w, r)
				return
			}
			detail = "this admin token is not accepted: take the one in admin-token of the data directory"
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="fingerpost"`)
		writeProblem(w, problem(http.StatusUnauthorized, detail))
	})
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	writeProblem(w, problem(http.StatusNotFound, "nothing is at this path: the API is below /api/v1/"))
}

func (h *handler) health(w http.ResponseWriter, _ *http.Request) {
	plain(w, http.StatusOK, "ok\n")
}

func (h *handler) ready(w http.ResponseWriter, r *http.Request) {
	if h.cfg.Ready != nil {
		if err := h.cfg.Ready(r.Context()); err != nil {
			plain(w, http.StatusServiceUnavailable, "not ready: "+err.Error()+"\n")
			return
		}
	}
	plain(w, http.StatusOK, "ready\n")
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// limitOf reads ?limit=.
func limitOf(r *http.Request) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return defaultLimit, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > maxLimit {
		return 0, enroll.Invalid("limit", text, "1 to "+strconv.Itoa(maxLimit))
	}
	return limit, nil
}

// pageOf cuts what the store returned, asked for one more than limit, to a page.
func pageOf[S, T any](items []S, limit int, show func(S) T, cursor func(S) string) List[T] {
	page := List[T]{Items: make([]T, 0, min(len(items), limit))}
	for i, item := range items {
		if i == limit {
			page.NextCursor = cursor(items[limit-1])
			break
		}
		page.Items = append(page.Items, show(item))
	}
	return page
}

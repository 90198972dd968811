package admin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/fingerpost/fingerpost/callback"
	"github.com/fingerpost/fingerpost/internal/enroll"
)

const (
	maxToken = 4096 // bytes of an auth token, as enroll.Endpoint.Check has it
	maxURL   = 4096 // bytes
)

// NewEndpoint is the body of POST /endpoints. Fields that are empty take their defaults.
type NewEndpoint struct {
	Name         string   `json:"name"`
	URL          string   `json:"url"`
	AuthToken    *string  `json:"auth_token,omitempty"`    // made if it is absent
	Dialect      string   `json:"dialect,omitempty"`       // default niya
	Kinds        []string `json:"kinds,omitempty"`         // default updates
	Ack          string   `json:"ack,omitempty"`           // default status
	Stop         string   `json:"stop,omitempty"`          // default lane
	Timeout      string   `json:"timeout,omitempty"`       // default 30s
	MaxInFlight  *int     `json:"max_in_flight,omitempty"` // default 16
	UserID       string   `json:"user_id,omitempty"`       // default documented
	Times        string   `json:"times,omitempty"`         // default as the dialect says
	DeviceFields bool     `json:"device_fields,omitempty"`
	Face         string   `json:"face,omitempty"`         // default auto
	AppendStgID  *bool    `json:"append_stgid,omitempty"` // default true
	RootCopies   bool     `json:"root_copies,omitempty"`

	// Contents of the files that the flags of these names point to.
	Headers   string `json:"header_file,omitempty"`
	BasicAuth string `json:"basic_auth_file,omitempty"`
	CA        string `json:"ca,omitempty"`
	Cert      string `json:"cert,omitempty"`
	Key       string `json:"key,omitempty"`
}

func (h *handler) listEndpoints(r *http.Request) (answer, error) {
	limit, err := limitOf(r)
	if err != nil {
		return answer{}, err
	}
	endpoints, err := h.store.Endpoints(r.Context(), r.URL.Query().Get("cursor"), limit+1)
	if err != nil {
		return answer{}, err
	}
	return answer{body: pageOf(endpoints, limit, endpointOf,
		func(e enroll.EndpointStatus) string { return e.Name })}, nil
}

func (h *handler) showEndpoint(r *http.Request) (answer, error) {
	return namedEndpoint(r, h.store.Endpoint)
}

func (h *handler) resumeEndpoint(r *http.Request) (answer, error) {
	return namedEndpoint(r, h.store.ResumeEndpoint)
}

// namedEndpoint answers with what do returns for the endpoint of the path.
func namedEndpoint(r *http.Request, do func(context.Context, string) (enroll.EndpointStatus, error)) (answer, error) {
	name, err := enroll.ParseName(r.PathValue("name"))
	if err != nil {
		return answer{}, err
	}
	endpoint, err := do(r.Context(), name)
	if errors.Is(err, enroll.ErrNotFound) {
		return answer{}, problem(http.StatusNotFound, fmt.Sprintf("there is no endpoint %q", name))
	}
	if err != nil {
		return answer{}, err
	}
	return answer{body: endpointOf(endpoint)}, nil
}

// addEndpoint serves POST /endpoints. Its answer is the only one that ever carries the
// endpoint's secret, and its token if we made it.
func (h *handler) addEndpoint(r *http.Request) (answer, error) {
	var in NewEndpoint
	if err := readBody(r, &in); err != nil {
		return answer{}, err
	}
	if err := refuseLater(in.later()); err != nil {
		return answer{}, err
	}
	endpoint, err := in.endpoint()
	if err != nil {
		return answer{}, err
	}
	if err := h.checkURL(r.Context(), endpoint.URL); err != nil {
		return answer{}, err
	}
	endpoint.Secret = enroll.Secret(callback.NewSecret())
	endpoint.AddedAt = enroll.Millis(h.cfg.Now())
	status, err := h.store.AddEndpoint(r.Context(), endpoint)
	if errors.Is(err, enroll.ErrExists) {
		return answer{}, problem(http.StatusConflict, fmt.Sprintf("there is an endpoint %q already", endpoint.Name))
	}
	if err != nil {
		return answer{}, err
	}
	out := endpointOf(status)
	out.Secret = endpoint.Secret.Reveal()
	if in.AuthToken == nil {
		out.AuthToken = endpoint.AuthToken.Reveal()
	}
	location := "/api/v1/endpoints/" + url.PathEscape(out.Name)
	return answer{status: http.StatusCreated, location: location, body: out}, nil
}

// endpoint returns the checked settings, all but what the address policy says.
func (n *NewEndpoint) endpoint() (enroll.Endpoint, error) {
	e := enroll.Endpoint{
		Name:         n.Name,
		URL:          n.URL,
		Dialect:      orDefault(n.Dialect, "niya"),
		Ack:          orDefault(n.Ack, "status"),
		Stop:         orDefault(n.Stop, "lane"),
		UserIDs:      orDefault(n.UserID, "documented"),
		Times:        n.Times,
		DeviceFields: n.DeviceFields,
		Faces:        orDefault(n.Face, "auto"),
		AppendStgID:  n.AppendStgID == nil || *n.AppendStgID,
		RootCopies:   n.RootCopies,
		MaxInFlight:  enroll.DefaultMaxInFlight,
		Kinds:        enroll.Updates,
	}
	var err error
	if n.Kinds != nil {
		if e.Kinds, err = kindsOf(n.Kinds); err != nil {
			return e, err
		}
	}
	if e.Timeout, err = durationOf("timeout", n.Timeout, enroll.DefaultTimeout); err != nil {
		return e, err
	}
	if n.MaxInFlight != nil {
		e.MaxInFlight = *n.MaxInFlight
	}
	if n.AuthToken != nil {
		e.AuthToken = enroll.Secret(*n.AuthToken)
	} else {
		e.AuthToken = newToken()
	}
	if err := e.Check(); err != nil {
		return e, err
	}
	return e, checkSyntax(e.URL)
}

// kindsOf reads a list of kinds. The dialect niya cannot tell that one credential of a
// user is gone: "all" is every kind that it can, and naming that one is refused.
func kindsOf(names []string) (enroll.Kinds, error) {
	text := strings.Join(names, ",")
	kinds, err := enroll.ParseKinds(text)
	if err != nil {
		return 0, err
	}
	named := strings.Split(strings.ReplaceAll(text, " ", ""), ",")
	if slices.Contains(named, enroll.CredentialRemoved.String()) {
		return 0, enroll.Invalid("kinds", enroll.CredentialRemoved.String(), "a kind that the dialect niya can express; this one it cannot")
	}
	return kinds &^ enroll.CredentialRemoved, nil
}

// wantURL says what a callback URL looks like.
const wantURL = `an address that begins with http:// or https://, such as "https://hr.example.com/callback"`

// checkSyntax refuses what can be no callback URL. It never quotes more than where the
// URL leads, since tokens stand in queries.
func checkSyntax(text string) error {
	u, err := url.Parse(text)
	if err != nil || len(text) > maxURL {
		return enroll.Invalid("url", "", wantURL)
	}
	if u.User != nil {
		return enroll.Invalid("url", "", "a URL without user name and password: receivers check the auth token in the body")
	}
	shown := clip((&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, Opaque: u.Opaque}).String())
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return enroll.Invalid("url", shown, wantURL)
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return enroll.Invalid("url", shown, "a port from 1 to 65535")
		}
	}
	if u.Fragment != "" {
		return enroll.Invalid("url", shown, "a URL without #: what follows it is never sent")
	}
	return nil
}

// checkURL asks the address policy.
func (h *handler) checkURL(ctx context.Context, text string) error {
	if h.cfg.CheckURL == nil {
		return nil
	}
	err := h.cfg.CheckURL(ctx, text)
	if _, ok := errors.AsType[*enroll.InvalidError](err); ok || err == nil {
		return err
	}
	return refused(FieldError{"url", err.Error()})
}

const tokenLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// newToken returns a random auth token of 32 letters and digits, 190 bits: no receiver
// stumbles over them, in whatever language or configuration file they stand.
func newToken() enroll.Secret {
	token := make([]byte, 0, 32)
	var random [64]byte
	for len(token) < cap(token) {
		_, _ = rand.Read(random[:]) // never fails: it ends the program instead
		for _, b := range random {
			// 62 letters four times over; what is left would favour the first ones.
			if int(b) < 4*len(tokenLetters) && len(token) < cap(token) {
				token = append(token, tokenLetters[int(b)%len(tokenLetters)])
			}
		}
	}
	return enroll.Secret(token)
}

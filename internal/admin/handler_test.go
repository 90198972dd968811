package admin_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/admin"
	"github.com/fingerpost/fingerpost/internal/enroll"
)

func TestHandler_NeedsAToken(t *testing.T) {
	t.Parallel()
	f := start(t)
	tests := []struct {
		name          string
		authorization string
		path          string
		want          int
	}{
		{"the right token is accepted", "Bearer " + token, "/api/v1/devices", 200},
		{"the scheme may be written in any case", "bearer  " + token, "/api/v1/devices", 200},
		{"no token is refused", "", "/api/v1/devices", 401},
		{"an empty token is refused", "Bearer ", "/api/v1/devices", 401},
		{"another token is refused", "Bearer x" + token, "/api/v1/devices", 401},
		{"another scheme is refused", "Basic " + token, "/api/v1/devices", 401},
		{"what does not exist is not told without a token", "", "/api/v1/nothing", 401},
		{"a path that does not exist", "Bearer " + token, "/api/v1/nothing", 404},
		{"a path outside of the API", "", "/nothing", 404},
		{"the page needs none", "", "/", 200},
		{"health needs none", "", "/healthz", 200},
		{"readiness needs none", "", "/readyz", 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			status, header, body := f.sendAs(t, tt.authorization, "GET", tt.path, "")
			if status != tt.want {
				t.Fatalf("got %d %s, want %d", status, body, tt.want)
			}
			if status == 401 && header.Get("WWW-Authenticate") == "" {
				t.Error("got no WWW-Authenticate, want one")
			}
			if status >= 400 {
				wantProblemJSON(t, status, header, body)
			}
		})
	}
}

func wantProblemJSON(t *testing.T, status int, header http.Header, body string) {
	t.Helper()
	if got := header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("got content type %q, want application/problem+json", got)
	}
	p := decode(t, body)
	if p["type"] != "about:blank" || p["title"] != http.StatusText(status) || p["status"] != float64(status) || p["detail"] == "" {
		t.Errorf("got %s, want type, title, status and detail", body)
	}
}

func TestHandler_RefusesWrongRequests(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.addEndpoint(t, "hr")
	const good = `"name":"x","url":"http://h/"`
	tests := []struct {
		name         string
		method, path string
		body         string
		want         int
		words        string
	}{
		{"a method that a path does not take", "DELETE", "/devices", "", 405, "GET and POST"},
		{"what is not JSON", "POST", "/endpoints", "name=x", 400, "not a JSON object"},
		{"a list", "POST", "/endpoints", "[]", 400, "not a JSON object"},
		{"null", "POST", "/endpoints", "null", 400, "not a JSON object"},
		{"two objects", "POST", "/endpoints", "{} {}", 400, "not a JSON object"},
		{"a body over 1 MiB", "POST", "/endpoints", `{"name":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "1 MiB"},
		{"a misspelt field by its name", "POST", "/endpoints", `{` + good + `,"dialekt":"niya"}`, 422, `"field":"dialekt"`},
		{"a number for a text", "POST", "/endpoints", `{` + good + `,"timeout":30}`, 422, `"field":"timeout","detail":"want a JSON string and not a number"`},
		{"a text for a number", "POST", "/endpoints", `{` + good + `,"max_in_flight":"3"}`, 422, "whole number"},
		{"a text for a list", "POST", "/endpoints", `{` + good + `,"kinds":"updates"}`, 422, "JSON list"},
		{"a kind that does not exist", "POST", "/endpoints", `{` + good + `,"kinds":["thumb"]}`, 422, `"field":"kinds"`},
		{"no kind at all", "POST", "/endpoints", `{` + good + `,"kinds":[]}`, 422, `"field":"kinds"`},
		{"a kind that niya cannot express", "POST", "/endpoints", `{` + good + `,"kinds":["credential-removed"]}`, 422, `"field":"kinds"`},
		{"an empty token", "POST", "/endpoints", `{` + good + `,"auth_token":""}`, 422, `"field":"auth_token"`},
		{"a timeout that is none", "POST", "/endpoints", `{` + good + `,"timeout":"soon"}`, 422, `"field":"timeout"`},
		{"a timeout out of bounds", "POST", "/endpoints", `{` + good + `,"timeout":"3m"}`, 422, "1s to 120s"},
		{"no callback in flight", "POST", "/endpoints", `{` + good + `,"max_in_flight":0}`, 422, `"field":"max_in_flight"`},
		{"a name that is none", "POST", "/endpoints", `{"name":"a b","url":"http://h/"}`, 422, `"field":"name"`},
		{"a name that is taken", "POST", "/endpoints", `{"name":"hr","url":"http://h/"}`, 409, `\"hr\" already`},
		{"an unknown endpoint", "GET", "/endpoints/other", "", 404, `no endpoint \"other\"`},
		{"resuming an unknown endpoint", "POST", "/endpoints/other/resume", "", 404, `no endpoint \"other\"`},
		{"a limit of nothing", "GET", "/devices?limit=0", "", 422, `"field":"limit"`},
		{"a limit over the most", "GET", "/endpoints?limit=1001", "", 422, `"field":"limit"`},
		{"an unknown device", "GET", "/devices/SN1", "", 404, `no device \"SN1\"`},
		{"a serial that is none", "GET", "/devices/a%20b", "", 422, `"field":"serial"`},
		{"approving a device that never called", "POST", "/devices/SN1/approve", "", 404, `no device \"SN1\"`},
		{"a state that is none", "GET", "/deliveries?state=lost", "", 422, `"field":"state"`},
		{"a filter that names no endpoint", "GET", "/deliveries?endpoint=a%20b", "", 422, `"field":"endpoint"`},
		{"a filter that names no device", "GET", "/deliveries?device=a%20b", "", 422, `"field":"device"`},
		{"a cursor that is none", "GET", "/deliveries?cursor=x", "", 422, `"field":"cursor"`},
		{"a delivery id that is none", "GET", "/deliveries/x", "", 422, `"field":"delivery"`},
		{"an unknown delivery", "GET", "/deliveries/9.9", "", 404, `no delivery \"9.9\"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			status, header, body := f.send(t, tt.method, "/api/v1"+tt.path, tt.body)
			if status != tt.want || !strings.Contains(body, tt.words) {
				t.Errorf("got %d %s, want %d with %s", status, body, tt.want, tt.words)
			}
			wantProblemJSON(t, status, header, body)
		})
	}
	list, err := f.client.Endpoints(t.Context(), admin.Page{})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Items) != 1 {
		t.Errorf("got %d endpoints, want nothing half-done", len(list.Items))
	}
}

func TestHandler_RefusesBadURLs(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *admin.Config) {
		c.CheckURL = func(_ context.Context, url string) error {
			if strings.Contains(url, "169.254.169.254") {
				return errors.New("leads to the metadata of a cloud: name its network in --allow-network")
			}
			return nil
		}
	})
	tests := []struct{ name, url, words string }{
		{"none", "", "http://"},
		{"no scheme", "hr.example.com/callback", "http://"},
		{"another scheme", "ftp://hr.example.com/", "http://"},
		{"a host for a scheme", "localhost:9000/cb", "http://"},
		{"no host", "https:///callback", "http://"},
		{"no host but a port", "http://:80/", "http://"},
		{"what is no URL", "http://h:port/", "http://"},
		{"a port too high", "http://h:65536/", "1 to 65535"},
		{"a fragment", "http://h/#hidden", "never sent"},
		{"credentials", "http://user:hidden@h/", "without user name"},
		{"a refused network", "http://169.254.169.254/", "--allow-network"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := f.client.AddEndpoint(t.Context(), admin.NewEndpoint{Name: "x", URL: tt.url})
			wantProblem(t, err, 422, "url", tt.words)
			if strings.Contains(err.Error(), "hidden") {
				t.Errorf("got %q, want no secret of the URL in it", err)
			}
		})
	}
}

func TestHandler_RefusesWhatALaterVersionBrings(t *testing.T) {
	t.Parallel()
	f := start(t)
	endpoints := map[string]admin.NewEndpoint{
		"dialect":         {Dialect: "cams"},
		"stop":            {Stop: "url"},
		"face":            {Face: "jpeg"},
		"header_file":     {Headers: "X: y"},
		"basic_auth_file": {BasicAuth: "u:p"},
		"ca":              {CA: "pem"},
		"cert":            {Cert: "pem"},
		"key":             {Key: "pem"},
	}
	for field, e := range endpoints {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			e.Name, e.URL = "x", "http://h/"
			_, err := f.client.AddEndpoint(t.Context(), e)
			wantProblem(t, err, 422, field, "later version")
		})
	}
}

func TestHandler_FailureOfTheStoreIsLoggedAndNotTold(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.stop()
	status, header, body := f.send(t, "GET", "/api/v1/devices", "")
	if status != 500 {
		t.Fatalf("got %d %s, want 500", status, body)
	}
	wantProblemJSON(t, status, header, body)
	f.server.Close() // waits for the handler, so its log is complete
	if !strings.Contains(f.log.String(), "level=ERROR") {
		t.Errorf("got log %q, want the error in it", f.log.String())
	}
	if strings.Contains(body, "sql") || strings.Contains(f.log.String(), token) {
		t.Errorf("got %s and log %q, want no internals told and no token logged", body, f.log.String())
	}
}

func TestHandler_ReadinessFollowsTheGateway(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *admin.Config) {
		c.Ready = func(context.Context) error { return errors.New("the store is full") }
	})
	if status, _, body := f.send(t, "GET", "/readyz", ""); status != 503 || !strings.Contains(body, "the store is full") {
		t.Errorf("got %d %s, want 503 and why", status, body)
	}
	if status, _, body := f.send(t, "GET", "/healthz", ""); status != 200 {
		t.Errorf("got %d %s, want 200: it lives", status, body)
	}
}

func TestHandler_PageTellsTheVersionAndRunsNothing(t *testing.T) {
	t.Parallel()
	f := start(t)
	status, header, body := f.sendAs(t, "", "GET", "/", "")
	if status != 200 || !strings.Contains(body, "Fingerpost v9.8.7 &lt;test&gt; runs") || !strings.Contains(body, "fingerpost device list") {
		t.Errorf("got %d %s, want the version, escaped, and the commands", status, body)
	}
	if got := header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'") {
		t.Errorf("got policy %q, want one that allows nothing", got)
	}
	if status, _, _ := f.sendAs(t, "", "POST", "/", ""); status != 405 {
		t.Errorf("got %d for POST, want 405", status)
	}
}

func TestNew_NeedsAStore(t *testing.T) {
	t.Parallel()
	if _, err := admin.New(admin.Config{}); err == nil {
		t.Error("got no error, want one")
	}
}

func TestPresence_NewerThanTheStoreIsShown(t *testing.T) {
	t.Parallel()
	at := time.Date(2031, 1, 2, 3, 4, 5, 678_900_000, time.FixedZone("", 3600))
	f := start(t, func(c *admin.Config) {
		c.Presence = func(serial enroll.Serial) (enroll.Sighting, bool) {
			return enroll.Sighting{SeenAt: at, Address: "192.0.2.9", Protocol: "2.4.1", Firmware: "Ver 8"}, serial == "SN2"
		}
	})
	f.call(t, "SN1")
	f.call(t, "SN2")
	_, _, body := f.send(t, "GET", "/api/v1/devices/SN2", "")
	got := decode(t, body)
	if got["last_seen_at"] != "2031-01-02T02:04:05.678Z" || got["address"] != "192.0.2.9" || got["protocol"] != "2.4.1" || got["firmware"] != "Ver 8" {
		t.Errorf("got %s, want the newer sighting, in UTC with milliseconds", body)
	}
	other, err := f.client.Device(t.Context(), "SN1")
	if err != nil {
		t.Fatal(err)
	}
	if other.Address != "192.0.2.7" {
		t.Errorf("got address %q, want the store's", other.Address)
	}
}

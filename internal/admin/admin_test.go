package admin_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/admin"
	"github.com/fingerpost/fingerpost/internal/enroll"
	"github.com/fingerpost/fingerpost/internal/seal"
	"github.com/fingerpost/fingerpost/internal/store/sqlite"
)

const token = "synthetic-admin-token"

// A fixture is the API on a real store.
type fixture struct {
	db     *sqlite.DB
	server *httptest.Server
	client *admin.Client
	log    *bytes.Buffer
	stop   func() // stops the store's writer
}

func start(t *testing.T, change ...func(*admin.Config)) *fixture {
	t.Helper()
	dir := t.TempDir()
	box, err := seal.OpenFile(filepath.Join(dir, "seal.key"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir, Box: box})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- db.Run(ctx) }()
	stopped := false
	f := &fixture{db: db, log: new(bytes.Buffer)}
	f.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := errors.Join(<-done, db.Close()); err != nil {
			t.Errorf("stopping the store: %v", err)
		}
	}
	t.Cleanup(f.stop)

	hash := sha256.Sum256([]byte(token))
	if err := db.AddAdminToken(t.Context(), hex.EncodeToString(hash[:])); err != nil {
		t.Fatal(err)
	}
	cfg := admin.Config{
		Store:       db,
		Log:         slog.New(slog.NewTextHandler(f.log, nil)),
		Version:     "v9.8.7 <test>",
		DefaultZone: "Europe/Vienna",
	}
	for _, c := range change {
		c(&cfg)
	}
	handler, err := admin.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	f.server = httptest.NewServer(handler)
	t.Cleanup(f.server.Close)
	f.client = admin.NewClient(f.server.URL+"/", token, f.server.Client())
	return f
}

// send returns status, headers and body of a raw request with the right token.
func (f *fixture) send(t *testing.T, method, path, body string) (int, http.Header, string) {
	t.Helper()
	return f.sendAs(t, "Bearer "+token, method, path, body)
}

func (f *fixture) sendAs(t *testing.T, authorization, method, path, body string) (int, http.Header, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, f.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	response, err := f.server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(text)
}

func (f *fixture) addEndpoint(t *testing.T, name string) admin.Endpoint {
	t.Helper()
	e, err := f.client.AddEndpoint(t.Context(), admin.NewEndpoint{Name: name, URL: "http://127.0.0.1:9000/" + name})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// call lets an unknown device appear, as a handshake does.
func (f *fixture) call(t *testing.T, serial enroll.Serial) {
	t.Helper()
	added, err := f.db.AddPending(t.Context(), serial, enroll.Sighting{SeenAt: time.Now(), Address: "192.0.2.7"})
	if err != nil || !added {
		t.Fatalf("got %v, %v, want the device pending", added, err)
	}
}

// wantProblem fails unless err is a problem of that status which names the field, if
// one is given, and says the words.
func wantProblem(t *testing.T, err error, status int, field, words string) {
	t.Helper()
	p, ok := errors.AsType[*admin.ProblemError](err)
	if !ok {
		t.Fatalf("got error %v, want a problem of status %d", err, status)
	}
	if p.Status != status || !strings.Contains(p.Error(), words) {
		t.Errorf("got %d %q, want %d with %q", p.Status, p.Error(), status, words)
	}
	if field != "" && (len(p.Errors) == 0 || p.Errors[0].Field != field) {
		t.Errorf("got fields %v, want %q first", p.Errors, field)
	}
}

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		t.Fatalf("got %q, want a JSON object: %v", text, err)
	}
	return object
}

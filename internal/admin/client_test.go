package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/admin"
)

func TestClient_SaysWhenNobodyAnswers(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close() // its port is free now
	_, err := admin.NewClient(server.URL, token, nil).Devices(t.Context(), admin.Page{})
	if _, ok := errors.AsType[*admin.UnreachableError](err); !ok {
		t.Fatalf("got error %v, want an UnreachableError", err)
	}
	for _, words := range []string{server.URL + ":", "fingerpost serve", "--server"} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("got %q, want %q in it", err, words)
		}
	}
}

func TestClient_SaysWhenSomethingElseAnswers(t *testing.T) {
	t.Parallel()
	answers := map[string]http.HandlerFunc{
		"a page": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html>")
		},
		"an error that is no problem": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "no", http.StatusNotFound)
		},
		"what only says that it is JSON": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "{")
		},
	}
	for name, handler := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(handler)
			defer server.Close()
			_, err := admin.NewClient(server.URL, token, nil).Device(t.Context(), "SN1")
			if err == nil || !strings.Contains(err.Error(), "is not Fingerpost") {
				t.Errorf("got error %v, want it to say that this is no Fingerpost", err)
			}
		})
	}
}

func TestClient_TellsARefusedTokenInWords(t *testing.T) {
	t.Parallel()
	f := start(t)
	_, err := admin.NewClient(f.server.URL, "wrong", nil).Endpoints(t.Context(), admin.Page{})
	wantProblem(t, err, 401, "", "admin-token")
}

func TestClient_StoppedByItsCallerSaysSo(t *testing.T) {
	t.Parallel()
	f := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.client.Delivery(ctx, "1.1"); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want context.Canceled", err)
	}
}

func TestClient_ServerThatIsNoAddress(t *testing.T) {
	t.Parallel()
	_, err := admin.NewClient("http://a b", token, nil).Device(t.Context(), "SN1")
	if err == nil || !strings.Contains(err.Error(), "http://127.0.0.1:8080") {
		t.Errorf("got error %v, want it to say what an address looks like", err)
	}
}

func TestTime(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		time time.Time
		want string
	}{
		{"never is null", time.Time{}, "null"},
		{"whole seconds keep their zeros", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), `"2026-01-02T03:04:05.000Z"`},
		{"another zone becomes UTC, microseconds go", time.Date(2026, 1, 2, 3, 4, 5, 9_999_999, time.FixedZone("", 19800)), `"2026-01-01T21:34:05.009Z"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := json.Marshal(admin.Time{Time: tt.time})
			if err != nil || string(got) != tt.want {
				t.Fatalf("got %s, %v, want %s", got, err, tt.want)
			}
			var back admin.Time
			if err := json.Unmarshal(got, &back); err != nil || !back.Equal(tt.time.Truncate(time.Millisecond)) {
				t.Errorf("got %v, %v back, want %v", back, err, tt.time)
			}
		})
	}
	var bad admin.Time
	if err := json.Unmarshal([]byte(`"yesterday"`), &bad); err == nil {
		t.Error("got no error for what is no time, want one")
	}
}

func TestDuration_HasNoZeroUnits(t *testing.T) {
	t.Parallel()
	tests := map[string]string{"2s": "2s", "0s": "0s", "60s": "1m", "90s": "1m30s", "24h": "24h", "90m": "1h30m", "10m": "10m", "10h10m": "10h10m", "1h5s": "1h0m5s", "1.5s": "1.5s"}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			var d admin.Duration
			if err := d.UnmarshalText([]byte(text)); err != nil {
				t.Fatal(err)
			}
			if got := d.String(); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			var back admin.Duration
			if err := back.UnmarshalText([]byte(d.String())); err != nil || back != d {
				t.Errorf("got %v, %v back, want %v", back, err, d)
			}
		})
	}
}

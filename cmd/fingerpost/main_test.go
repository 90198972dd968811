package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/fingerpost/fingerpost/internal/admin"
	"github.com/fingerpost/fingerpost/internal/config"
)

// run runs a command in-process, with an empty environment.
func run(args ...string) (int, string, string) {
	var out, errs bytes.Buffer
	code := Main(args, func(string) (string, bool) { return "", false }, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

func TestMain_ExitCodes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		args []string
		want int
	}{
		{"help is done", []string{"--help"}, 0},
		{"a group alone shows its help", []string{"endpoint"}, 0},
		{"version is done", []string{"version"}, 0},
		{"an unknown command is wrong input", []string{"nothing"}, 2},
		{"an unknown flag is wrong input", []string{"serve", "--nothing"}, 2},
		{"a bad setting is wrong input", []string{"serve", "--log-level", "loud"}, 2},
		{"a missing argument is wrong input", []string{"device", "show"}, 2},
		{"a missing token is wrong input", []string{"device", "list", "--data", t.TempDir()}, 2},
		{"no gateway is a failure", []string{"device", "list", "--server", "http://127.0.0.1:1", "--token", "x"}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, _, errs := run(tt.args...)
			if code != tt.want {
				t.Errorf("got exit code %d with %q, want %d", code, errs, tt.want)
			}
			if want := min(code, 1); strings.Count(errs, "\n") != want {
				t.Errorf("got %q, want %d lines", errs, want)
			}
		})
	}
}

func TestMain_ExitCodeTellsWrongInputFromFailure(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]int{400: 2, 401: 1, 404: 2, 409: 2, 422: 2, 500: 1, 503: 1} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/problem+json")
				w.WriteHeader(status)
				_ = json.NewEncoder(w).Encode(admin.Problem{Status: status, Detail: "so it is"})
			}))
			defer server.Close()
			code, out, errs := run("device", "show", "SN1", "--server", server.URL, "--token", "x")
			if code != want || out != "" || errs != "fingerpost: so it is\n" {
				t.Errorf("got %d, %q, %q, want %d and the words of the gateway", code, out, errs, want)
			}
		})
	}
}

func TestBanner_SaysWhatATerminalsMenuAsks(t *testing.T) {
	t.Parallel()
	lan := []netip.Addr{netip.MustParseAddr("192.168.1.20"), netip.MustParseAddr("10.0.0.5")}
	tests := []struct {
		name   string
		listen string
		named  string
		want   []string // lines with blanks squeezed
		not    string
	}{
		{"each LAN address when it listens everywhere", ":8081", "",
			[]string{"Server address 192.168.1.20", "Server address 10.0.0.5", "Server port 8081", "Domain name off", "HTTPS off"}, "cannot reach"},
		{"also when everywhere is written as an address", "[::]:8081", "", []string{"Server address 10.0.0.5"}, "cannot reach"},
		{"the one address that it listens on", "192.168.1.20:8081", "", []string{"Server address 192.168.1.20"}, "10.0.0.5"},
		{"what the operator named, with our port", ":8081", "203.0.113.7", []string{"Server address 203.0.113.7", "Server port 8081", "Domain name off"}, "10.0.0.5"},
		{"or with the port that he named", ":8081", "gate.example.com:80", []string{"Server address gate.example.com", "Server port 80", "Domain name on"}, "10.0.0.5"},
		{"that no terminal reaches loopback", "127.0.0.1:8081", "", []string{"Terminals cannot reach http://127.0.0.1:8081: start with --device-listen :8081, or say with"}, "Server port"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := banner{
				version:   "v1",
				config:    config.Config{Data: "fingerpost-data", DeviceListen: tt.listen, DeviceAddress: tt.named},
				deviceURL: "http://127.0.0.1:8081",
				adminURL:  "http://127.0.0.1:8080",
				lan:       lan,
			}.String()
			var lines []string
			for line := range strings.Lines(text) {
				lines = append(lines, strings.Join(strings.Fields(line), " "))
			}
			squeezed := "\n" + strings.Join(lines, "\n") + "\n"
			for _, want := range append(tt.want, "Admin page http://127.0.0.1:8080/") {
				if !strings.Contains(squeezed, "\n"+want+"\n") {
					t.Errorf("got %s, want a line %q", text, want)
				}
			}
			if strings.Contains(text, tt.not) {
				t.Errorf("got %s, want no %q", text, tt.not)
			}
			if strings.Contains(text, "--data") {
				t.Errorf("got %s, want no --data where the default does", text)
			}
		})
	}
}

func TestPrintable_KeepsControlCharactersFromTheTerminal(t *testing.T) {
	t.Parallel()
	if got, want := printable("a\x1b[31m\nb\u202eé"), "a�[31m�b�é"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

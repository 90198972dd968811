package daemon_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/admin"
	"github.com/fingerpost/fingerpost/internal/config"
	"github.com/fingerpost/fingerpost/internal/daemon"
)

// start runs a daemon until the test ends.
func start(t *testing.T, dir, key string) (*daemon.Daemon, *admin.Client) {
	t.Helper()
	d, err := daemon.New(config.Config{Data: dir, KeyFile: key, DeviceListen: "127.0.0.1:0", AdminListen: "127.0.0.1:0"}, daemon.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(stop)
	select {
	case <-d.Ready:
	case err := <-ended:
		t.Fatalf("the daemon ended: %v", err)
	}
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	token, err := os.ReadFile(filepath.Join(dir, daemon.TokenFile))
	if err != nil {
		t.Fatal(err)
	}
	return d, admin.NewClient(d.AdminURL(), strings.TrimSpace(string(token)), nil)
}

// upload has a device hand over one user.
func upload(t *testing.T, d *daemon.Daemon, serial, pin string) {
	t.Helper()
	body := strings.NewReader("USER PIN=" + pin + "\tName=Asha\tPri=0\tPasswd=\tCard=\n")
	response, err := http.Post(d.DeviceURL()+"/iclock/cdata?SN="+serial+"&table=OPERLOG&Stamp=1", "text/plain", body)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("device %s: got status %d", serial, response.StatusCode)
	}
}

// TestRemove: what waits of a removed device is never sent, and holds nobody up.
func TestRemove_WhatWaitedIsNotSent(t *testing.T) {
	t.Parallel()
	status := make(chan int, 1) // of the next answer
	got := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- string(body)
		select {
		case code := <-status:
			w.WriteHeader(code)
		case <-r.Context().Done(): // the test has failed
		}
	}))
	t.Cleanup(receiver.Close)
	dir := t.TempDir()
	d, client := start(t, dir, filepath.Join(dir, "seal.key"))
	if _, err := client.AddEndpoint(t.Context(), admin.NewEndpoint{Name: "hr", URL: receiver.URL}); err != nil {
		t.Fatal(err)
	}
	for _, serial := range []string{"SN1", "SN2"} {
		if _, err := client.AddDevice(t.Context(), admin.NewDevice{Serial: serial, StgID: serial, TimeZone: "UTC", Endpoints: []string{"hr"}, Settle: "0s"}); err != nil {
			t.Fatal(err)
		}
	}
	upload(t, d, "SN1", "101")
	upload(t, d, "SN1", "102")
	if body := await(t, got); !strings.Contains(body, `"101"`) {
		t.Errorf("got %s, want user 101 first", body)
	}
	// The attempt is in flight while the device is removed, and fails.
	removed, err := client.RemoveDevice(t.Context(), "SN1", true)
	if err != nil || removed.Skipped != 2 {
		t.Fatalf("got %+v, %v, want 2 skipped", removed, err)
	}
	status <- http.StatusInternalServerError
	upload(t, d, "SN2", "201")
	if body := await(t, got); !strings.Contains(body, `"201"`) {
		t.Errorf("got %s, want nothing of the removed device", body)
	}
	status <- http.StatusOK
	upload(t, d, "SN2", "202")
	if body := await(t, got); !strings.Contains(body, `"202"`) {
		t.Errorf("got %s, want nothing of the removed device", body)
	}
	status <- http.StatusOK
}

func await(t *testing.T, got <-chan string) string {
	t.Helper()
	select {
	case body := <-got:
		return body
	case <-time.After(30 * time.Second):
		t.Fatal("no callback came")
		return ""
	}
}

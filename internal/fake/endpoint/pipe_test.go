package endpoint_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fingerpost/fingerpost/internal/fake/endpoint"
)

func TestPipe_ServesInVirtualTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoint(t, endpoint.Config{Delay: 20 * time.Minute, Now: time.Now})
		listener, dial := endpoint.NewPipe()
		server := &http.Server{Handler: e}
		served := make(chan error)
		go func() { served <- server.Serve(listener) }()
		transport := &http.Transport{DialContext: dial}
		client := &http.Client{Transport: transport}

		begun := time.Now()
		body := encode(t, "op0000000001", "")
		for sequence := range 2 { // the second goes over the kept connection
			status, _, err := send(t, client, newRequest(t, "http://anywhere", "", sequence+1, body))
			if err != nil || status != 200 {
				t.Fatalf("got %d %v, want 200", status, err)
			}
		}
		if got, want := time.Since(begun), 40*time.Minute; got != want {
			t.Errorf("got answers after %v, want %v", got, want)
		}

		// A caller that gives up frees the lane and the handler.
		impatient := &http.Client{Transport: transport, Timeout: time.Minute}
		if _, _, err := send(t, impatient, newRequest(t, "http://anywhere", "", 3, body)); err == nil {
			t.Error("got an answer within a minute, want none")
		}
		synctest.Wait()
		if got := time.Since(begun); got != 41*time.Minute {
			t.Errorf("got %v gone, want 41m", got)
		}
		for i, r := range e.Received() {
			if r.Overlaps {
				t.Errorf("callback %d overlaps, want none to", i)
			}
		}

		transport.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("got %v, want the server closed", err)
		}
		if _, err := dial(t.Context(), "tcp", "anywhere:80"); err == nil {
			t.Error("got a connection to a closed listener, want an error")
		}
	})
}

func TestPipe_DialEndsWithItsContext(t *testing.T) {
	t.Parallel()
	listener, dial := endpoint.NewPipe() // nobody accepts
	defer listener.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	conn, err := dial(ctx, "tcp", "anywhere:80")
	if failed, ok := errors.AsType[net.Error](err); conn != nil || !ok {
		t.Errorf("got %v and %v, want a network error", conn, failed)
	}
}

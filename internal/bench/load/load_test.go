package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A stand is a gateway that keeps nothing: it delivers before it acknowledges.
type stand struct {
	sink  *Sink
	delay time.Duration // before the device ack
	ack   string
	lossy bool // acknowledges and does not deliver

	mu   sync.Mutex
	next map[string]int // sequence by device
}

func (s *stand) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	<-time.After(s.delay)
	if !s.lossy {
		s.deliver(r.URL.Query().Get("SN"), body)
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(s.ack)))
	_, _ = io.WriteString(w, s.ack)
}

func (s *stand) deliver(serial string, upload []byte) {
	s.mu.Lock()
	s.next[serial]++
	sequence := s.next[serial]
	s.mu.Unlock()
	var endpoint int
	_, _ = fmt.Sscanf(serial, "BENCH%d", &endpoint)
	_, template, _ := bytes.Cut(upload, []byte("TMP="))
	header := http.Header{"Fingerpost-Sequence": {fmt.Sprint(sequence)}}
	s.sink.take(endpoint, header, slices.Concat([]byte(`{"Data":"`), template))
}

// newStand returns a fleet of so many devices that calls s.
func newStand(t *testing.T, s *stand, devices, connections int) *Fleet {
	t.Helper()
	s.sink, s.next = openSink(t, devices), make(map[string]int)
	if s.ack == "" {
		s.ack = "OK: 1"
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	f := &Fleet{gateway: Gateway{DeviceAddress: server.Listener.Addr().String()}, sink: s.sink, shares: make([][]*device, connections)}
	for i := range devices {
		f.share(newDevice(i, f.gateway.DeviceAddress, 40))
	}
	return f
}

func TestFlood(t *testing.T) {
	t.Parallel()
	f := newStand(t, &stand{}, 5, 2)
	flood, err := f.Flood(t.Context(), 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if flood.Changes == 0 || flood.Changes != f.sink.arrived.Load() || int(flood.Changes) != len(flood.Acks) {
		t.Errorf("got %d changes, %d latencies, %d arrived, want as many of each", flood.Changes, len(flood.Acks), f.sink.arrived.Load())
	}
	if !slices.IsSorted(flood.Acks) || flood.Acks[0] <= 0 || flood.Took <= 0 {
		t.Errorf("got latencies from %v, took %v, want them ascending and above 0", flood.Acks[0], flood.Took)
	}
	for _, share := range f.shares {
		if first, last := share[0].sent, share[len(share)-1].sent; first < 1 || first-last > 1 || last > first {
			t.Errorf("got %d changes of the first device of a connection, %d of the last, want them in turn", first, last)
		}
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func TestPaced(t *testing.T) {
	t.Parallel()
	t.Run("as many as offered, from each device its share", func(t *testing.T) {
		t.Parallel()
		f := newStand(t, &stand{}, 4, 3)
		acks, err := f.Paced(t.Context(), 200, 100*time.Millisecond)
		if err != nil || len(acks) != 20 {
			t.Errorf("got %d changes, %v, want 20", len(acks), err)
		}
		for i, d := range f.devices {
			if d.sent != 5 {
				t.Errorf("device %d sent %d, want 5", i, d.sent)
			}
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Run("a latency counts from when the upload was due", func(t *testing.T) {
		t.Parallel()
		f := newStand(t, &stand{delay: 30 * time.Millisecond}, 1, 1)
		acks, err := f.Paced(t.Context(), 100, 100*time.Millisecond)
		if err != nil || len(acks) != 10 {
			t.Fatalf("got %d changes, %v, want 10", len(acks), err)
		}
		// The tenth is due after 90 ms and answered after 300 ms at the earliest.
		if got, want := acks[9], 200*time.Millisecond; got < want {
			t.Errorf("got %v at most, want %v at least", got, want)
		}
	})
}

func TestFlood_GatewaysThatFail(t *testing.T) {
	t.Parallel()
	t.Run("callbacks that never come end with the context", func(t *testing.T) {
		t.Parallel()
		f := newStand(t, &stand{lossy: true}, 2, 2)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err := f.Flood(ctx, 10*time.Millisecond)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "0 of ") {
			t.Errorf("got %v, want that none of the callbacks came", err)
		}
	})
	t.Run("an upload that is not acknowledged ends the flood", func(t *testing.T) {
		t.Parallel()
		f := newStand(t, &stand{ack: "OK: 0"}, 2, 2)
		if _, err := f.Flood(t.Context(), time.Minute); err == nil || !strings.Contains(err.Error(), `"OK: 0"`) {
			t.Errorf("got %v, want the answer", err)
		}
	})
	t.Run("no gateway", func(t *testing.T) {
		t.Parallel()
		f := newStand(t, &stand{}, 1, 1)
		address, err := freeAddress(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		f.gateway.DeviceAddress = address
		if _, err := f.Flood(t.Context(), time.Minute); err == nil {
			t.Error("got no error")
		}
	})
}

func TestBare(t *testing.T) {
	t.Parallel()
	rate, err := Bare(t.Context(), 2, 100, 50*time.Millisecond)
	if err != nil || rate <= 0 {
		t.Errorf("got %v, %v, want a rate above 0", rate, err)
	}
}

func TestCase_Limits(t *testing.T) {
	t.Parallel()
	for _, c := range []Case{{}, {1, 2, 2000}, {1, 0, 2000}, {1, 1, 2001}, {1, 1, 16}} {
		if _, err := NewFleet(t.Context(), Gateway{}, c); err == nil {
			t.Errorf("%+v: got no error", c)
		}
	}
}

func TestStart_ProgramsThatAreNoGateway(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"/bin/false", "/absent"} {
		if _, err := Start(t.Context(), program, t.TempDir()); err == nil {
			t.Errorf("%s: got no error", program)
		}
	}
}

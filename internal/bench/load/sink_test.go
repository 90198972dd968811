package load

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A callback is what the sink looks at: sequence in the header, number in the body.
type callback struct{ endpoint, sequence, number int }

func TestSink(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		came     []callback
		faults   int
		arrived  int64
		contains string // of the first fault
	}{
		{"each once and in order, whatever other endpoints get", []callback{{0, 1, 1}, {1, 1, 1}, {0, 2, 2}, {1, 2, 2}}, 0, 4, ""},
		{"a repeat", []callback{{0, 1, 1}, {0, 1, 1}}, 1, 1, "got change 1 at sequence 1, want 2 at 2"},
		{"a repeat at a new sequence", []callback{{0, 1, 1}, {0, 2, 1}}, 1, 1, "got change 1 at sequence 2, want 2 at 2"},
		{"a hole is one fault", []callback{{0, 1, 1}, {0, 3, 3}, {0, 4, 4}}, 1, 3, "got change 3 at sequence 3, want 2 at 2"},
		{"another order", []callback{{0, 2, 2}, {0, 1, 1}}, 2, 1, "got change 2 at sequence 2, want 1 at 1"},
		{"a change lost before it drew its sequence", []callback{{0, 1, 1}, {0, 2, 3}}, 1, 2, "got change 3 at sequence 2, want 2 at 2"},
		{"an endpoint that is none", []callback{{2, 1, 1}}, 1, 0, "/endpoint/2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := openSink(t, 2)
			for _, c := range tt.came {
				send(t, s, c)
			}
			if s.faults != tt.faults || s.arrived.Load() != tt.arrived {
				t.Errorf("got %d faults, %d arrived, want %d, %d", s.faults, s.arrived.Load(), tt.faults, tt.arrived)
			}
			err := s.Close()
			if (err != nil) != (tt.faults > 0) || err != nil && !strings.Contains(err.Error(), tt.contains) {
				t.Errorf("got %v, want %d faults and %q", err, tt.faults, tt.contains)
			}
		})
	}
}

func TestSink_TwoCallbacksOfALaneAtATime(t *testing.T) {
	t.Parallel()
	s := openSink(t, 1)
	s.lanes[0].Lock() // a callback is being taken
	second := make(chan struct{})
	go func() {
		defer close(second)
		send(t, s, callback{0, 1, 1})
	}()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for s.Faults() == nil {
		select {
		case <-look.C:
		case <-second:
			t.Fatal("the second was taken beside the first")
		}
	}
	s.lanes[0].Unlock()
	<-second
	if err := s.Close(); err == nil || !strings.Contains(err.Error(), "endpoint 0: two callbacks at a time") {
		t.Errorf("got %v, want the fault", err)
	}
}

func TestSink_NamesTheFirstFaultsOnly(t *testing.T) {
	t.Parallel()
	s := openSink(t, 1)
	for range 2 * namedFaults {
		send(t, s, callback{0, 9, 0})
	}
	text := fmt.Sprint(s.Close())
	if !strings.HasPrefix(text, "the sink saw 10 faults") || strings.Count(text, "\n") != namedFaults {
		t.Errorf("got %q, want the number of all and %d of them", text, namedFaults)
	}
}

func openSink(t *testing.T, endpoints int) *Sink {
	t.Helper()
	s, err := NewSink(t.Context(), endpoints)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// send has a callback taken without the network.
func send(t *testing.T, s *Sink, c callback) {
	t.Helper()
	body := fmt.Sprintf(`{"Data":"%s%0*d"}`, mark, numberWidth, c.number)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, s.URL(c.endpoint)+"?stgid=x", strings.NewReader(body))
	r.Header.Set("Fingerpost-Sequence", strconv.Itoa(c.sequence))
	s.ServeHTTP(httptest.NewRecorder(), r)
}

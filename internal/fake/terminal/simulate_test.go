package terminal_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fingerpost/fingerpost/internal/fake/terminal"
)

func TestSimulate_EnrolsAllAndTellsProgress(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	g.pending, g.refuse = 1, 1
	states := make(map[terminal.ProgressState]int)
	var last terminal.Progress
	err := terminal.Simulate(t.Context(), terminal.SimulateConfig{
		Config:   terminal.Config{Gateway: g.URL, Serial: "SIM1", Habits: terminal.Polite(), Retry: time.Millisecond, PhotoWidth: 8, PhotoHeight: 8},
		Users:    3,
		FirstPIN: 100,
		Progress: func(p terminal.Progress) { last = p; states[p.State]++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := (terminal.Progress{State: terminal.Finished, Users: 3, Changes: 15}); last != want {
		t.Errorf("got %+v last, want %+v", last, want)
	}
	if states[terminal.Waiting] != 2 || states[terminal.Connected] != 1 || states[terminal.Changed] != 15 {
		t.Errorf("got states %v, want 2 waiting, 1 connected, 15 changed", states)
	}
	uploads := g.uploads()
	if got, want := len(uploads), 1+15; got != want { // the options come first
		t.Fatalf("got %d uploads, want %d", got, want)
	}
	if got := uploads[15].body; !strings.Contains(got, "USERPIC PIN=102\t") {
		t.Error("got no photo of user 102 in the last upload, want it")
	}
}

// A roundTripper answers requests without a network, so that time can be virtual.
type roundTripper func(*http.Request) string

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(f(r))), Request: r}, nil
}

func TestSimulate_KeepsItsRateAndPollsInBetween(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		begun := time.Now()
		polls := 0
		answer := func(r *http.Request) string {
			switch {
			case strings.Contains(r.URL.RawQuery, "options=all"):
				return "GET OPTION FROM: SIM1\nDelay=10\n"
			case strings.HasSuffix(r.URL.Path, "getrequest"):
				polls++
			}
			return "OK"
		}
		var finished time.Duration
		err := terminal.Simulate(ctx, terminal.SimulateConfig{
			Config: terminal.Config{
				Gateway: "http://gateway", Serial: "SIM1", Habits: terminal.Polite(), PhotoWidth: 8, PhotoHeight: 8,
				Client: &http.Client{Transport: roundTripper(answer)},
			},
			Users: 2,
			Rate:  0.25,
			Stay:  true,
			Progress: func(p terminal.Progress) {
				if p.State == terminal.Finished {
					finished = time.Since(begun)
					time.AfterFunc(35*time.Second, cancel)
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if want := 36 * time.Second; finished != want { // the tenth change is due 9 x 4 s after the first
			t.Errorf("got the last change after %v, want %v", finished, want)
		}
		if want := 1 + 7; polls != want { // the one with INFO, then one in 10 s for 71 s
			t.Errorf("got %d polls, want %d", polls, want)
		}
	})
}

func TestSimulate_StoppedBeforeItsEndIsAnError(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := terminal.Simulate(ctx, terminal.SimulateConfig{
		Config: terminal.Config{Gateway: g.URL, Serial: "SIM1", Habits: terminal.Polite(), Retry: time.Millisecond, PhotoWidth: 8, PhotoHeight: 8},
		Users:  3,
		Progress: func(p terminal.Progress) {
			if p.Changes == 2 {
				cancel()
			}
		},
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want the end of the context", err)
	}
}

func TestSimulate_DrawsActionsForAWhileAndConnectsAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var term *terminal.Terminal
		handshakes, beats := 0, 0
		answer := func(r *http.Request) string {
			switch {
			case strings.Contains(r.URL.RawQuery, "options=all"):
				handshakes++
				return "registry=ok\nRegistryCode=c\nSessionID=s\nRequestDelay=5\n"
			case strings.HasSuffix(r.URL.Path, "rtdata"):
				return "DateTime=583050990,ServerTZ=+0000"
			case strings.Contains(r.URL.RawQuery, "table=rtstate"):
				beats++
			}
			return "OK"
		}
		begun := time.Now()
		var last terminal.Progress
		err := terminal.Simulate(t.Context(), terminal.SimulateConfig{
			Config: terminal.Config{Gateway: "http://gateway", Serial: "SIM1", Protocol: 3, Habits: terminal.Only(terminal.Resends),
				PhotoWidth: 8, PhotoHeight: 8, Client: &http.Client{Transport: roundTripper(answer)}},
			For: 10 * time.Minute, Rate: 0.5, Draw: terminal.Choice{Users: 3},
			Started:  func(started *terminal.Terminal) { term = started },
			Progress: func(p terminal.Progress) { last = p },
		})
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took < 9*time.Minute || took > 10*time.Minute {
			t.Errorf("got it ended after %v, want about 10 minutes", took)
		}
		if last.State != terminal.Finished || last.Changes != 300 || len(term.State()) == 0 {
			t.Errorf("got %+v with %d users, want 300 changes and some users", last, len(term.State()))
		}
		if handshakes < 2 || beats < 100 {
			t.Errorf("got %d handshakes and %d heartbeats, want 2 and 100 at least", handshakes, beats)
		}
	})
}

func TestPolling_FollowsActivity(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var polls []time.Duration
		var last time.Time
		answer := func(r *http.Request) string {
			switch {
			case strings.Contains(r.URL.RawQuery, "options=all"):
				return "GET OPTION FROM: SIM1\nDelay=10\n"
			case strings.HasSuffix(r.URL.Path, "getrequest") && !last.IsZero():
				if polls = append(polls, time.Since(last)); len(polls) == 9 {
					cancel()
				}
			}
			last = time.Now()
			return "OK"
		}
		err := terminal.Simulate(ctx, terminal.SimulateConfig{Config: terminal.Config{Gateway: "http://gateway", Serial: "SIM1",
			Habits: terminal.Only(terminal.Polling), Client: &http.Client{Transport: roundTripper(answer)}}})
		if err != nil {
			t.Fatal(err)
		}
		want := []time.Duration{1, 1, 3, 5, 8, 13, 21, 30, 30}
		for i := range want {
			if want[i] *= time.Second; polls[i] != want[i] {
				t.Fatalf("got polls after %v, want them to grow up to 30s", polls)
			}
		}
	})
}

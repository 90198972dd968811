package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"
)

func TestRun_LosesNothingInAShortTime(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := run(t.Context(), options{lasts: 6 * time.Second, terminals: 40, rate: 60, settle: time.Second, dir: t.TempDir(), seed: 1}, &out)
	if err != nil {
		t.Fatalf("got error %v, want none\n%s", err, &out)
	}
	for _, line := range []string{"lost or invented    0\n", "breaches of order   0\n", "memory of gateway "} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("got %q, want it to have %q", &out, line)
		}
	}
	t.Log("\n" + out.String())
}

func TestResult_IsAnErrorIfSomethingIsLostOrOutOfOrder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		result result
		fails  bool
	}{
		{"all is well", result{changes: 3, callbacks: 3, repeats: 2}, false},
		{"lost", result{lost: []string{"S1: user \"1\" is held and not known"}}, true},
		{"out of order", result{breaches: []string{"lane"}}, true},
		{"not genuine", result{wrong: 1}, true},
		{"growing, which an operator has to judge", result{samples: []int{1 << 10, 1 << 10, 1 << 20}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.result.print(io.Discard); (err != nil) != tt.fails {
				t.Errorf("got error %v, want one: %v", err, tt.fails)
			}
		})
	}
}

func TestGrowth(t *testing.T) {
	t.Parallel()
	const mib = 1 << 10
	tests := []struct {
		name    string
		samples []int
		want    bool
	}{
		{"too few", []int{1, 100 * mib}, false},
		{"warm-up does not count", []int{10 * mib, 20 * mib, 60 * mib, 61 * mib, 60 * mib, 62 * mib}, false},
		{"a tenth of little is nothing", []int{1, 1, 10 * mib, 10 * mib, 14 * mib, 14 * mib}, false},
		{"a tenth of much is something", []int{1, 1, 100 * mib, 100 * mib, 120 * mib, 120 * mib}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, _, got := growth(tt.samples); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestParse_RefusesWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-for", "0s"}, {"-terminals", "1"}, {"-rate", "0"}, {"-settle", "-1s"}, {"more"}} {
		var usage bytes.Buffer
		if _, err := parse(args, &usage); err == nil || usage.Len() == 0 {
			t.Errorf("%q: got error %v and %d bytes of why, want both", args, err, usage.Len())
		}
	}
	if o, err := parse(nil, io.Discard); err != nil || o.terminals != 1000 || o.lasts != 10*time.Minute {
		t.Errorf("got %+v, %v, want 1000 terminals for 10 minutes", o, err)
	}
}

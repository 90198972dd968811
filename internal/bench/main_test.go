package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/bench/load"
)

// brief are options for a run of a moment.
func brief(t *testing.T) options {
	t.Helper()
	o, err := parse([]string{"-short", "-dir", t.TempDir()}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	o.load = load.Case{Devices: 3, Connections: 2, Template: 2000}
	o.bare, o.flood, o.paced, o.diskTest = 50*time.Millisecond, 100*time.Millisecond, 50*time.Millisecond, time.Millisecond
	return o
}

func TestRun(t *testing.T) {
	t.Parallel()
	for name, inProcess := range map[string]bool{"gateway in a process of its own": false, "gateway in this process": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := brief(t)
			o.inProcess = inProcess
			var out bytes.Buffer
			if err := run(t.Context(), o, &out); err != nil {
				t.Fatal(err)
			}
			text := out.String()
			for _, want := range []string{"CPUs", "exactly once and in order", "median of 1", "B over the bare loop", "p99"} {
				if !strings.Contains(text, want) {
					t.Errorf("got no %q in:\n%s", want, text)
				}
			}
			if got, want := strings.Contains(text, "CPU of the gateway"), !inProcess; got != want {
				t.Errorf("got a row with the CPU of the gateway: %v, want %v", got, want)
			}
			left, err := os.ReadDir(o.dir)
			if err != nil || len(left) != 0 {
				t.Errorf("got %d files left in %s, %v, want none", len(left), o.dir, err)
			}
		})
	}
}

func TestRun_ProgramThatIsNoGateway(t *testing.T) {
	t.Parallel()
	o := brief(t)
	o.program = filepath.Join(t.TempDir(), "absent")
	if err := run(t.Context(), o, io.Discard); err == nil {
		t.Error("got no error")
	}
}

func TestParse_WrongInput(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-runs", "0"}, {"-runs", "x"}, {"more"}, {"-absent"}} {
		var usage bytes.Buffer
		if _, err := parse(args, &usage); err == nil || usage.Len() == 0 {
			t.Errorf("%q: got %v and %q, want an error that is told", args, err, usage.String())
		}
	}
}

func TestPrintTable(t *testing.T) {
	t.Parallel()
	o := options{load: load.CaseB(), offered: 100}
	var rounds []round
	for _, changes := range []int64{100, 400, 300} {
		rounds = append(rounds, round{bare: 1000, paced: []time.Duration{time.Millisecond},
			flood: load.Flood{Changes: changes, Took: time.Second, Gateway: 30 * time.Millisecond, Peak: 64 << 20,
				Acks: []time.Duration{time.Millisecond, 2 * time.Millisecond, 3 * time.Millisecond}}})
	}
	var out bytes.Buffer
	if err := printTable(&out, o, rounds); err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]string{
		{"803 in all."},
		{"300", "100", "400", "B: committed and delivered; changes per second"},
		{"0.300", "0.100", "0.400", "B over the bare loop of its run; ratio"},
		{"2.00", "2.00", "2.00", "B: device ack at full load, p50; ms"},
		{"3.00", "3.00", "3.00", "B: device ack at full load, p99; ms"},
		{"1.00", "1.00", "1.00", "100 changes per second: device ack, p99; ms"},
		{"0.100", "0.075", "0.300", "B: CPU of the gateway per change; ms"},
		{"64", "64", "64", "B: memory of the gateway at its highest; MiB"},
	} {
		if line := strings.Join(want, " "); !strings.Contains(strings.Join(strings.Fields(out.String()), " "), line) {
			t.Errorf("got no line %q in:\n%s", line, out.String())
		}
	}
}

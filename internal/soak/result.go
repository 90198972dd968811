package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// A result is what came of a soak.
type result struct {
	changes, waits        int64
	users, facts, punches int // held and made by the terminals
	callbacks, repeats    int
	wrong                 int      // callbacks that were not genuine
	lost                  []string // what the receiver does not know rightly
	breaches              []string // of the delivery contract
	samples               []int    // of the gateway's memory, KiB
}

// print writes the result. Its error says what is wrong.
func (r result) print(out io.Writer) error {
	middle, last, grew := growth(r.samples)
	memory := "did not grow"
	if grew {
		memory = "GREW"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "changes made        %d (%d punches), %d uploads tried again\n", r.changes, r.punches, r.waits)
	fmt.Fprintf(&b, "users held          %d with %d facts\n", r.users, r.facts)
	fmt.Fprintf(&b, "callbacks           %d, %d repeated, %d not genuine\n", r.callbacks, r.repeats, r.wrong)
	fmt.Fprintf(&b, "lost or invented    %d\n", len(r.lost))
	fmt.Fprintf(&b, "breaches of order   %d\n", len(r.breaches))
	fmt.Fprintf(&b, "memory of gateway   %s after warm-up: %d MiB, then %d MiB\n", memory, middle>>10, last>>10)
	fmt.Fprintf(&b, "                    %s\n", course(r.samples))
	const shown = 20
	for _, line := range append(first(r.lost, shown), first(r.breaches, shown)...) {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	if _, err := io.WriteString(out, b.String()); err != nil {
		return err
	}
	if len(r.lost)+len(r.breaches)+r.wrong > 0 {
		return errors.New("something was lost, invented, out of order or not genuine")
	}
	return nil
}

func first(lines []string, n int) []string { return lines[:min(n, len(lines)):min(n, len(lines))] }

// course shows about a dozen of the samples, in MiB.
func course(samples []int) string {
	var shown []string
	step := max(1, len(samples)/12)
	for i := 0; i < len(samples); i += step {
		shown = append(shown, fmt.Sprint(samples[i]>>10))
	}
	return strings.Join(shown, " ") + " MiB over time"
}

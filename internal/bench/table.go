package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/fingerpost/fingerpost/internal/bench/load"
)

// A row is one line of the table.
type row struct {
	what  string
	verb  string // of fmt, for one value
	value func(round) float64
}

// rows returns the lines of the table, without those that need a gateway in a process of
// its own where it has none.
func rows(o options) []row {
	c := o.load
	list := []row{
		{"disk: append 4 KB, fdatasync; per second", "%.0f", func(r round) float64 { return r.syncs }},
		{"bare loop: 1 connection, 2 KB; requests per second", "%.0f", func(r round) float64 { return r.sequential }},
		{fmt.Sprintf("bare loop: %d connections, 2 KB; requests per second", c.Connections), "%.0f", func(r round) float64 { return r.bare }},
		{"B: committed and delivered; changes per second", "%.0f", round.delivered},
		{"B over the bare loop of its run; ratio", "%.3f", func(r round) float64 { return r.delivered() / r.bare }},
		{"B: device ack at full load, p50; ms", "%.2f", latency(func(r round) []time.Duration { return r.flood.Acks }, 50)},
		{"B: device ack at full load, p99; ms", "%.2f", latency(func(r round) []time.Duration { return r.flood.Acks }, 99)},
		{fmt.Sprintf("%d changes per second: device ack, p50; ms", o.offered), "%.2f", latency(func(r round) []time.Duration { return r.paced }, 50)},
		{fmt.Sprintf("%d changes per second: device ack, p99; ms", o.offered), "%.2f", latency(func(r round) []time.Duration { return r.paced }, 99)},
	}
	if o.inProcess {
		return list
	}
	return append(list,
		row{"B: CPU of the gateway per change; ms", "%.3f", func(r round) float64 { return r.perChange(r.flood.Gateway) }},
		row{"B: CPU of terminals and sink per change; ms", "%.3f", func(r round) float64 { return r.perChange(r.flood.Generator) }},
		row{"B: memory of the gateway at its highest; MiB", "%.0f", func(r round) float64 { return float64(r.flood.Peak) / (1 << 20) }},
	)
}

// latency returns what takes a percentile of latencies, in milliseconds.
func latency(of func(round) []time.Duration, percent float64) func(round) float64 {
	return func(r round) float64 { return load.Percentile(of(r), percent).Seconds() * 1000 }
}

// printTable writes the table: of each row the median over all runs, the lowest, the highest.
func printTable(out io.Writer, o options, rounds []round) error {
	c := o.load
	fmt.Fprintf(out, "%s\n", load.Machine())
	fmt.Fprintf(out, "B: %d devices with an endpoint each, %d terminal connections, fingerprint templates of %d characters, settle time 0\n",
		c.Devices, c.Connections, c.Template)
	fmt.Fprintf(out, "Every change arrived exactly once and in order: %d in all.\n\n", total(rounds))

	var text bytes.Buffer
	table := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
	fmt.Fprintf(table, "median of %d\tlowest\thighest\twhat\n", len(rounds))
	for _, r := range rows(o) {
		values := make([]float64, len(rounds))
		for i := range rounds {
			values[i] = r.value(rounds[i])
		}
		fmt.Fprintf(table, r.verb+"\t"+r.verb+"\t"+r.verb+"\t%s\n", load.Median(values), slices.Min(values), slices.Max(values), r.what)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("printing the table: %w", err)
	}
	if _, err := out.Write(text.Bytes()); err != nil {
		return fmt.Errorf("printing the table: %w", err)
	}
	return nil
}

// total returns how many changes all runs made.
func total(rounds []round) int64 {
	var n int64
	for _, r := range rounds {
		n += r.flood.Changes + int64(len(r.paced))
	}
	return n
}

// Command bench measures the gateway beside a bare net/http loop on the same machine, and
// prints one table:
//
//	go run ./internal/bench [-runs N] [-short] [-inprocess] [-profile FILE] [-gateway FILE] [-dir DIR]
//
// Absolute numbers say more of the machine than of the gateway, so each run measures the
// bare loop first, then the gateway, and the ratio is taken run by run. Everything is on
// loopback, bounded in time, and ends by itself. The exit code is 1 if a callback was
// lost, repeated or out of order.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/fingerpost/fingerpost/internal/bench/load"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		os.Exit(2) // parse has said why
	}
	err = run(ctx, o, os.Stdout)
	if err != nil && ctx.Err() != nil {
		err = errors.New("stopped before the end")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// options say what is measured, and how long.
type options struct {
	runs      int
	inProcess bool
	profile   string // file; "" for none
	program   string // the gateway; "" builds it
	dir       string // where stores go

	load     load.Case
	bare     time.Duration // of each bare loop
	flood    time.Duration
	paced    time.Duration
	offered  int // changes a second while paced
	diskTest time.Duration
}

func parse(args []string, usage io.Writer) (options, error) {
	o := options{load: load.CaseB(), offered: 100}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.IntVar(&o.runs, "runs", 5, "how often everything is measured; the table has the medians")
	short := flags.Bool("short", false, "measure once, and briefly: shows that it works, not how fast it is")
	flags.BoolVar(&o.inProcess, "inprocess", false, "run the gateway in this process, for profiles; not its CPU and memory then")
	flags.StringVar(&o.profile, "profile", "", "write a CPU profile of this process to `FILE`; its label \"part\" tells gateway, terminals, sink, bare")
	flags.StringVar(&o.program, "gateway", "", "measure this `program` instead of building one")
	flags.StringVar(&o.dir, "dir", "bin", "`directory` for stores; it should lie on a disk and not in memory")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.runs < 1 || flags.NArg() > 0 {
		err := errors.New("want -runs of 1 or more, and no arguments")
		fmt.Fprintln(usage, "bench:", err)
		return o, err
	}
	o.bare, o.flood, o.paced, o.diskTest = 3*time.Second, 5*time.Second, 5*time.Second, time.Second
	if *short {
		o.runs, o.bare, o.flood, o.paced, o.diskTest = 1, time.Second, time.Second, time.Second, 200*time.Millisecond
	}
	return o, nil
}

// run measures and prints.
func run(ctx context.Context, o options, out io.Writer) error {
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return fmt.Errorf("making the directory for stores: %w", err)
	}
	dir, err := os.MkdirTemp(o.dir, "bench-")
	if err != nil {
		return fmt.Errorf("making the directory for stores: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // it is temporary; what stays is in bin
	if o.program == "" && !o.inProcess {
		o.program = filepath.Join(dir, "fingerpost")
		if err := build(ctx, o.program); err != nil {
			return err
		}
	}
	stopProfile, err := profile(o.profile)
	if err != nil {
		return err
	}
	var rounds []round
	for i := range o.runs {
		r, err := measure(ctx, o, filepath.Join(dir, fmt.Sprint(i)))
		if err != nil {
			return errors.Join(fmt.Errorf("run %d: %w", i+1, err), stopProfile())
		}
		rounds = append(rounds, r)
	}
	return errors.Join(stopProfile(), printTable(out, o, rounds))
}

// build builds the program as make build does.
func build(ctx context.Context, program string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w",
		"-o", program, "github.com/fingerpost/fingerpost/cmd/fingerpost")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the gateway: %w\n%s", err, text)
	}
	return nil
}

// profile begins a CPU profile, and returns what ends it.
func profile(name string) (func() error, error) {
	if name == "" {
		return func() error { return nil }, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("making the profile: %w", err)
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(fmt.Errorf("making the profile: %w", err), file.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return file.Close()
	}, nil
}

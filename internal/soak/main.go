// Command soak lives with misbehaving terminals for a while, and shows that a gateway
// loses nothing and does not grow:
//
//	go run ./internal/soak [-for 10m] [-terminals 1000] [-rate 60] [-gateway FILE] [-seed N]
//
// It starts a gateway on a new store, terminals of both families with all habits of the
// field, and a receiver that holds every callback against the delivery contract. At the
// end it compares what the receiver knows of all users with what the terminals hold, and
// their punches. Everything is on loopback, bounded in time, and ends by itself. The exit
// code is 1 if anything was lost, invented or out of order.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
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
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		stop()
		os.Exit(1)
	}
}

// options say how long, with what, and how hard.
type options struct {
	lasts     time.Duration
	terminals int
	rate      float64 // changes a second of all terminals
	settle    time.Duration
	program   string // the gateway; "" builds it
	dir       string // where stores go
	seed      uint64
}

func parse(args []string, usage io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.DurationVar(&o.lasts, "for", 10*time.Minute, "how long terminals make changes")
	flags.IntVar(&o.terminals, "terminals", 1000, "how many, half of each family")
	flags.Float64Var(&o.rate, "rate", 60, "changes a second of all terminals together")
	flags.DurationVar(&o.settle, "settle", 5*time.Second, "settle time of the devices")
	flags.StringVar(&o.program, "gateway", "", "test this `program` instead of building one")
	flags.StringVar(&o.dir, "dir", "bin", "`directory` for stores; it should lie on a disk and not in memory")
	flags.Uint64Var(&o.seed, "seed", rand.Uint64(), "of all that terminals do")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.lasts <= 0 || o.terminals < 2 || o.rate <= 0 || o.settle < 0 || flags.NArg() > 0 {
		err := errors.New("want a time, at least 2 terminals and a rate above 0, and no arguments")
		fmt.Fprintln(usage, "soak:", err)
		return o, err
	}
	return o, nil
}

// run soaks and prints what came of it. Its error says what was wrong.
func run(ctx context.Context, o options, out io.Writer) error {
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return fmt.Errorf("making the directory for stores: %w", err)
	}
	dir, err := os.MkdirTemp(o.dir, "soak-")
	if err != nil {
		return fmt.Errorf("making the directory for stores: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // it is temporary
	if o.program == "" {
		o.program = filepath.Join(dir, "fingerpost")
		if err := build(ctx, o.program); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "%d terminals make %g changes a second for %v; again with -seed %d\n", o.terminals, o.rate, o.lasts, o.seed)
	gateway, err := start(ctx, o.program, dir)
	if err != nil {
		return err
	}
	result, err := soak(ctx, o, gateway)
	err = errors.Join(err, gateway.stop())
	if err != nil {
		return err
	}
	return result.print(out)
}

// build builds the gateway as it is shipped.
func build(ctx context.Context, program string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w",
		"-o", program, "github.com/fingerpost/fingerpost/cmd/fingerpost")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the gateway: %w\n%s", err, text)
	}
	return nil
}

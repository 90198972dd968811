package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/fingerpost/fingerpost/internal/admin"
	"github.com/fingerpost/fingerpost/internal/config"
	"github.com/fingerpost/fingerpost/internal/daemon"
	"github.com/fingerpost/fingerpost/internal/fake/endpoint"
	"github.com/fingerpost/fingerpost/internal/fake/terminal"
)

// onceTimeout bounds demo --once, which takes about a second.
const onceTimeout = 30 * time.Second

// demoUsers bounds a demo that is forgotten: some hours of changes.
const demoUsers = 1000

// errDone ends the parts of a demo whose work is done.
var errDone = errors.New("the demo is done")

func (a *app) demoCommand() *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "see it work: gateway, simulated terminal and receiver in a temporary directory",
		Long: `Run a gateway, a simulated terminal and a receiver on free ports of this machine and in a
temporary directory, which is removed at the end. Callbacks are printed as they arrive.`,
		Example: "  fingerpost demo\n  fingerpost demo --once",
		Args:    wantArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.demo(cmd.Context(), once)
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "enrol one user with each credential, print the callbacks' JSON bodies, end")
	return cmd
}

func (a *app) demo(ctx context.Context, once bool) error {
	dir, err := os.MkdirTemp("", "fingerpost-demo-")
	if err != nil {
		return fmt.Errorf("making a temporary directory: %w", err)
	}
	defer func() {
		if err := os.RemoveAll(dir); err != nil {
			a.say("the temporary directory is left behind: %v", err)
		}
	}()
	if once {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, onceTimeout, fmt.Errorf("the demo did not end within %v", onceTimeout))
		defer cancel()
	}
	c := config.Config{
		Data:         filepath.Join(dir, "data"),
		KeyFile:      filepath.Join(dir, "data", "seal.key"),
		DeviceListen: "127.0.0.1:0",
		AdminListen:  "127.0.0.1:0",
		LogFormat:    "text",
		LogLevel:     slog.LevelWarn,
	}
	d, err := daemon.New(c, daemon.Options{Log: a.log(c), Out: a.err, Version: a.version})
	if err != nil {
		return err
	}
	err = a.run(ctx, d, func(ctx context.Context) error {
		return a.play(ctx, demoParts{data: c.Data, deviceURL: d.DeviceURL(), adminURL: d.AdminURL(), once: once})
	})
	if errors.Is(err, errDone) {
		return nil
	}
	if cause := context.Cause(ctx); once && cause != nil {
		return cause
	}
	return err
}

// demoParts are what a demo plays with.
type demoParts struct {
	data, deviceURL, adminURL string
	once                      bool
}

// play sets up endpoint and device as an operator does, and enrols. It ends with
// errDone, or when ctx does.
func (a *app) play(ctx context.Context, p demoParts) error {
	token, err := tokenOf(p.data)
	if err != nil {
		return err
	}
	client := admin.NewClient(p.adminURL, token, nil)
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("opening a port for the receiver: %w", err)
	}
	receiver, err := a.demoReceiver(ctx, client, "http://"+listener.Addr().String()+"/callback", p.once)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serveHTTP(ctx, listener, receiver) })
	group.Go(func() error { return a.enrol(ctx, client, p) })
	return group.Wait()
}

// demoReceiver adds the endpoint and the device, and returns the receiver of that
// endpoint, which checks its token and signature.
func (a *app) demoReceiver(ctx context.Context, client *admin.Client, url string, once bool) (*endpoint.Endpoint, error) {
	added, err := client.AddEndpoint(ctx, admin.NewEndpoint{Name: "demo", URL: url})
	if err != nil {
		return nil, err
	}
	if _, err := client.AddDevice(ctx, admin.NewDevice{
		Serial:    demoSerial,
		StgID:     "demo-gate",
		TimeZone:  "Asia/Kolkata",
		Endpoints: []string{"demo"},
		Settle:    "0s",
	}); err != nil {
		return nil, err
	}
	show := func(r endpoint.Received) { _ = endpoint.Print(a.out, r) } // a closed output ends nothing
	if once {
		show = func(r endpoint.Received) { _ = a.printBody(r) }
	}
	return endpoint.New(endpoint.Config{
		AuthToken:  added.AuthToken,
		Secret:     added.Secret,
		Discard:    true,
		OnCallback: show,
	})
}

const demoSerial = "DEMO00000001"

// printBody writes the body of a callback on a line of its own, as it came but with long
// Data cut. Body and credentials are the simulated terminal's own inventions.
func (a *app) printBody(r endpoint.Received) error {
	if r.TokenErr != nil || r.SignatureErr != nil {
		a.say("the next callback is not genuine: token %v, signature %v", r.TokenErr, r.SignatureErr)
	}
	_, err := fmt.Fprintf(a.out, "%s\n", endpoint.CutBody(r.Body))
	return err
}

func (a *app) enrol(ctx context.Context, client *admin.Client, p demoParts) error {
	cfg := terminal.Config{Gateway: p.deviceURL, Serial: demoSerial, Retry: 200 * time.Millisecond,
		Habits: terminal.Polite()}
	if !p.once {
		a.say("Gateway, terminal and receiver run. Admin page: %s/", p.adminURL)
		a.say("Ask it too, from another window: fingerpost delivery list --data %s", p.data)
		a.say("Ctrl-C ends the demo.\n")
		err := terminal.Simulate(ctx, terminal.SimulateConfig{Config: cfg, Users: demoUsers, Rate: 0.4, Stay: true})
		if ctx.Err() != nil {
			return errDone // Ctrl-C is how it ends
		}
		return err
	}
	t, err := terminal.New(cfg)
	if err != nil {
		return err
	}
	defer t.Close()
	if err := t.Connect(ctx); err != nil {
		return err
	}
	if err := t.EnrollAll(ctx, "1"); err != nil {
		return err
	}
	return a.awaitDelivered(ctx, client)
}

// awaitDelivered returns errDone when all that was committed is acknowledged.
func (a *app) awaitDelivered(ctx context.Context, client *admin.Client) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		waiting, err := client.Deliveries(ctx, admin.DeliveryQuery{State: "waiting"})
		if err != nil {
			return err
		}
		if len(waiting.Items) == 0 {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	delivered, err := client.Deliveries(ctx, admin.DeliveryQuery{State: "delivered"})
	if err != nil {
		return err
	}
	if len(delivered.Items) == 0 {
		return errors.New("the terminal was acknowledged, and no callback came of it")
	}
	a.say("%d callbacks delivered and acknowledged.", len(delivered.Items))
	return errDone
}

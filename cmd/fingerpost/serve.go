package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/fingerpost/fingerpost/internal/config"
	"github.com/fingerpost/fingerpost/internal/daemon"
)

func (a *app) serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "run the gateway",
		Long: `Run the gateway until SIGTERM or Ctrl-C. Every flag has a twin in the environment:
--device-listen is FINGERPOST_DEVICE_LISTEN. Devices and endpoints are no flags: they are
added with "fingerpost device" and "fingerpost endpoint" while it runs.`,
		Example: `  fingerpost serve
  fingerpost serve --data /var/lib/fingerpost --device-address 203.0.113.7:8081
  FINGERPOST_LOG_FORMAT=json fingerpost serve`,
		Args: wantArgs(),
	}
	flags := config.AddFlags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := flags.Config(a.lookup)
		if err != nil {
			return &inputError{err}
		}
		return a.serve(cmd.Context(), c)
	}
	return cmd
}

func (a *app) serve(ctx context.Context, c config.Config) error {
	log := a.log(c)
	d, err := daemon.New(c, daemon.Options{Log: log, Out: a.out, Version: a.version})
	if err != nil {
		return err
	}
	log.Info("starting", "version", a.version, "config", c)
	return a.run(ctx, d, func(context.Context) error {
		_, err := fmt.Fprint(a.out, banner{
			version:   a.version,
			config:    c,
			deviceURL: d.DeviceURL(),
			adminURL:  d.AdminURL(),
			lan:       lanAddresses(),
		})
		return err
	})
}

func (a *app) log(c config.Config) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(a.err, options))
	}
	return slog.New(slog.NewTextHandler(a.err, options))
}

// run runs a daemon until ctx is done, and beside it what is to be done once it
// listens. It returns when both have ended; a failure of one ends the other.
func (a *app) run(ctx context.Context, d *daemon.Daemon, listening func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return d.Run(ctx) })
	group.Go(func() error {
		select {
		case <-ctx.Done():
			return nil
		case <-d.Ready:
		}
		return listening(ctx)
	})
	return group.Wait()
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/fingerpost/fingerpost/internal/fake/endpoint"
)

func (a *app) listenCommand() *cobra.Command {
	var cfg endpoint.Config
	var addr string
	cmd := &cobra.Command{
		Use:   "listen",
		Short: "a local receiver that prints callbacks and checks token and signature",
		Example: `  fingerpost listen
  fingerpost listen --addr 127.0.0.1:9000 --fail 500,500,200 --delay 2s
  fingerpost listen --auth-token TOKEN --secret whsec_…`,
		Args: wantArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg.OnCallback = func(r endpoint.Received) {
				_ = endpoint.Print(a.out, r) // a closed output must not change the answers
			}
			cfg.Discard = true // it may run for days
			receiver, err := endpoint.New(cfg)
			if err != nil {
				return &inputError{err}
			}
			return a.listen(cmd.Context(), addr, receiver)
		},
	}
	set := cmd.Flags()
	set.StringVar(&addr, "addr", "127.0.0.1:9000", "`address` to listen on")
	set.IntSliceVar(&cfg.Fail, "fail", nil, "`statuses` of the first answers, then 200")
	set.DurationVar(&cfg.Delay, "delay", 0, "`time` before each answer")
	set.StringVar(&cfg.AuthToken, "auth-token", "", "auth `token` that callbacks must carry (default not checked)")
	set.StringVar(&cfg.Secret, "secret", "", "signing `secret` of the endpoint (default not checked)")
	return cmd
}

func (a *app) listen(ctx context.Context, addr string, receiver *endpoint.Endpoint) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if _, ok := errors.AsType[*net.AddrError](err); ok {
		return inputErrorf(`--addr %q: want host:port, such as "127.0.0.1:9000"`, addr)
	}
	if err != nil {
		return fmt.Errorf("--addr %s: %w: choose another address", addr, err)
	}
	url := "http://" + listener.Addr().String() + "/"
	a.say("A receiver listens at %s on every path. Send it callbacks with:", url)
	a.say("  fingerpost endpoint add NAME --url %s", url)
	return serveHTTP(ctx, listener, receiver)
}

// serveHTTP serves until ctx is done and gives requests under way a second to end.
func serveHTTP(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if server.Shutdown(end) != nil {
			return server.Close()
		}
		return nil
	})
	return group.Wait()
}

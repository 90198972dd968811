package main

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime/pprof"
	"strings"

	"github.com/fingerpost/fingerpost/internal/bench/load"
	"github.com/fingerpost/fingerpost/internal/config"
	"github.com/fingerpost/fingerpost/internal/daemon"
)

// startInProcess runs a gateway in this process, under the profiler label part=gateway.
func startInProcess(ctx context.Context, dir string) (load.Gateway, func() error, error) {
	data := filepath.Join(dir, "data")
	d, err := daemon.New(config.Config{Data: data, KeyFile: filepath.Join(data, "seal.key"),
		DeviceListen: "127.0.0.1:0", AdminListen: "127.0.0.1:0"}, daemon.Options{Version: "bench"})
	if err != nil {
		return load.Gateway{}, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go pprof.Do(ctx, pprof.Labels("part", "gateway"), func(ctx context.Context) { ended <- d.Run(ctx) })
	stop := func() error {
		cancel()
		return <-ended
	}
	select {
	case <-d.Ready:
	case err := <-ended:
		cancel()
		return load.Gateway{}, nil, fmt.Errorf("the gateway ended before it listened: %w", err)
	}
	client, err := load.ClientOf(data)
	if err != nil {
		return load.Gateway{}, nil, fmt.Errorf("finding the gateway: %w (ended with %w)", err, stop())
	}
	return load.Gateway{DeviceAddress: strings.TrimPrefix(d.DeviceURL(), "http://"), Admin: client}, stop, nil
}

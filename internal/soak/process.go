package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/fingerpost/fingerpost/internal/admin"
)

// startWait and stopWait bound what takes a moment.
const (
	startWait = 30 * time.Second
	stopWait  = 40 * time.Second // the gateway promises 30 s
)

// A process is "fingerpost serve", running for itself.
type process struct {
	url    string // of the device side
	client *admin.Client
	cmd    *exec.Cmd
	log    string        // file
	ended  chan struct{} // closed when it is gone
	err    error         // of its end; read it after ended
}

// start starts a gateway on a new store in dir, and returns when it answers. It ends
// with ctx, or by stop.
func start(ctx context.Context, program, dir string) (*process, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("looking for a free port: %w", err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return nil, fmt.Errorf("looking for a free port: %w", err)
	}
	p := &process{url: "http://" + address, log: filepath.Join(dir, "log"), ended: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, fmt.Errorf("starting the gateway: %w", err)
	}
	defer func() { _ = log.Close() }() // the process has its own
	data := filepath.Join(dir, "data")
	p.cmd = exec.CommandContext(ctx, program, "serve", "--data", data, "--device-listen", address, "--admin-listen", "127.0.0.1:0")
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH")} // no FINGERPOST_… of the user
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(os.Interrupt) }
	p.cmd.WaitDelay = stopWait
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the gateway: %w", err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	if err := p.answering(ctx, data); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// answering returns once the gateway's API answers.
func (p *process) answering(ctx context.Context, data string) error {
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		// The files are there before the API is; any error means "not yet".
		address, err := os.ReadFile(filepath.Join(data, "admin-address"))
		if err == nil {
			var token []byte
			token, err = os.ReadFile(filepath.Join(data, "admin-token"))
			p.client = admin.NewClient("http://"+strings.TrimSpace(string(address)), strings.TrimSpace(string(token)), nil)
		}
		if err == nil {
			_, err = p.client.Devices(ctx, admin.Page{Limit: 1})
		}
		if err == nil {
			return nil
		}
		select {
		case <-look.C:
		case <-p.ended:
			return errors.New("the gateway ended before it answered")
		case <-ctx.Done():
			return fmt.Errorf("the gateway does not answer: %w", err)
		}
	}
}

// stop ends the gateway in good order. Its error has the end of the log if that went
// wrong.
func (p *process) stop() error {
	select {
	case <-p.ended:
	default:
		_ = p.cmd.Process.Signal(os.Interrupt) // it may be gone this moment
		kill := time.AfterFunc(stopWait, func() { _ = p.cmd.Process.Kill() })
		<-p.ended
		kill.Stop()
	}
	if p.err == nil {
		return nil
	}
	const most = 4000
	text, _ := os.ReadFile(p.log) // the error of the end is told anyway
	return fmt.Errorf("the gateway ended with %w:\n%s", p.err, text[max(0, len(text)-most):])
}

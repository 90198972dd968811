package load

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

// A Process is "fingerpost serve", running for itself.
type Process struct {
	Gateway

	cmd   *exec.Cmd
	log   string
	ended chan struct{} // closed when it is gone
	err   error         // of its end; read it after ended
}

// Start starts a gateway from its program on a new store in dir, and returns when it
// answers; ctx bounds no more than that. Call [Process.Stop] in the end.
func Start(ctx context.Context, program, dir string) (*Process, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	p := &Process{log: filepath.Join(dir, "log"), ended: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, fmt.Errorf("starting the gateway: %w", err)
	}
	defer func() { _ = log.Close() }() // the process has its own
	p.cmd = exec.CommandContext(context.WithoutCancel(ctx), program, "serve", "--data", data, "--device-listen", address, "--admin-listen", "127.0.0.1:0")
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH")} // no FINGERPOST_… of the user
	p.cmd.Stderr = log
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the gateway: %w", err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	p.Gateway = Gateway{DeviceAddress: address, PID: p.cmd.Process.Pid}
	if p.Admin, err = p.answering(ctx, data); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

// freeAddress returns an address of loopback that was free a moment ago.
func freeAddress(ctx context.Context) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

// answering returns a client of the gateway's API once it answers.
func (p *Process) answering(ctx context.Context, data string) (*admin.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		// The files are there before the API is; any error means "not yet".
		client, err := ClientOf(data)
		if err == nil {
			_, err = client.Devices(ctx, admin.Page{Limit: 1})
		}
		if err == nil {
			return client, nil
		}
		select {
		case <-look.C:
		case <-p.ended:
			return nil, errors.New("the gateway ended before it answered")
		case <-ctx.Done():
			return nil, fmt.Errorf("the gateway does not answer: %w", err)
		}
	}
}

// ClientOf returns a client of the gateway that runs on a data directory.
func ClientOf(data string) (*admin.Client, error) {
	address, err := os.ReadFile(filepath.Join(data, "admin-address"))
	if err != nil {
		return nil, err
	}
	token, err := os.ReadFile(filepath.Join(data, "admin-token"))
	if err != nil {
		return nil, err
	}
	return admin.NewClient("http://"+strings.TrimSpace(string(address)), strings.TrimSpace(string(token)), nil), nil
}

// Stop ends the gateway in good order. Its error has the end of the log if that went
// wrong.
func (p *Process) Stop() error {
	select {
	case <-p.ended:
	default:
		_ = p.cmd.Process.Signal(os.Interrupt) // it may be gone this moment
		kill := time.AfterFunc(stopWait, func() { _ = p.cmd.Process.Kill() })
		defer kill.Stop()
		<-p.ended
	}
	if p.err == nil {
		return nil
	}
	const shown = 2 << 10 // bytes
	text, err := os.ReadFile(p.log)
	return errors.Join(fmt.Errorf("the gateway ended with %w:\n%s", p.err, text[max(0, len(text)-shown):]), err)
}

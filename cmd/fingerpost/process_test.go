package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/admin"
	"github.com/fingerpost/fingerpost/internal/daemon"
	"github.com/fingerpost/fingerpost/internal/fake/endpoint"
)

// buildBinary builds the program as it is shipped, without the race detector, and
// returns its path.
func buildBinary(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fingerpost")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the program: %v\n%s", err, out)
	}
	return path
}

// A process is "fingerpost serve", running for itself.
type process struct {
	cmd    *exec.Cmd
	dir    string // data directory
	output transcript
	ended  chan struct{} // closed when it is gone
	err    error         // of its end; read it after ended
}

// serveArgs are the arguments of a gateway that terminals reach at a loopback address.
func serveArgs(dir, device string) []string {
	return []string{"serve", "--data", dir, "--device-listen", device, "--admin-listen", "127.0.0.1:0"}
}

// startProcess runs a command line that ends with a gateway on dir. It returns when
// the gateway listens, with an error if it ends before.
func startProcess(t *testing.T, dir string, line ...string) (*process, error) {
	t.Helper()
	p := &process{cmd: exec.Command(line[0], line[1:]...), dir: dir, ended: make(chan struct{})}
	p.output.listens = make(chan struct{})
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // strace would keep a signal to itself
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH")}       // no FINGERPOST_… of the developer
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	if err := p.cmd.Start(); err != nil {
		close(p.ended)
		return p, err
	}
	t.Cleanup(p.kill)
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, p.awaitListening()
}

// mustStart is startProcess of a gateway that has to listen.
func mustStart(t *testing.T, dir string, line ...string) *process {
	t.Helper()
	p, err := startProcess(t, dir, line...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *process) awaitListening() error {
	select {
	case <-p.output.listens:
		return nil
	case <-p.ended:
		return fmt.Errorf("the gateway ended before it listened: %w\n%s", p.err, &p.output)
	case <-time.After(processTimeout):
		return fmt.Errorf("the gateway did not listen within %v:\n%s", processTimeout, &p.output)
	}
}

// processTimeout bounds what takes a moment, far above what a loaded machine needs.
const processTimeout = time.Minute

// kill ends the process at once, if it has not ended yet, and waits for its end.
func (p *process) kill() {
	_ = p.signal(syscall.SIGKILL) // gone already is as good
	<-p.ended
}

// stop ends the process in good order and checks that it takes it as such.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := p.signal(syscall.SIGTERM); err != nil {
		t.Fatalf("stopping the gateway: %v", err)
	}
	select {
	case <-p.ended:
	case <-time.After(processTimeout):
		t.Fatalf("the gateway did not stop within %v:\n%s", processTimeout, &p.output)
	}
	if p.err != nil {
		t.Errorf("the gateway ended with %v, want exit code 0:\n%s", p.err, &p.output)
	}
}

// signal sends s to the process and its children. A process that has ended is not signalled: its number may be
// another's.
func (p *process) signal(s syscall.Signal) error {
	select {
	case <-p.ended:
		return os.ErrProcessDone
	default:
	}
	return syscall.Kill(-p.cmd.Process.Pid, s)
}

// client returns a client of the gateway's API, which moves with each start.
func (p *process) client(t *testing.T) *admin.Client {
	t.Helper()
	address, err := os.ReadFile(filepath.Join(p.dir, daemon.AddressFile))
	if err != nil {
		t.Fatal(err)
	}
	token, err := os.ReadFile(filepath.Join(p.dir, daemon.TokenFile))
	if err != nil {
		t.Fatal(err)
	}
	return admin.NewClient("http://"+strings.TrimSpace(string(address)), strings.TrimSpace(string(token)), nil)
}

// A transcript is what a process wrote.
type transcript struct {
	listens chan struct{} // closed when it wrote that it does

	mu    sync.Mutex
	text  bytes.Buffer
	found bool
}

func (o *transcript) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	if !o.found && strings.Contains(o.text.String(), " runs.\n") {
		o.found = true
		close(o.listens)
	}
	return len(p), nil
}

func (o *transcript) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// devicePort returns an address of 127.0.0.1 that was free a moment ago. Its port lies
// below those that systems give to outgoing connections: while the gateway is down, a
// terminal's connection must not get it, or the gateway could not come back.
func devicePort(t *testing.T, number func(n int) int) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 20_000+number(12_000))
		listener, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		return address
	}
	t.Fatal("found no free port from 20000 to 31999")
	return ""
}

// startReceiver serves a receiver of callbacks until the end of the test, and returns
// its URL.
func startReceiver(t *testing.T, receiver *endpoint.Endpoint) string {
	t.Helper()
	server := httptest.NewServer(receiver)
	t.Cleanup(server.Close)
	return server.URL + "/callback"
}

// addDevice adds a device that waits for nothing, with the serial number as its stgid.
func addDevice(t *testing.T, client *admin.Client, serial, endpointName string) {
	t.Helper()
	if _, err := client.AddDevice(t.Context(), admin.NewDevice{Serial: serial, StgID: serial,
		TimeZone: "Asia/Kolkata", Endpoints: []string{endpointName}, Settle: "0s"}); err != nil {
		t.Fatal(err)
	}
}

// awaitNothingWaits returns when an endpoint has acknowledged all that it is owed.
func awaitNothingWaits(ctx context.Context, client *admin.Client, name string) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		e, err := client.Endpoint(ctx, name)
		if err != nil {
			return err
		}
		if e.Waiting == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%d deliveries wait", e.Waiting), ctx.Err())
		case <-tick.C:
		}
	}
}

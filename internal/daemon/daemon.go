// Package daemon puts the parts together: it alone knows who is who, owns the
// listeners, and decides the order of stopping.
//
// # Stopping
//
// When the context of [Daemon.Run] is done, the listeners take nothing new, uploads
// that are being committed get their answer, attempts in flight get 25 s, and Run
// returns within 30 s. The store is closed last.
package daemon

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // zones of devices must be known on every machine

	"golang.org/x/sync/errgroup"

	"github.com/fingerpost/fingerpost/internal/admin"
	"github.com/fingerpost/fingerpost/internal/config"
	"github.com/fingerpost/fingerpost/internal/deliver"
	"github.com/fingerpost/fingerpost/internal/enroll"
	"github.com/fingerpost/fingerpost/internal/intake"
	"github.com/fingerpost/fingerpost/internal/seal"
	"github.com/fingerpost/fingerpost/internal/store/sqlite"
	"github.com/fingerpost/fingerpost/internal/zkpush"
)

// Names of the files that a daemon leaves in its data directory, mode 0600.
const (
	TokenFile   = "admin-token"   // the token that the API accepts
	AddressFile = "admin-address" // where the API listens, host:port
)

// shutdownWait is what requests get that are being answered when we stop.
const shutdownWait = 10 * time.Second

// Options are what a daemon needs beside its configuration.
type Options struct {
	Log     *slog.Logger // nil discards
	Out     io.Writer    // what the operator should read once; nil discards
	Version string
}

// A Daemon is one gateway.
type Daemon struct {
	// Ready is closed when the daemon listens.
	Ready chan struct{}

	config  config.Config
	options Options

	store  *sqlite.DB
	intake *intake.Intake
	sender *deliver.Sender
	device *service
	admin  *service
}

// A service is an HTTP server with its listener.
type service struct {
	http.Server
	listener net.Listener
}

// New returns a Daemon. It opens nothing: call [Daemon.Run].
func New(c config.Config, o Options) (*Daemon, error) {
	if c.Data == "" || c.KeyFile == "" || c.DeviceListen == "" || c.AdminListen == "" {
		return nil, errors.New("daemon: Data, KeyFile, DeviceListen and AdminListen are required")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	return &Daemon{Ready: make(chan struct{}), config: c, options: o}, nil
}

// DeviceURL returns where terminals call on this machine, once the daemon is ready.
func (d *Daemon) DeviceURL() string { return "http://" + local(d.device.listener.Addr()) }

// AdminURL returns where the API is on this machine, once the daemon is ready.
func (d *Daemon) AdminURL() string { return "http://" + local(d.admin.listener.Addr()) }

// local returns an address that leads to a listener from this machine.
func local(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if ok && tcp.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", fmt.Sprint(tcp.Port))
	}
	return addr.String()
}

// Run runs the gateway until ctx is done or a part of it fails.
func (d *Daemon) Run(ctx context.Context) error {
	if err := d.open(ctx); err != nil {
		return errors.Join(unlessStopped(ctx, err), d.close())
	}
	// The store outlives all that writes to it.
	storing, stopStoring := context.WithCancel(context.WithoutCancel(ctx))
	defer stopStoring()
	stored := make(chan error, 1)
	go func() { stored <- d.store.Run(storing) }()

	err := unlessStopped(ctx, d.serve(ctx))
	stopStoring()
	return errors.Join(err, <-stored, d.close())
}

// unlessStopped drops the error of something that our own stop interrupted.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// open opens everything: the store, the parts, the listeners.
func (d *Daemon) open(ctx context.Context) error {
	if err := os.MkdirAll(d.config.Data, 0o700); err != nil {
		return fmt.Errorf("making the data directory: %w", err)
	}
	box, err := d.openKey()
	if err != nil {
		return err
	}
	log := d.options.Log
	if d.store, err = sqlite.Open(ctx, sqlite.Config{Dir: d.config.Data, Box: box, Log: log}); err != nil {
		return err
	}
	if d.intake, err = intake.New(intake.Config{Store: d.store, Hash: box.Hash, Log: log}); err != nil {
		return err
	}
	if d.sender, err = deliver.New(deliver.Config{Store: d.store, Log: log, Version: d.options.Version}); err != nil {
		return err
	}
	d.store.Subscribe(d.intake.Committed)
	d.store.Subscribe(d.sender.Committed)
	push, err := zkpush.New(zkpush.Config{Sink: d.intake, Hash: box.Hash, Log: log, TrustedProxies: d.config.TrustedProxies})
	if err != nil {
		return err
	}
	api, err := admin.New(admin.Config{Store: d.store, Log: log, Version: d.options.Version,
		Presence: d.intake.Presence, Ready: d.store.Ready, Reread: d.reread, DefaultZone: zone()})
	if err != nil {
		return err
	}
	if d.device, err = d.listen(ctx, "--device-listen", d.config.DeviceListen, push); err != nil {
		return err
	}
	// Terminals on slow links are bounded by zkpush; nobody else should be that slow.
	if d.admin, err = d.listen(ctx, "--admin-listen", d.config.AdminListen, api); err != nil {
		return err
	}
	d.admin.ReadTimeout = time.Minute
	return nil
}

// openKey opens the sealing key, and makes one for a store that is not there yet. Made
// beside an old store, a new key would take the place of the lost one in a backup.
func (d *Daemon) openKey() (*seal.Box, error) {
	_, err := os.Stat(d.config.KeyFile)
	if _, store := os.Stat(filepath.Join(d.config.Data, sqlite.File)); errors.Is(err, fs.ErrNotExist) && store == nil {
		return nil, fmt.Errorf("sealing key %q is missing, and the store in %q cannot be read without it: "+
			"restore it from a backup, or name it with --key-file", d.config.KeyFile, d.config.Data)
	}
	return seal.OpenFile(d.config.KeyFile)
}

func (d *Daemon) listen(ctx context.Context, flag, address string, handler http.Handler) (*service, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s %s: the port is taken: end what uses it, or choose another port", flag, address)
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", flag, address, err)
	}
	return &service{listener: listener, Server: http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(d.options.Log.Handler(), slog.LevelDebug),
	}}, nil
}

// serve runs all parts but the store until ctx is done or one of them fails, and
// returns when all have ended.
func (d *Daemon) serve(ctx context.Context) error {
	if err := d.leaveFiles(ctx); err != nil {
		return err
	}
	// The group's context ends with ctx or the first failure. Intake ends after the
	// listeners, so that it knows the last that was seen.
	group, ctx := errgroup.WithContext(ctx)
	noticing, stopNoticing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopNoticing()
	group.Go(func() error { return d.sender.Run(ctx) })
	group.Go(func() error { return d.intake.Run(noticing) })
	group.Go(func() error { return d.admin.run(ctx) })
	group.Go(func() error {
		defer stopNoticing()
		return d.device.run(ctx)
	})
	close(d.Ready)
	return group.Wait()
}

// run serves until ctx is done, then lets requests finish that are being answered.
func (s *service) run(ctx context.Context) error {
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownWait)
		defer cancel()
		err := s.Shutdown(wait)
		if err != nil {
			err = s.Close() // whoever is still talking is cut off
		}
		stopped <- err
	})
	err := s.Serve(s.listener)
	if stop() {
		return fmt.Errorf("serving %v: %w", s.listener.Addr(), err) // by itself
	}
	return <-stopped
}

// close frees what open opened.
func (d *Daemon) close() error {
	var errs []error
	for _, s := range []*service{d.device, d.admin} {
		if s != nil {
			if err := s.listener.Close(); !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
	}
	if d.store != nil {
		errs = append(errs, d.store.Close())
	}
	return errors.Join(errs...)
}

// leaveFiles makes sure that there is an admin token that the store accepts, and
// tells the commands where the API is.
func (d *Daemon) leaveFiles(ctx context.Context) error {
	token, err := adminToken(filepath.Join(d.config.Data, TokenFile))
	if err != nil {
		return fmt.Errorf("making the admin token: %w", err)
	}
	sum := sha256.Sum256([]byte(token))
	if err := d.store.AddAdminToken(ctx, hex.EncodeToString(sum[:])); err != nil {
		return fmt.Errorf("making the admin token: %w", err)
	}
	address := local(d.admin.listener.Addr()) + "\n"
	if err := os.WriteFile(filepath.Join(d.config.Data, AddressFile), []byte(address), 0o600); err != nil {
		return fmt.Errorf("leaving the API's address: %w", err)
	}
	return nil
}

// adminToken reads the token in a file, or makes one.
func adminToken(name string) (string, error) {
	text, err := os.ReadFile(name)
	if err == nil && len(strings.TrimSpace(string(text))) > 0 {
		return strings.TrimSpace(string(text)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	random := make([]byte, 32)
	if _, err := rand.Read(random); err != nil {
		return "", err
	}
	token := "fpt_" + base64.RawURLEncoding.EncodeToString(random)
	return token, os.WriteFile(name, []byte(token+"\n"), 0o600)
}

// zone returns the IANA name of this machine's zone, "UTC" if it cannot be found out.
func zone() string {
	name := os.Getenv("TZ")
	if name == "" {
		if target, err := filepath.EvalSymlinks("/etc/localtime"); err == nil {
			_, name, _ = strings.Cut(target, "zoneinfo/")
		}
	}
	if _, err := enroll.ParseZone(name); err != nil {
		return "UTC"
	}
	return name
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/fingerpost/fingerpost/internal/admin"
	"github.com/fingerpost/fingerpost/internal/config"
	"github.com/fingerpost/fingerpost/internal/daemon"
)

// A gateway is how a command finds the one to talk to.
type gateway struct {
	app                 *app
	server, token, data string
}

func (g *gateway) addFlags(set *pflag.FlagSet) {
	set.StringVar(&g.server, "server", "", "`URL` of the gateway (FINGERPOST_SERVER; default the one that runs on --data)")
	set.StringVar(&g.token, "token", "", "admin `token` (FINGERPOST_TOKEN; default the one in --data)")
	set.StringVar(&g.data, "data", "", "data `directory` of the gateway (FINGERPOST_DATA; default "+config.DefaultData+")")
}

// client returns a client of the gateway that flags, environment or the data directory
// name, or says what is missing.
func (g *gateway) client() (*admin.Client, error) {
	data, dataNamed := g.setting(g.data, "FINGERPOST_DATA", config.DefaultData)
	server, serverNamed := g.setting(g.server, "FINGERPOST_SERVER", "")
	token, tokenNamed := g.setting(g.token, "FINGERPOST_TOKEN", "")
	if !serverNamed {
		var err error
		if server, err = serverOf(data); err != nil {
			return nil, err
		}
	}
	server, local, err := checkServer(server)
	if err != nil {
		return nil, err
	}
	if !tokenNamed {
		// The token of the gateway here is not to be sent to a machine elsewhere only
		// because a data directory happens to lie in this place.
		if serverNamed && !dataNamed && !local {
			return nil, inputErrorf("no admin token for %s: give it with --token or FINGERPOST_TOKEN; it stands in %s of that gateway's data directory", server, daemon.TokenFile)
		}
		if token, err = tokenOf(data); err != nil {
			return nil, err
		}
	}
	return admin.NewClient(server, strings.TrimSpace(token), nil), nil
}

// setting returns the flag's text, else its twin's, else otherwise, and whether one of
// the two first was given.
func (g *gateway) setting(flag, twin, otherwise string) (string, bool) {
	if flag != "" {
		return flag, true
	}
	if text, ok := g.app.lookup(twin); ok && text != "" {
		return text, true
	}
	return otherwise, false
}

// serverOf returns the address that the gateway on a data directory wrote there, else
// the default one.
func serverOf(data string) (string, error) {
	text, err := os.ReadFile(filepath.Join(data, daemon.AddressFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "http://" + config.DefaultAdminListen, nil
	}
	if err != nil {
		return "", inputErrorf("reading the gateway's address: %w: name the gateway with --server", err)
	}
	return strings.TrimSpace(string(text)), nil
}

func tokenOf(data string) (string, error) {
	name := filepath.Join(data, daemon.TokenFile)
	text, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", inputErrorf("no admin token: there is no %s; name the gateway's data directory with --data, or give the token with --token or FINGERPOST_TOKEN", name)
	case err != nil:
		return "", inputErrorf("reading the admin token: %w: run as the user that runs the gateway, or give it with --token", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// checkServer returns the URL of a gateway and whether that is on this machine.
func checkServer(text string) (string, bool, error) {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.RawQuery != "" {
		return "", false, inputErrorf(`--server: want an address such as "http://127.0.0.1:8080"`)
	}
	if u.User != nil {
		return "", false, inputErrorf("--server: want an address without user name and password: the token goes into --token")
	}
	address, err := netip.ParseAddr(u.Hostname())
	return text, u.Hostname() == "localhost" || err == nil && address.IsLoopback(), nil
}

// maxSecretFile bounds what is read from a file with a secret, in bytes.
const maxSecretFile = 64 << 10

// secretFile returns the contents of the file that a flag names, trimmed; "-" is
// standard input.
func (a *app) secretFile(flag, name string) (string, error) {
	var text []byte
	var err error
	if name == "-" {
		text, err = io.ReadAll(io.LimitReader(a.in, maxSecretFile+1))
	} else {
		text, err = readFile(name)
	}
	secret := strings.TrimSpace(string(text))
	switch {
	case err != nil:
		return "", inputErrorf("--%s: %w", flag, err)
	case len(text) > maxSecretFile:
		return "", inputErrorf("--%s %q: want a file of at most 64 KiB", flag, name)
	case secret == "":
		return "", inputErrorf("--%s %q: the file is empty", flag, name)
	}
	return secret, nil
}

func readFile(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // only read
	text, err := io.ReadAll(io.LimitReader(file, maxSecretFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", name, err)
	}
	return text, nil
}

// allPages returns a whole list, page by page.
func allPages[T any](ctx context.Context, fetch func(context.Context, admin.Page) (admin.List[T], error)) (admin.List[T], error) {
	all := admin.List[T]{Items: []T{}}
	page := admin.Page{Limit: 1000}
	for {
		list, err := fetch(ctx, page)
		if err != nil {
			return all, err
		}
		all.Items = append(all.Items, list.Items...)
		if list.NextCursor == "" {
			return all, nil
		}
		page.Cursor = list.NextCursor
	}
}

// Package config turns the flags of "fingerpost serve" and their environment twins
// into a checked [Config].
//
// # What it promises
//
//   - Each flag has a twin: --device-listen is FINGERPOST_DEVICE_LISTEN. A flag that
//     is given wins over its twin, a twin over the default. An empty twin counts as
//     not set.
//   - Wrong input is a [*InputError], one sentence: what, where, what would be right.
//   - There is no configuration file. Devices and endpoints are data of the store.
//   - A Config prints and logs without the password of a store's URL.
package config

import (
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
)

// Defaults of settings that others want to name.
const (
	DefaultData         = "fingerpost-data"
	DefaultDeviceListen = ":8081"
	DefaultAdminListen  = "127.0.0.1:8080"
)

// A Config is what "fingerpost serve" works with. [Flags.Config] checks it.
type Config struct {
	Data           string // data directory
	Store          string // URL of the store; "" is SQLite in the data directory
	StoreListen    string // URL of a direct connection for LISTEN; "" is Store
	KeyFile        string // sealing key, never ""
	DeviceListen   string // host:port, host may be empty
	AdminListen    string // host:port
	DeviceAddress  string // what to type into a terminal, host or host:port; "" where it can be found out
	TrustedProxies []netip.Prefix
	AllowNetworks  []netip.Prefix
	PublicOnly     bool
	LogFormat      string // text, json
	LogLevel       slog.Level
}

// An InputError reports a flag, or its environment twin, that cannot be used.
type InputError struct {
	Where string // "--store" or "FINGERPOST_STORE"
	Value string // as given, "" where it may hold a secret
	Want  string // what would be right
}

func (e *InputError) Error() string {
	if e.Value == "" {
		return fmt.Sprintf("%s: want %s", e.Where, e.Want)
	}
	return fmt.Sprintf("%s %q: want %s", e.Where, e.Value, e.Want)
}

// Flags are the flags of "fingerpost serve" in a flag set, before they are parsed.
type Flags struct {
	set    *pflag.FlagSet
	values texts
	public bool
}

// texts are the flags' values as given.
type texts struct {
	data, store, storeListen, keyFile        string
	deviceListen, adminListen, deviceAddress string
	trustedProxy, allowNetwork               string
	logFormat, logLevel                      string
}

// AddFlags defines the flags in set. Parse set, then call [Flags.Config].
func AddFlags(set *pflag.FlagSet) *Flags {
	f := &Flags{set: set}
	v := &f.values
	set.StringVar(&v.data, "data", DefaultData, "data `directory`, made if it is missing")
	set.StringVar(&v.store, "store", "", "`URL` of the store (default SQLite in the data directory)")
	set.StringVar(&v.storeListen, "store-listen", "", "`URL` of a direct connection for LISTEN, where --store goes through a pooler")
	set.StringVar(&v.keyFile, "key-file", "", "`file` with the sealing key (default DIR/seal.key, made if it is missing)")
	set.StringVar(&v.deviceListen, "device-listen", DefaultDeviceListen, "`address` where terminals call")
	set.StringVar(&v.adminListen, "admin-listen", DefaultAdminListen, "`address` of the API and the admin page")
	set.StringVar(&v.deviceAddress, "device-address", "", "`address` to type into a terminal, where it cannot be found out")
	set.StringVar(&v.trustedProxy, "trusted-proxy", "", "`networks` of proxies whose X-Forwarded-For counts")
	set.StringVar(&v.allowNetwork, "allow-network", "", "`networks` where endpoints may live although they are refused otherwise")
	set.BoolVar(&f.public, "public-only", false, "endpoints may live on the public internet only")
	set.StringVar(&v.logFormat, "log-format", "text", "form of the log: `text|json`")
	set.StringVar(&v.logLevel, "log-level", "info", "least level of the log: `debug|info|warn|error`")
	return f
}

// Config returns the checked configuration. lookup is [os.LookupEnv] but for tests.
// An error is a [*InputError].
func (f *Flags) Config(lookup func(string) (string, bool)) (Config, error) {
	if err := f.readTwins(lookup); err != nil {
		return Config{}, err
	}
	v := f.values
	c := Config{
		Data:        v.data,
		Store:       v.store,
		StoreListen: v.storeListen,
		KeyFile:     v.keyFile,
		PublicOnly:  f.public,
		LogFormat:   v.logFormat,
	}
	if c.KeyFile == "" {
		c.KeyFile = filepath.Join(c.Data, "seal.key")
	}
	for _, check := range f.checks(&c) {
		if err := check.parse(check.text); err != nil {
			return Config{}, f.wrong(check.flag, check.text, err)
		}
	}
	if c.DeviceListen == c.AdminListen && !strings.HasSuffix(c.AdminListen, ":0") {
		return Config{}, f.wrong("admin-listen", c.AdminListen, wantError("an address other than that of --device-listen"))
	}
	return c, nil
}

// readTwins takes the environment for every flag that was not given.
func (f *Flags) readTwins(lookup func(string) (string, bool)) error {
	for _, name := range flagNames {
		flag := f.set.Lookup(name)
		text, found := lookup(Twin(name))
		if flag.Changed || !found || text == "" {
			continue
		}
		// Through Value and not the set: Changed must go on to mean "given as a flag".
		if err := flag.Value.Set(text); err != nil {
			return &InputError{Where: Twin(name), Value: text, Want: "true or false"}
		}
	}
	return nil
}

// flagNames lists the flags in the order in which they are checked and printed.
var flagNames = [...]string{"data", "store", "store-listen", "key-file", "device-listen", "admin-listen",
	"device-address", "trusted-proxy", "allow-network", "public-only", "log-format", "log-level"}

// Twin returns the environment variable of a flag.
func Twin(flag string) string {
	return "FINGERPOST_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// wrong says where a value that cannot be used came from.
func (f *Flags) wrong(flag, value string, want error) error {
	where := "--" + flag
	if !f.set.Lookup(flag).Changed {
		where = Twin(flag)
	}
	if strings.HasPrefix(flag, "store") { // its URL holds a password
		value = ""
	}
	return &InputError{Where: where, Value: value, Want: want.Error()}
}

// Print writes what is in force, one setting a line, without secrets.
func (c Config) Print(w io.Writer) error {
	for _, name := range flagNames {
		if _, err := fmt.Fprintf(w, "  %-15s %s\n", name, c.setting(name)); err != nil {
			return err
		}
	}
	return nil
}

// LogValue returns what is in force, without secrets.
func (c Config) LogValue() slog.Value {
	attrs := make([]slog.Attr, 0, len(flagNames))
	for _, name := range flagNames {
		attrs = append(attrs, slog.String(strings.ReplaceAll(name, "-", "_"), c.setting(name)))
	}
	return slog.GroupValue(attrs...)
}

// Format writes what is in force for every verb, so that %+v cannot show a password.
func (c Config) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.LogValue().Group()) }

// setting returns a setting as text that may be shown.
func (c Config) setting(flag string) string {
	text := ""
	switch flag {
	case "data":
		text = c.Data
	case "store":
		if c.Store == "" {
			return "SQLite in the data directory"
		}
		text = masked(c.Store)
	case "store-listen":
		text = masked(c.StoreListen)
	case "key-file":
		text = c.KeyFile
	case "device-listen":
		text = c.DeviceListen
	case "admin-listen":
		text = c.AdminListen
	case "device-address":
		text = c.DeviceAddress
	case "trusted-proxy":
		text = joined(c.TrustedProxies)
	case "allow-network":
		text = joined(c.AllowNetworks)
	case "public-only":
		text = fmt.Sprint(c.PublicOnly)
	case "log-format":
		text = c.LogFormat
	case "log-level":
		text = strings.ToLower(c.LogLevel.String())
	}
	if text == "" {
		return "(none)"
	}
	return text
}

// masked returns a store's URL with nothing of it but where it leads: a password may
// stand in its user part and in its query.
func masked(text string) string {
	if text == "" {
		return ""
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "(set)"
	}
	return u.Scheme + "://" + u.Host + u.Path
}

func joined(list []netip.Prefix) string {
	texts := make([]string, len(list))
	for i, prefix := range list {
		texts[i] = prefix.String()
	}
	return strings.Join(texts, ",")
}

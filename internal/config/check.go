package config

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// A wantError says what would be right instead.
type wantError string

func (e wantError) Error() string { return string(e) }

// A check reads the text of one flag into the Config, or says what would be right.
type check struct {
	flag  string
	text  string
	parse func(string) error
}

func (f *Flags) checks(c *Config) []check {
	v := f.values
	return []check{
		{"data", v.data, notEmpty},
		{"store", v.store, checkStore},
		{"store-listen", v.storeListen, checkStoreListen},
		{"device-listen", v.deviceListen, listenAddress(&c.DeviceListen)},
		{"admin-listen", v.adminListen, listenAddress(&c.AdminListen)},
		{"device-address", v.deviceAddress, deviceAddress(&c.DeviceAddress)},
		{"trusted-proxy", v.trustedProxy, networks(&c.TrustedProxies)},
		{"allow-network", v.allowNetwork, networks(&c.AllowNetworks)},
		{"log-format", v.logFormat, checkLogFormat},
		{"log-level", v.logLevel, c.parseLevel},
	}
}

func notEmpty(text string) error {
	if text == "" {
		return wantError("the path of a directory")
	}
	return nil
}

// checkStore refuses every store but the default: to start on another one than the
// operator named would put his data where he does not look for them.
func checkStore(text string) error {
	switch {
	case text == "":
		return nil
	case isPostgres(text):
		return wantError("no --store: PostgreSQL comes with a later version, this one keeps SQLite in the data directory")
	}
	return wantError("a URL that begins with postgres://, or no --store for SQLite in the data directory")
}

func checkStoreListen(text string) error {
	if text != "" && !isPostgres(text) {
		return wantError("a URL that begins with postgres://")
	}
	return nil
}

func isPostgres(text string) bool {
	return strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://")
}

func listenAddress(to *string) func(string) error {
	return func(text string) error {
		host, port, err := net.SplitHostPort(text)
		if err != nil || !isPort(port, 0) || !isHost(host, true) {
			return wantError(`host:port, such as "127.0.0.1:8080", or ":8081" for all addresses of this machine`)
		}
		*to = text
		return nil
	}
}

func deviceAddress(to *string) func(string) error {
	return func(text string) error {
		host := text
		if h, port, err := net.SplitHostPort(text); err == nil {
			host = h
			if !isPort(port, 1) {
				host = ""
			}
		}
		if text != "" && !isHost(host, false) {
			return wantError(`what a terminal can reach, such as "192.168.1.20" or "192.168.1.20:8081"`)
		}
		*to = text
		return nil
	}
}

func isPort(text string, least int) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n >= least && n <= 65535
}

// isHost accepts an address or a host name; an empty one where it means all addresses.
func isHost(text string, mayBeEmpty bool) bool {
	if text == "" {
		return mayBeEmpty
	}
	if _, err := netip.ParseAddr(text); err == nil {
		return true
	}
	return len(text) <= 253 && !strings.ContainsFunc(text, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '.' || r == '_')
	})
}

func networks(to *[]netip.Prefix) func(string) error {
	return func(text string) error {
		for part := range strings.SplitSeq(text, ",") {
			part = strings.TrimSpace(part)
			if part == "" {
				continue
			}
			prefix, err := netip.ParsePrefix(part)
			if err != nil || prefix != prefix.Masked() {
				return wantError(`networks such as "10.1.0.0/16", joined by commas`)
			}
			*to = append(*to, prefix)
		}
		return nil
	}
}

func checkLogFormat(text string) error {
	if text != "text" && text != "json" {
		return wantError("text or json")
	}
	return nil
}

func (c *Config) parseLevel(text string) error {
	switch text {
	case "debug", "info", "warn", "error":
		return c.LogLevel.UnmarshalText([]byte(text))
	}
	return wantError("debug, info, warn or error")
}

package main

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/fingerpost/fingerpost/internal/config"
	"github.com/fingerpost/fingerpost/internal/daemon"
)

// A banner is what serve prints once it listens: all that is needed to connect a
// terminal and to reach the gateway.
type banner struct {
	version   string
	config    config.Config
	deviceURL string       // where terminals call, on this machine
	adminURL  string       // where the API is, on this machine
	lan       []netip.Addr // addresses of this machine in its networks
}

func (b banner) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "Fingerpost %s runs.\n\n", b.version)
	b.writeTerminals(&text)
	b.writeAdmin(&text)
	for _, line := range b.config.Later() {
		fmt.Fprintf(&text, "Note: %s\n\n", line)
	}
	b.writeNext(&text)
	return text.String()
}

// writeTerminals says what a terminal's menu asks, for each address it may call.
func (b banner) writeTerminals(text *strings.Builder) {
	addresses := b.terminalAddresses()
	if len(addresses) == 0 {
		fmt.Fprintf(text, "Terminals   cannot reach %s: start with --device-listen :8081, or say with\n"+
			"            --device-address what leads here\n\n", b.deviceURL)
		return
	}
	text.WriteString("Terminals   type this into the menu, under Cloud Server Setting or ADMS:\n\n")
	for _, address := range addresses {
		host, port, _ := net.SplitHostPort(address)
		domain := "off"
		if _, err := netip.ParseAddr(host); err != nil {
			domain = "on"
		}
		fmt.Fprintf(text, "              Server address  %s\n", host)
		fmt.Fprintf(text, "              Server port     %s\n", port)
		fmt.Fprintf(text, "              Domain name     %s\n", domain)
		fmt.Fprintf(text, "              HTTPS           off\n")
		fmt.Fprintf(text, "              (a phone in that network opens http://%s/ to test the way here)\n\n", address)
	}
}

// terminalAddresses returns host:port of each way for terminals: the one the operator
// named, else those on which we listen that are not this machine alone.
func (b banner) terminalAddresses() []string {
	port := portOf(b.deviceURL)
	if named := b.config.DeviceAddress; named != "" {
		if _, _, err := net.SplitHostPort(named); err == nil {
			return []string{named}
		}
		return []string{net.JoinHostPort(named, port)}
	}
	host, _, _ := net.SplitHostPort(b.config.DeviceListen)
	address, err := netip.ParseAddr(host)
	var hosts []string
	switch {
	case host == "" || err == nil && address.IsUnspecified():
		for _, lan := range b.lan {
			hosts = append(hosts, lan.String())
		}
	case host == "localhost" || err == nil && address.IsLoopback():
	default:
		hosts = []string{host}
	}
	for i, host := range hosts {
		hosts[i] = net.JoinHostPort(host, port)
	}
	return hosts
}

func (b banner) writeAdmin(text *strings.Builder) {
	host := "THIS-MACHINE"
	if len(b.lan) > 0 {
		host = b.lan[0].String()
	}
	port := portOf(b.adminURL)
	fmt.Fprintf(text, "Admin page  %s/\n", strings.TrimRight(b.adminURL, "/"))
	fmt.Fprintf(text, "            from another desk: ssh -L %s:127.0.0.1:%s USER@%s, then http://127.0.0.1:%s/ there\n", port, port, host, port)
	fmt.Fprintf(text, "Admin token in %s (the commands find it there)\n\n", filepath.Join(b.config.Data, daemon.TokenFile))
}

func (b banner) writeNext(text *strings.Builder) {
	data := ""
	if b.config.Data != config.DefaultData {
		data = " --data " + b.config.Data
	}
	fmt.Fprintf(text, "Next        fingerpost endpoint add NAME --url URL%s    where callbacks go\n", data)
	fmt.Fprintf(text, "            fingerpost device list%s                    terminals that called\n", data)
	fmt.Fprintf(text, "            fingerpost device approve SERIAL%s          take the changes of one\n\n", data)
}

// portOf returns the port of one of our own URLs.
func portOf(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Port() == "" {
		return "80"
	}
	return u.Port()
}

// lanAddresses returns the IPv4 addresses under which others may reach this machine.
func lanAddresses() []netip.Addr {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil // the banner then says less; the gateway runs all the same
	}
	var lan []netip.Addr
	for _, one := range all {
		prefix, err := netip.ParsePrefix(one.String())
		if err != nil {
			continue
		}
		if a := prefix.Addr(); a.Is4() && !a.IsLoopback() && !a.IsLinkLocalUnicast() {
			lan = append(lan, a)
		}
	}
	return lan
}

package zkpush

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// outsideEvery is how often a device that calls from a wrong address is logged.
const outsideEvery = time.Minute

// allowed reports whether a device may call from where it does.
func (h *Handler) allowed(c call) bool {
	if len(c.device.AllowFrom) == 0 {
		return true
	}
	if from, err := netip.ParseAddr(c.from); err == nil && within(c.device.AllowFrom, from) {
		return true
	}
	h.mu.Lock()
	last, seen := h.outside[c.serial]
	quiet := seen && c.at.Sub(last) < outsideEvery
	if !quiet {
		h.outside[c.serial] = c.at
	}
	h.mu.Unlock()
	if !quiet {
		h.log.Warn("device refused: it calls from outside its networks", "serial", c.serial, "address", c.from)
	}
	return false
}

// address returns the host that r came from, as text. Behind a proxy that is trusted it
// is the last address in X-Forwarded-For that is not a trusted proxy's own.
func (h *Handler) address(r *http.Request) string {
	remote, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			return clean(r.RemoteAddr)
		}
		return clean(host)
	}
	from := plainAddr(remote.Addr())
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		before, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil || !within(h.proxies, from) {
			break
		}
		from = plainAddr(before)
	}
	return from.String()
}

func plainAddr(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

func within(networks []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(a) })
}

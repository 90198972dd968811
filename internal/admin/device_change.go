package admin

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// DeviceChange is the body of PATCH /devices/{serial}: what is nil stays as it is.
type DeviceChange struct {
	StgID     *string  `json:"stgid,omitempty"`
	TimeZone  *string  `json:"time_zone,omitempty"`
	Endpoints []string `json:"endpoints,omitzero"`
	Label     *string  `json:"label,omitempty"`
	Site      *string  `json:"site,omitempty"`
	Settle    *string  `json:"settle,omitempty"`
	Direction *string  `json:"direction,omitempty"`
	Poll      *string  `json:"poll,omitempty"`
	AuthToken *string  `json:"auth_token,omitempty"` // "" is the endpoint's own
	Roaming   *bool    `json:"roaming,omitempty"`
	AllowFrom []string `json:"allow_from,omitzero"` // empty is from anywhere
	Compare   *string  `json:"compare,omitempty"`   // "0s" is never
}

// setDevice serves PATCH /devices/{serial}. Endpoints that are new get later changes.
func (h *handler) setDevice(r *http.Request) (answer, error) {
	var in DeviceChange
	if err := readBody(r, &in); err != nil {
		return answer{}, err
	}
	serial, err := enroll.ParseSerial(r.PathValue("serial"))
	if err != nil {
		return answer{}, err
	}
	var wanted enroll.StgID
	device, err := h.store.SetDevice(r.Context(), serial, func(d *enroll.Device) error {
		err := in.apply(d)
		wanted = d.StgID
		return err
	})
	if errors.Is(err, enroll.ErrExists) {
		return answer{}, stgIDTaken(wanted)
	}
	if err != nil {
		return answer{}, notApproved(err, serial)
	}
	return answer{body: h.show(device)}, nil
}

// apply changes d, and checks it.
func (c *DeviceChange) apply(d *enroll.Device) error {
	set(&d.StgID, c.StgID)
	set(&d.TimeZone, c.TimeZone)
	set(&d.Label, c.Label)
	set(&d.Site, c.Site)
	set(&d.Direction, c.Direction)
	set(&d.AuthToken, c.AuthToken)
	if c.Roaming != nil {
		d.Roaming = *c.Roaming
	}
	var err error
	if c.Endpoints != nil {
		if d.Endpoints, err = endpointNames(c.Endpoints); err != nil {
			return err
		}
	}
	if c.AllowFrom != nil {
		if d.AllowFrom, err = networks(c.AllowFrom); err != nil {
			return err
		}
	}
	if c.Settle != nil {
		if d.Settle, err = durationOf("settle", *c.Settle, 0); err != nil {
			return err
		}
	}
	if c.Poll != nil {
		if d.Poll, err = durationOf("poll", *c.Poll, 0); err != nil {
			return err
		}
	}
	if c.Compare != nil {
		if d.Compare, err = durationOf("compare", *c.Compare, 0); err != nil {
			return err
		}
	}
	if len(d.AuthToken) > maxToken {
		return enroll.Invalid("auth_token", "", "at most 4096 bytes")
	}
	return d.Check()
}

// set changes what is given.
func set[T ~string](into *T, given *string) {
	if given != nil {
		*into = T(*given)
	}
}

func endpointNames(texts []string) ([]string, error) {
	var names []string
	for _, name := range texts {
		name = strings.TrimSpace(name)
		if _, err := enroll.ParseName(name); err != nil {
			return nil, enroll.Invalid("endpoints", clip(name), "the name of an endpoint")
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if names == nil {
		return nil, refused(FieldError{"endpoints", "want the name of at least one endpoint"})
	}
	return names, nil
}

// networks reads CIDRs; an address alone is a network of one.
func networks(texts []string) ([]netip.Prefix, error) {
	var list []netip.Prefix
	for _, text := range texts {
		text = strings.TrimSpace(text)
		prefix, err := netip.ParsePrefix(text)
		if address, err2 := netip.ParseAddr(text); err2 == nil && address.Zone() == "" {
			prefix, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil {
			return nil, enroll.Invalid("allow_from", clip(text), `a network such as "192.0.2.0/24", or an address`)
		}
		list = append(list, prefix.Masked())
	}
	return list, nil
}

// notApproved says why something cannot be done to a device.
func notApproved(err error, serial enroll.Serial) error {
	switch {
	case errors.Is(err, enroll.ErrNotFound):
		return problem(http.StatusNotFound, fmt.Sprintf("there is no device %q", serial))
	case errors.Is(err, enroll.ErrUnknownDevice):
		return problem(http.StatusConflict, fmt.Sprintf("device %q is not approved yet: approve it first, with fingerpost device approve %s", serial, serial))
	}
	return err
}

func stgIDTaken(id enroll.StgID) error {
	return problem(http.StatusConflict, fmt.Sprintf("another device has the stgid %q: each needs its own", id))
}

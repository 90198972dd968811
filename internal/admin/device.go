package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// NewDevice is the body of POST /devices and, with the serial in the path, of POST
// /devices/{serial}/approve. Fields that are empty take their defaults.
type NewDevice struct {
	Serial    string   `json:"serial,omitempty"`
	StgID     string   `json:"stgid,omitempty"`
	TimeZone  string   `json:"time_zone,omitempty"`
	Endpoints []string `json:"endpoints,omitempty"`
	Label     string   `json:"label,omitempty"`
	Site      string   `json:"site,omitempty"`
	Settle    string   `json:"settle,omitempty"`    // default 5s
	Direction string   `json:"direction,omitempty"` // default actual
	Poll      string   `json:"poll,omitempty"`      // default 10s
	AuthToken string   `json:"auth_token,omitempty"`
	Roaming   bool     `json:"roaming,omitempty"`
	AllowFrom []string `json:"allow_from,omitempty"`
	Compare   string   `json:"compare,omitempty"`
}

func (h *handler) listDevices(r *http.Request) (answer, error) {
	limit, err := limitOf(r)
	if err != nil {
		return answer{}, err
	}
	after := r.URL.Query().Get("cursor")
	devices, err := h.store.Devices(r.Context(), enroll.Serial(after), limit+1)
	if err != nil {
		return answer{}, err
	}
	return answer{body: pageOf(devices, limit, h.show,
		func(d enroll.DeviceStatus) string { return string(d.Serial) })}, nil
}

func (h *handler) showDevice(r *http.Request) (answer, error) {
	device, err := h.device(r.Context(), r.PathValue("serial"))
	if err != nil {
		return answer{}, err
	}
	return answer{body: h.show(device)}, nil
}

// show adds what was seen of the device since the store was told.
func (h *handler) show(d enroll.DeviceStatus) Device {
	if h.cfg.Presence != nil {
		if seen, ok := h.cfg.Presence(d.Serial); ok && seen.SeenAt.After(d.SeenAt) {
			d.Sighting = seen
		}
	}
	return deviceOf(d)
}

func (h *handler) device(ctx context.Context, text string) (enroll.DeviceStatus, error) {
	serial, err := enroll.ParseSerial(text)
	if err != nil {
		return enroll.DeviceStatus{}, err
	}
	device, err := h.store.Device(ctx, serial)
	if errors.Is(err, enroll.ErrNotFound) {
		return device, problem(http.StatusNotFound, fmt.Sprintf("there is no device %q", serial))
	}
	return device, err
}

// addDevice serves POST /devices. An operator who adds a device that has not called
// yet knows where it will stand, so nothing that decides is guessed.
func (h *handler) addDevice(r *http.Request) (answer, error) {
	var in NewDevice
	if err := readBody(r, &in); err != nil {
		return answer{}, err
	}
	if err := in.missing(); err != nil {
		return answer{}, err
	}
	device, err := h.keepDevice(r.Context(), in)
	if err != nil {
		return answer{}, err
	}
	location := "/api/v1/devices/" + url.PathEscape(device.Serial)
	return answer{status: http.StatusCreated, location: location, body: device}, nil
}

// missing reports all that an operator must say and did not.
func (n *NewDevice) missing() error {
	var missing []FieldError
	for _, required := range []struct {
		field string
		empty bool
		want  string
	}{
		{"serial", n.Serial == "", "want the serial number, as on the case or in the terminal's menu"},
		{"stgid", n.StgID == "", "want the id that callbacks of this device carry as ?stgid="},
		{"time_zone", n.TimeZone == "", `want the zone of the terminal's clock, such as "Asia/Kolkata"`},
		{"endpoints", len(n.Endpoints) == 0, "want the name of at least one endpoint"},
	} {
		if required.empty {
			missing = append(missing, FieldError{required.field, required.want})
		}
	}
	if missing == nil {
		return nil
	}
	return refused(missing...)
}

// approveDevice serves POST /devices/{serial}/approve, for a device that has called.
func (h *handler) approveDevice(r *http.Request) (answer, error) {
	var in NewDevice
	if err := readBody(r, &in); err != nil {
		return answer{}, err
	}
	device, err := h.device(r.Context(), r.PathValue("serial"))
	if err != nil {
		return answer{}, err
	}
	if in.Serial != "" && in.Serial != string(device.Serial) {
		return answer{}, enroll.Invalid("serial", clip(in.Serial), "the serial of the path, or none")
	}
	in.Serial = string(device.Serial)
	in.StgID = orDefault(in.StgID, in.Serial)
	in.TimeZone = orDefault(in.TimeZone, h.cfg.DefaultZone)
	if len(in.Endpoints) == 0 {
		only, err := h.onlyEndpoint(r.Context())
		if err != nil {
			return answer{}, err
		}
		in.Endpoints = []string{only}
	}
	approved, err := h.keepDevice(r.Context(), in)
	return answer{body: approved}, err
}

// onlyEndpoint returns the endpoint that is meant where none is named.
func (h *handler) onlyEndpoint(ctx context.Context) (string, error) {
	endpoints, err := h.store.Endpoints(ctx, "", 2)
	switch {
	case err != nil:
		return "", err
	case len(endpoints) == 0:
		return "", refused(FieldError{"endpoints", "there is no endpoint yet: add one first, with fingerpost endpoint add"})
	case len(endpoints) > 1:
		return "", refused(FieldError{"endpoints", "there are several endpoints: name those that get the changes of this device"})
	}
	return endpoints[0].Name, nil
}

func (h *handler) keepDevice(ctx context.Context, in NewDevice) (Device, error) {
	device, err := in.device()
	if err != nil {
		return Device{}, err
	}
	device.AddedAt = enroll.Millis(h.cfg.Now())
	status, err := h.store.AddDevice(ctx, device)
	if errors.Is(err, enroll.ErrExists) {
		return Device{}, h.deviceExists(ctx, device)
	}
	if err != nil {
		return Device{}, err
	}
	return h.show(status), nil
}

// deviceExists says which of the two that must be unique is taken.
func (h *handler) deviceExists(ctx context.Context, d enroll.Device) error {
	if found, err := h.store.Device(ctx, d.Serial); err == nil && found.State == enroll.Approved {
		return problem(http.StatusConflict, fmt.Sprintf("device %q is approved already", d.Serial))
	}
	return stgIDTaken(d.StgID)
}

// device returns the checked settings.
func (n *NewDevice) device() (enroll.Device, error) {
	d := enroll.Device{
		Serial:    enroll.Serial(n.Serial),
		State:     enroll.Approved,
		Settle:    enroll.DefaultSettle,
		Poll:      enroll.DefaultPoll,
		Direction: enroll.DirectionActual,
	}
	c := DeviceChange{StgID: &n.StgID, TimeZone: &n.TimeZone, Endpoints: n.Endpoints, Label: &n.Label, Site: &n.Site,
		Settle: given(n.Settle), Direction: given(n.Direction), Poll: given(n.Poll), AuthToken: &n.AuthToken,
		Roaming: &n.Roaming, AllowFrom: n.AllowFrom, Compare: given(n.Compare)}
	return d, c.apply(&d)
}

// given returns nil for a field that takes its default.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

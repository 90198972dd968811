package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// importPath takes a list of devices, all or none.
const importPath = "/devices/import"

// maxDevices is how many devices one import may add.
const maxDevices = 20_000

// Imported answers POST /devices/import.
type Imported struct {
	Added int `json:"added"`
}

// importDevices serves POST /devices/import, a list of [NewDevice]. Its errors tell the
// item.
func (h *handler) importDevices(r *http.Request) (answer, error) {
	data, err := readAll(r)
	if err != nil {
		return answer{}, err
	}
	var items []json.RawMessage
	if err := json.Unmarshal(data, &items); err != nil {
		return answer{}, problem(http.StatusBadRequest, "the body is not a JSON list")
	}
	if len(items) > maxDevices {
		return answer{}, problem(http.StatusUnprocessableEntity, fmt.Sprintf("the list has %d devices: want at most %d at once", len(items), maxDevices))
	}
	devices := make([]enroll.Device, len(items))
	serials, stgIDs := make(map[enroll.Serial]bool), make(map[enroll.StgID]bool)
	for i, item := range items {
		d, err := importedDevice(item)
		switch {
		case err != nil:
		case serials[d.Serial]:
			err = refused(FieldError{"serial", fmt.Sprintf("%q stands in the list twice: want each device once", d.Serial)})
		case stgIDs[d.StgID]:
			err = refused(FieldError{"stgid", fmt.Sprintf("%q stands in the list twice: each device needs its own", d.StgID)})
		}
		if err != nil {
			return answer{}, &enroll.ItemError{Item: i, Err: err}
		}
		serials[d.Serial], stgIDs[d.StgID] = true, true
		d.AddedAt = enroll.Millis(h.cfg.Now())
		devices[i] = d
	}
	err = h.store.AddDevices(r.Context(), devices)
	if item, ok := errors.AsType[*enroll.ItemError](err); ok && errors.Is(err, enroll.ErrExists) {
		return answer{}, &enroll.ItemError{Item: item.Item, Err: h.deviceExists(r.Context(), devices[item.Item])}
	}
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusCreated, body: Imported{len(devices)}}, nil
}

func importedDevice(item json.RawMessage) (enroll.Device, error) {
	var in NewDevice
	if err := readObject(item, &in, "this item of the list is not a JSON object"); err != nil {
		return enroll.Device{}, err
	}
	if err := in.missing(); err != nil {
		return enroll.Device{}, err
	}
	return in.device()
}

// Removed answers DELETE /devices/{serial}.
type Removed struct {
	Serial  string `json:"serial"`
	Skipped int64  `json:"skipped"` // deliveries that waited
	Dropped int64  `json:"dropped"` // changes that were not complete yet
}

// removeDevice serves DELETE /devices/{serial}, with ?discard=true also while something
// waits.
func (h *handler) removeDevice(r *http.Request) (answer, error) {
	serial, err := enroll.ParseSerial(r.PathValue("serial"))
	if err != nil {
		return answer{}, err
	}
	text := r.URL.Query().Get("discard")
	discard, err := strconv.ParseBool(orDefault(text, "false"))
	if err != nil {
		return answer{}, enroll.Invalid("discard", clip(text), "true or false")
	}
	owed, err := h.store.RemoveDevice(r.Context(), serial, discard)
	if waits, ok := errors.AsType[*enroll.OwedError](err); ok {
		return answer{}, problem(http.StatusConflict, fmt.Sprintf(
			"of device %q %d deliveries wait, and %d changes that are not complete yet: let them be delivered first, or give them up with discard (--discard), which records the deliveries as skipped",
			serial, waits.Deliveries, waits.Drafts))
	}
	if err != nil {
		return answer{}, notApproved(err, serial)
	}
	return answer{body: Removed{string(serial), owed.Deliveries, owed.Drafts}}, nil
}

// Replacement is the body of POST /devices/{serial}/replace.
type Replacement struct {
	Serial string `json:"serial"` // of the new terminal
}

func (h *handler) replaceDevice(r *http.Request) (answer, error) {
	var in Replacement
	if err := readBody(r, &in); err != nil {
		return answer{}, err
	}
	old, err := enroll.ParseSerial(r.PathValue("serial"))
	if err != nil {
		return answer{}, err
	}
	serial, err := enroll.ParseSerial(in.Serial)
	if err != nil {
		return answer{}, err
	}
	if old == serial {
		return answer{}, enroll.Invalid("serial", in.Serial, "the serial number of another terminal")
	}
	device, err := h.store.ReplaceDevice(r.Context(), old, serial)
	if errors.Is(err, enroll.ErrExists) {
		return answer{}, problem(http.StatusConflict, fmt.Sprintf(
			"device %q is approved already, with changes of its own: want one that is not, or remove it first", serial))
	}
	if err != nil {
		return answer{}, notApproved(err, old)
	}
	return answer{body: h.show(device)}, nil
}

// Sync is the body of POST /devices/{serial}/sync: what is told of the users that the
// device is asked for. "" fills the mirror silently, "all" makes changes of all of them,
// and "missing" takes those that do not come for deleted, however many they are.
type Sync struct {
	Tell string `json:"tell,omitempty"`
}

func (h *handler) syncDevice(r *http.Request) (answer, error) {
	var in Sync
	if err := readBody(r, &in); err != nil {
		return answer{}, err
	}
	serial, err := enroll.ParseSerial(r.PathValue("serial"))
	if err != nil {
		return answer{}, err
	}
	order := enroll.Order{What: enroll.QueryUsers}
	switch in.Tell {
	case "":
	case "all":
		order.Tell = true
	case "missing":
		order.Tell, order.Compare = true, true
	default:
		return answer{}, enroll.Invalid("tell", clip(in.Tell), `"all" or "missing", or none`)
	}
	if err := h.store.AddOrder(r.Context(), serial, order); err != nil {
		return answer{}, notApproved(err, serial)
	}
	device, err := h.device(r.Context(), string(serial))
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusAccepted, body: h.show(device)}, nil
}

func (h *handler) listUnread(r *http.Request) (answer, error) {
	limit, err := limitOf(r)
	if err != nil {
		return answer{}, err
	}
	text := r.URL.Query().Get("cursor")
	after, err := strconv.ParseInt(orDefault(text, "0"), 10, 64)
	if err != nil {
		return answer{}, enroll.Invalid("cursor", clip(text), "next_cursor of the page before")
	}
	device, err := h.device(r.Context(), r.PathValue("serial"))
	if err != nil {
		return answer{}, err
	}
	records, err := h.store.UnreadRecords(r.Context(), device.Serial, after, limit+1)
	if err != nil {
		return answer{}, err
	}
	return answer{body: pageOf(records, limit, unreadOf,
		func(u enroll.UnreadRecord) string { return strconv.FormatInt(u.ID, 10) })}, nil
}

// Dismissed answers DELETE /devices/{serial}/unread.
type Dismissed struct {
	Dismissed int64 `json:"dismissed"`
}

func (h *handler) dismissUnread(r *http.Request) (answer, error) {
	device, err := h.device(r.Context(), r.PathValue("serial"))
	if err != nil {
		return answer{}, err
	}
	n, err := h.store.DismissUnread(r.Context(), device.Serial)
	return answer{body: Dismissed{n}}, err
}

// Reread answers POST /devices/{serial}/reread.
type Reread struct {
	Understood int `json:"understood"`
	Left       int `json:"left"` // still not understood
}

func (h *handler) reread(r *http.Request) (answer, error) {
	device, err := h.device(r.Context(), r.PathValue("serial"))
	if err != nil {
		return answer{}, err
	}
	if device.State != enroll.Approved {
		return answer{}, notApproved(enroll.ErrUnknownDevice, device.Serial)
	}
	if h.cfg.Reread == nil {
		return answer{}, problem(http.StatusNotImplemented, "this gateway cannot read records again")
	}
	understood, left, err := h.cfg.Reread(r.Context(), device.Serial)
	return answer{body: Reread{understood, left}}, err
}

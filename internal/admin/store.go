package admin

import (
	"context"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// Store is what the API asks of storage. Its methods return errors that wrap
// [enroll.ErrNotFound], [enroll.ErrExists] or an [*enroll.InvalidError] where these
// apply; every other error means that the store failed.
type Store interface {
	// Devices returns devices in the order of their serials, those after one, at
	// most limit.
	Devices(ctx context.Context, after enroll.Serial, limit int) ([]enroll.DeviceStatus, error)
	Device(ctx context.Context, serial enroll.Serial) (enroll.DeviceStatus, error)
	// AddDevice makes a device, or approves a pending one of that serial with these
	// settings. It returns ErrExists if it is approved already or its stgid is taken,
	// and an InvalidError of field "endpoints" for a name that no endpoint has.
	AddDevice(ctx context.Context, d enroll.Device) (enroll.DeviceStatus, error)
	// AddDevices adds all or none; its errors are those of AddDevice in an ItemError.
	AddDevices(ctx context.Context, list []enroll.Device) error
	// SetDevice changes what change changes, all but the serial, of an approved device;
	// change may be called twice. It returns ErrUnknownDevice for a pending device, also
	// ErrNotFound if there is none, and the errors of AddDevice.
	SetDevice(ctx context.Context, serial enroll.Serial, change func(*enroll.Device) error) (enroll.DeviceStatus, error)
	// ReplaceDevice gives an approved device another serial, which may be pending or
	// unknown. It returns the errors of SetDevice, and ErrExists if serial is approved.
	ReplaceDevice(ctx context.Context, old, serial enroll.Serial) (enroll.DeviceStatus, error)
	// RemoveDevice removes a device, pending or approved. It returns what was discarded,
	// or, unless that is asked for, an OwedError while something waits.
	RemoveDevice(ctx context.Context, serial enroll.Serial, discard bool) (enroll.Owed, error)
	// AddOrder has an approved device do something when it asks next. It returns the
	// errors of SetDevice.
	AddOrder(ctx context.Context, serial enroll.Serial, o enroll.Order) error

	// UnreadRecords returns records of a device that were not understood, oldest first,
	// those after one, at most limit.
	UnreadRecords(ctx context.Context, serial enroll.Serial, after int64, limit int) ([]enroll.UnreadRecord, error)
	// DismissUnread deletes them and returns how many there were.
	DismissUnread(ctx context.Context, serial enroll.Serial) (int64, error)

	// Endpoints returns endpoints in the order of their names, those after one, at
	// most limit.
	Endpoints(ctx context.Context, after string, limit int) ([]enroll.EndpointStatus, error)
	Endpoint(ctx context.Context, name string) (enroll.EndpointStatus, error)
	// AddEndpoint returns ErrExists if the name is taken.
	AddEndpoint(ctx context.Context, e enroll.Endpoint) (enroll.EndpointStatus, error)
	// ResumeEndpoint ends a pause or a suspension: the next attempt is due at once.
	ResumeEndpoint(ctx context.Context, name string) (enroll.EndpointStatus, error)

	// Deliveries returns what the filter chooses, without Tries.
	Deliveries(ctx context.Context, f enroll.DeliveryFilter) ([]enroll.DeliveryStatus, error)
	Delivery(ctx context.Context, id enroll.DeliveryID) (enroll.DeliveryStatus, error)

	// AdminToken tells whether a token is accepted; hash is the hex of its SHA-256.
	AdminToken(ctx context.Context, hash string) (bool, error)
}

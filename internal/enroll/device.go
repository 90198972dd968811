package enroll

import (
	"net/netip"
	"time"
)

// A DeviceID is the store's number of a device.
type DeviceID int64

// DeviceState tells whether a device may upload.
type DeviceState string

// The states of a device. The texts are stored and shown in the API; never change them.
const (
	Pending  DeviceState = "pending"  // seen, not approved: nothing of it is kept
	Approved DeviceState = "approved" // its uploads are kept
)

// Direction says what a punch without a status means in dialects that name it.
type Direction string

// The directions. Stored and shown in the API; never change them.
const (
	DirectionActual Direction = "actual"
	DirectionIn     Direction = "in"
	DirectionOut    Direction = "out"
)

// A Device is a terminal that pushes to us.
type Device struct {
	ID        DeviceID
	Serial    Serial
	State     DeviceState
	StgID     StgID
	TimeZone  string // IANA name
	Label     string
	Site      string
	Endpoints []string // names
	Settle    time.Duration
	Direction Direction
	Poll      time.Duration // how often the device asks for commands
	Compare   time.Duration // how often its users are queried and compared; 0 never
	Roaming   bool          // several source addresses are normal
	AllowFrom []netip.Prefix
	AuthToken Secret // sent instead of the endpoint's own, if set

	AddedAt time.Time
	Sighting

	// How often an operation time came after its change was told, and the shortest
	// settle time that would have caught the last of them.
	LateTimes  int
	LateSettle time.Duration
}

// A Sighting is the last that was seen of a device.
type Sighting struct {
	SeenAt   time.Time // zero: never
	Address  string    // source address of the request
	Protocol string    // version that the device announced, for instance "2.4.1"; "" not known
	Language string    // the device's number of its language, "83" is Simplified Chinese; "" not known
	Firmware string    // "" not known
	Family   Family    // "" not known, which counts as Attendance

	// ClockOffset is how far the device's clock was ahead of ours when it was last
	// measured, and MeasuredAt when that was; zero: never.
	ClockOffset time.Duration
	MeasuredAt  time.Time

	// ToldOffset is the offset from UTC that the device was told at its last handshake,
	// at ToldAt; zero: never.
	ToldOffset time.Duration
	ToldAt     time.Time
}

// Defaults and bounds of a device's settings.
const (
	DefaultSettle = 5 * time.Second
	DefaultPoll   = 10 * time.Second
	MaxSettle     = 10 * time.Minute
)

// Check reports the first setting of d that is out of bounds, as an [InvalidError].
func (d Device) Check() error {
	if _, err := ParseSerial(string(d.Serial)); err != nil {
		return err
	}
	if _, err := ParseStgID(string(d.StgID)); err != nil {
		return err
	}
	if _, err := ParseZone(d.TimeZone); err != nil {
		return err
	}
	switch {
	case len(d.Label) > 200:
		return Invalid("label", clip(d.Label), "at most 200 bytes")
	case len(d.Site) > 200:
		return Invalid("site", clip(d.Site), "at most 200 bytes")
	case d.Settle < 0 || d.Settle > MaxSettle:
		return Invalid("settle", d.Settle.String(), "0s to 10m")
	case d.Poll < 2*time.Second || d.Poll > time.Minute:
		return Invalid("poll", d.Poll.String(), "2s to 1m")
	case d.Compare != 0 && (d.Compare < time.Hour || d.Compare > 31*24*time.Hour):
		return Invalid("compare", d.Compare.String(), "0 (never), or 1h to 744h")
	}
	switch d.Direction {
	case DirectionActual, DirectionIn, DirectionOut:
	default:
		return Invalid("direction", clip(string(d.Direction)), "actual, in or out")
	}
	return nil
}

package enroll

import (
	"slices"
	"strings"
	"time"
)

// An EndpointID is the store's number of an endpoint.
type EndpointID int64

// EndpointState tells whether an endpoint gets callbacks.
type EndpointState string

// The states of an endpoint. The texts are shown in the API; never change them.
const (
	Active    EndpointState = "active"    // gets callbacks
	Suspended EndpointState = "suspended" // failed; gets one probe at a time
	Paused    EndpointState = "paused"    // stopped by an operator
)

// An Endpoint is a customer's URL with what it wants and how it is doing.
type Endpoint struct {
	ID   EndpointID
	Name string
	URL  string

	// What it wants. Dialect and the texts below are those of the flags.
	Dialect      string // niya, cams, iso
	Kinds        Kinds
	Ack          string // status, body, 2xx
	Stop         string // lane, url
	UserIDs      string // documented, number, string
	Times        string // gmt, plain, iso; "" as the dialect says
	DeviceFields bool
	Faces        string // auto, always, jpeg
	AppendStgID  bool
	RootCopies   bool
	Timeout      time.Duration // of one attempt, dial to last byte
	MaxInFlight  int

	AuthToken Secret
	Secret    Secret // signs, "whsec_…"

	AddedAt time.Time
	Health
}

// Health is the state of an endpoint, kept in its row and nowhere else, so that
// suspending one with a million waiting changes costs the same as with one.
type Health struct {
	PausedAt    time.Time // zero: not paused
	SuspendedAt time.Time // zero: not suspended
	Failures    int       // failures that count, in a row; 0 when active
	NextAt      time.Time // earliest probe while suspended
	Reason      string    // the failure that suspended or the last failed probe, in words

	// Epoch grows whenever an operator pauses or resumes. An outcome that was
	// decided under an older epoch does not touch the state.
	Epoch int64
}

// State names the state that h means. A pause outlasts a suspension.
func (h Health) State() EndpointState {
	switch {
	case !h.PausedAt.IsZero():
		return Paused
	case !h.SuspendedAt.IsZero():
		return Suspended
	}
	return Active
}

// Defaults and bounds of an endpoint's settings.
const (
	DefaultTimeout     = 30 * time.Second
	DefaultMaxInFlight = 16
)

// Check reports the first setting of e that is out of bounds, as an [InvalidError].
// What a URL may name is for the address policy of package deliver to say.
func (e Endpoint) Check() error {
	if _, err := ParseName(e.Name); err != nil {
		return err
	}
	for _, choice := range []struct{ field, value, want string }{
		{"dialect", e.Dialect, "niya|cams|iso"},
		{"ack", e.Ack, "status|body|2xx"},
		{"stop", e.Stop, "lane|url"},
		{"user_id", e.UserIDs, "documented|number|string"},
		{"times", e.Times, "|gmt|plain|iso"},
		{"face", e.Faces, "auto|always|jpeg"},
	} {
		if !oneOf(choice.value, choice.want) {
			return Invalid(choice.field, clip(choice.value), "one of "+choice.want)
		}
	}
	switch {
	case e.Kinds == 0:
		return Invalid("kinds", "", "updates, punches, all, or a list of "+AllKinds.String())
	case e.Timeout < time.Second || e.Timeout > 120*time.Second:
		return Invalid("timeout", e.Timeout.String(), "1s to 120s")
	case e.MaxInFlight < 1 || e.MaxInFlight > 1000:
		return Invalid("max_in_flight", "", "1 to 1000")
	case e.AuthToken == "":
		return Invalid("auth_token", "", "a token that is not empty")
	case len(e.AuthToken) > 4096:
		return Invalid("auth_token", "", "at most 4096 bytes")
	}
	return nil
}

func oneOf(value, list string) bool {
	return slices.Contains(strings.Split(list, "|"), value)
}

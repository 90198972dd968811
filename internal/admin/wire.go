package admin

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// A Time is an instant in an answer: RFC 3339, UTC, milliseconds; null when zero.
type Time struct{ time.Time }

const timeLayout = "2006-01-02T15:04:05.000Z07:00"

// MarshalJSON writes the instant, or null.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return []byte(enroll.Millis(t.Time).Format(`"` + timeLayout + `"`)), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *Time) UnmarshalJSON(data []byte) error {
	if bytes.Equal(data, []byte("null")) {
		*t = Time{}
		return nil
	}
	parsed, err := time.Parse(`"`+timeLayout+`"`, string(data))
	if err != nil {
		return fmt.Errorf("reading a time: %w", err)
	}
	t.Time = parsed.UTC()
	return nil
}

// A Duration is a span of time in an answer, text such as "2s", "24h", "1m30s".
type Duration time.Duration

// String returns the text, without the zero units that [time.Duration.String] writes.
func (d Duration) String() string {
	text := time.Duration(d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// MarshalText writes the text.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads a text such as "2s".
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// A List is one page of a list.
type List[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor"` // "" at the end
}

// A Device is a device in an answer.
type Device struct {
	Serial    string   `json:"serial"`
	State     string   `json:"state"` // pending, approved
	StgID     string   `json:"stgid"`
	TimeZone  string   `json:"time_zone"`
	Endpoints []string `json:"endpoints"`
	Label     string   `json:"label"`
	Site      string   `json:"site"`
	Settle    Duration `json:"settle"`
	Direction string   `json:"direction"`
	Poll      Duration `json:"poll"`
	Roaming   bool     `json:"roaming"`
	AllowFrom []string `json:"allow_from"`
	Compare   Duration `json:"compare"` // "0s" is never

	AddedAt       Time      `json:"added_at"`
	LastSeenAt    Time      `json:"last_seen_at"`
	Address       string    `json:"address"` // from which it called last
	Protocol      string    `json:"protocol"`
	Family        string    `json:"family"` // att (PUSH 2.x), acc (3.x), "" not known
	Firmware      string    `json:"firmware"`
	UnreadRecords int64     `json:"unread_records"`
	ClockOffset   *Duration `json:"clock_offset"` // of its clock, ahead of ours; null until it was measured

	// How often an operation time came too late for its change, and the settle time that
	// would have caught the last.
	LateTimes  int      `json:"late_times"`
	LateSettle Duration `json:"late_settle"`

	Alarms []Alarm `json:"alarms"` // that are open, oldest first
}

// An Alarm is something that an operator should look at.
type Alarm struct {
	What string `json:"what"` // names the incident
	At   Time   `json:"at"`
	Text string `json:"text"`
}

// An UnreadRecord is a record that was not understood, without its content.
type UnreadRecord struct {
	ID         string `json:"id"`
	ReceivedAt Time   `json:"received_at"`
	Table      string `json:"table"` // as the device named it
	Why        string `json:"why"`
}

// An Endpoint is an endpoint in an answer.
type Endpoint struct {
	Name         string   `json:"name"`
	URL          string   `json:"url"`
	Dialect      string   `json:"dialect"`
	Kinds        []string `json:"kinds"`
	Ack          string   `json:"ack"`
	Stop         string   `json:"stop"`
	Timeout      Duration `json:"timeout"`
	MaxInFlight  int      `json:"max_in_flight"`
	UserID       string   `json:"user_id"`
	Times        string   `json:"times"` // "" is as the dialect says
	DeviceFields bool     `json:"device_fields"`
	Face         string   `json:"face"`
	AppendStgID  bool     `json:"append_stgid"`
	RootCopies   bool     `json:"root_copies"`

	AddedAt       Time   `json:"added_at"`
	State         string `json:"state"` // active, suspended, paused
	Reason        string `json:"reason"`
	SuspendedAt   Time   `json:"suspended_at"`
	Failures      int    `json:"failures"`
	NextAttemptAt Time   `json:"next_attempt_at"` // null unless suspended
	Waiting       int64  `json:"waiting"`
	BlockedLanes  int    `json:"blocked_lanes"`

	// Only in the answer that creates the endpoint; the token only if we made it.
	Secret    string `json:"secret,omitempty"`
	AuthToken string `json:"auth_token,omitempty"`
}

// A Delivery is a delivery in an answer.
type Delivery struct {
	ID          string   `json:"id"`
	Endpoint    string   `json:"endpoint"`
	Device      string   `json:"device"`
	Class       string   `json:"class"`
	State       string   `json:"state"` // waiting, delivered, parked, skipped
	OperationID string   `json:"operation_id"`
	Sequence    int64    `json:"sequence"`
	Kinds       []string `json:"kinds"`
	UserID      string   `json:"user_id"`
	ReceivedAt  Time     `json:"received_at"`
	Attempts    int      `json:"attempts"`
	Tries       []Try    `json:"tries,omitempty"` // oldest first; only where one delivery is asked for
}

// A Try is one attempt of a delivery in an answer.
type Try struct {
	Attempt      int      `json:"attempt"` // counted from 1
	StartedAt    Time     `json:"started_at"`
	Duration     Duration `json:"duration"`
	Status       int      `json:"status"` // 0 if nothing was answered
	Acknowledged bool     `json:"acknowledged"`
	Error        string   `json:"error"`
	Answer       string   `json:"answer"` // beginning of the body, at most 1 KiB
}

func deviceOf(d enroll.DeviceStatus) Device {
	out := Device{
		Serial:        string(d.Serial),
		State:         string(d.State),
		StgID:         string(d.StgID),
		TimeZone:      d.TimeZone,
		Endpoints:     append([]string{}, d.Endpoints...), // [] and not null
		Label:         d.Label,
		Site:          d.Site,
		Settle:        Duration(d.Settle),
		Direction:     string(d.Direction),
		Poll:          Duration(d.Poll),
		Roaming:       d.Roaming,
		AllowFrom:     []string{},
		Compare:       Duration(d.Compare),
		AddedAt:       Time{d.AddedAt},
		LastSeenAt:    Time{d.SeenAt},
		Address:       d.Address,
		Protocol:      d.Protocol,
		Firmware:      d.Firmware,
		Family:        string(d.Family),
		UnreadRecords: d.UnreadRecords,
		LateTimes:     d.LateTimes,
		LateSettle:    Duration(d.LateSettle),
		Alarms:        []Alarm{},
	}
	if !d.MeasuredAt.IsZero() {
		offset := Duration(d.ClockOffset)
		out.ClockOffset = &offset
	}
	for _, a := range d.Alarms {
		out.Alarms = append(out.Alarms, Alarm{a.What, Time{a.At}, a.Text})
	}
	for _, prefix := range d.AllowFrom {
		out.AllowFrom = append(out.AllowFrom, prefix.String())
	}
	return out
}

func unreadOf(u enroll.UnreadRecord) UnreadRecord {
	return UnreadRecord{ID: strconv.FormatInt(u.ID, 10), ReceivedAt: Time{u.ReceivedAt}, Table: u.Table, Why: u.Why}
}

func endpointOf(e enroll.EndpointStatus) Endpoint {
	return Endpoint{
		Name:          e.Name,
		URL:           e.URL,
		Dialect:       e.Dialect,
		Kinds:         e.Kinds.Names(),
		Ack:           e.Ack,
		Stop:          e.Stop,
		Timeout:       Duration(e.Timeout),
		MaxInFlight:   e.MaxInFlight,
		UserID:        e.UserIDs,
		Times:         e.Times,
		DeviceFields:  e.DeviceFields,
		Face:          e.Faces,
		AppendStgID:   e.AppendStgID,
		RootCopies:    e.RootCopies,
		AddedAt:       Time{e.AddedAt},
		State:         string(e.State()),
		Reason:        e.Reason,
		SuspendedAt:   Time{e.SuspendedAt},
		Failures:      e.Failures,
		NextAttemptAt: Time{e.NextAt},
		Waiting:       e.Waiting,
		BlockedLanes:  e.BlockedLanes,
	}
}

func deliveryOf(d enroll.DeliveryStatus) Delivery {
	out := Delivery{
		ID:          d.DeliveryID.String(),
		Endpoint:    d.Endpoint,
		Device:      string(d.Device),
		Class:       string(d.Class),
		State:       string(d.State),
		OperationID: string(d.OperationID),
		Sequence:    d.N,
		Kinds:       d.Kinds.Names(),
		UserID:      string(d.UserID),
		ReceivedAt:  Time{d.ReceivedAt},
		Attempts:    d.Attempts,
	}
	for _, a := range d.Tries {
		out.Tries = append(out.Tries, Try{
			Attempt:      a.Number,
			StartedAt:    Time{a.StartedAt},
			Duration:     Duration(a.Duration.Round(time.Millisecond)),
			Status:       a.Status,
			Acknowledged: a.Acknowledged,
			Error:        a.Error,
			Answer:       strings.ToValidUTF8(string(a.Answer[:min(len(a.Answer), enroll.AnswerKept)]), "�"),
		})
	}
	return out
}

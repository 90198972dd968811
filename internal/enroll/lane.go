package enroll

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Lane is the unit of order: the deliveries of one class, of one device, to one
// endpoint, numbered 1, 2, 3 … without holes. Acknowledging moves the cursor;
// deliveries and changes never change.
//
// The store keeps these rules, and package storetest checks them:
//
//   - Last and Cursor never fall, and Cursor <= Last.
//   - Only delivery Cursor+1, the head, may be attempted.
//   - What lies at or before Cursor was acknowledged, or is an exception: skipped or parked.
type Lane struct {
	ID       LaneID
	Endpoint EndpointID
	Device   DeviceID
	Class    Class
	Last     int64     // number of the newest delivery; 0 in a new lane
	Cursor   int64     // number of the last delivery that is done with
	Attempts int       // attempts of the head that ended; it has been tried so often
	Failures int       // failed attempts of the head in a row
	NextAt   time.Time // earliest next attempt of the head; zero: at once
}

// A LaneID is the store's number of a lane.
type LaneID int64

// Waiting returns how many deliveries of l are owed.
func (l Lane) Waiting() int64 { return l.Last - l.Cursor }

// State names one of the four states of a delivery, derived from the cursor of its
// lane and the exceptions.
type State string

// The states of a delivery. The texts are shown in the API; never change them.
const (
	Waiting   State = "waiting"
	Delivered State = "delivered"
	Parked    State = "parked"
	Skipped   State = "skipped"
)

// A DeliveryID names place N of a lane.
type DeliveryID struct {
	Lane LaneID
	N    int64 // Fingerpost-Sequence
}

// String returns the id as the API and the commands show it: opaque to others.
func (id DeliveryID) String() string { return fmt.Sprintf("%d.%d", id.Lane, id.N) }

// ParseDeliveryID reads what [DeliveryID.String] wrote.
func ParseDeliveryID(text string) (DeliveryID, error) {
	lane, n, found := strings.Cut(text, ".")
	id, err1 := strconv.ParseInt(lane, 10, 64)
	number, err2 := strconv.ParseInt(n, 10, 64)
	if !found || err1 != nil || err2 != nil || id < 1 || number < 1 {
		return DeliveryID{}, Invalid("delivery", clip(text), `an id as "fingerpost delivery list" shows, such as "3.17"`)
	}
	return DeliveryID{LaneID(id), number}, nil
}

// A Delivery is the duty to tell one endpoint about one change.
type Delivery struct {
	DeliveryID
	Endpoint EndpointID
	Device   DeviceID
	Class    Class
	Kinds    Kinds  // those of the change that the endpoint had chosen when it was made
	StgID    StgID  // of the device now
	Token    Secret // the device's own auth token now, "" for the endpoint's
	Change   *Change
}

// An Attempt is one try of a delivery.
type Attempt struct {
	DeliveryID
	Number       int       // counted from 1
	StartedAt    time.Time // UTC, whole milliseconds
	Duration     time.Duration
	Status       int    // of the answer; 0 if there was none
	Acknowledged bool   // contract point 4
	Error        string // in words, "" if acknowledged
	Answer       []byte // first 1 KiB of the body
}

// AnswerKept is how much of an answer's body an attempt keeps.
const AnswerKept = 1 << 10

// An Outcome is an attempt that ended and what it does to its lane and endpoint.
type Outcome struct {
	Attempt
	Endpoint EndpointID
	// What the lane becomes. An acknowledged attempt moves its cursor to N and
	// clears the rest.
	Failures int
	NextAt   time.Time
	// Health is the new state of the endpoint, nil if it stays as it is.
	Health *Health
}

// Committed tells what a commit made, in the order of commits. Whoever is told must
// not keep the writer waiting.
type Committed struct {
	Deliveries []Delivery
	Endpoints  []EndpointID // added, changed, paused, resumed, removed
	Devices    []DeviceID   // added, changed, removed
	Removed    []DeviceID   // nothing of these waits any more
	Ordered    []Serial     // devices that orders wait for
	Due        []Serial     // devices whose drafts need another look
}

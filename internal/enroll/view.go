package enroll

import "time"

// What operators are shown: records of the store with what is derived from them.
// None carries a credential.

// DeviceStatus is a device with what is counted of it.
type DeviceStatus struct {
	Device
	UnreadRecords int64
	Alarms        []Alarm // that are open, oldest first
}

// An UnreadRecord is a record that was not understood, without its content.
type UnreadRecord struct {
	ID         int64
	ReceivedAt time.Time
	Table      string // kind of records, as the device named it
	Why        string // constant text
}

// Owed is what of a device no endpoint has got yet.
type Owed struct {
	Deliveries int64
	Drafts     int64 // changes that further records may still complete
}

// EndpointStatus is an endpoint with what it is owed.
type EndpointStatus struct {
	Endpoint
	Waiting      int64
	BlockedLanes int
}

// DeliveryStatus is a delivery with the change it is about.
type DeliveryStatus struct {
	DeliveryID
	Endpoint    string // name
	Device      Serial
	Class       Class
	State       State
	OperationID OperationID
	Kinds       Kinds
	UserID      PIN
	ReceivedAt  time.Time
	Attempts    int
	Tries       []Attempt // oldest first; only where one delivery is asked for
}

// DeliveryFilter chooses deliveries; zero fields choose all.
type DeliveryFilter struct {
	Endpoint string
	Device   Serial
	State    State
	After    DeliveryID // only what comes after it, in the order of (lane, n)
	Limit    int        // at most so many
}

package enroll

import "time"

// An Alarm is something about a device that an operator should look at. It is raised
// once an incident: not again while one of the same What is open.
type Alarm struct {
	What string    // names the incident, stored: "users-missing", "data-cleared", …
	At   time.Time // UTC, whole milliseconds
	Text string    // in words, with what to do; no credential
}

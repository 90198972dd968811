package enroll

import "time"

// Mirrored is what is known of one user on one device: names and role, and a keyed
// hash of each credential. It holds no credential.
type Mirrored struct {
	UserID    PIN
	Known     bool // a user record came; else only credentials of this user did
	Name      string
	LastName  string
	Privilege int

	// Hashes has one entry a credential, by the name that intake gives it, such
	// as "password" or "fingerprint/6".
	Hashes map[string]Hash
}

// A Hash is a keyed hash of a credential, as text that is safe to store: equality
// shows in it, content does not.
type Hash string

// An Operation is a remembered line of the operation log, which may explain a record
// that comes in a later upload.
type Operation struct {
	ID         int64 // the store's; 0 in a new one
	ReceivedAt time.Time
	UserID     PIN
	Code       int
	Time       WallTime
	Explains   Kinds
	Used       Kinds // kinds that it explained already
	Answered   bool  // a record of this user came, or was asked for
}

// OperationMemory is how long a line of the operation log may explain a record.
const OperationMemory = 2 * time.Minute

// DataWait is how long a line of the operation log waits for a record of its user
// before the device is asked for it.
const DataWait = 25 * time.Second

// A Draft is a change that further records may still complete. It is as durable as a
// change: committed before the device ack.
type Draft struct {
	ID int64 // the store's, growing; 0 in a new one
	Change

	Credential string    // what it is about: records of one user and credential join
	Elements   []string  // beside Templates: the name of each in the mirror
	Secondary  bool      // its picture is a secondary copy
	DueAt      time.Time // when it closes by itself
	Closed     bool      // nothing joins it any more; it waits for those before it
	Named      bool      // its names are those of a user that is deleted since
	Awaits     bool      // its user is not known; until DueAt
	Row        OrderID   // it may be a row of the answer to this order, to be known silently; "" it is not
}

// An Untimed is what is remembered, for [OperationMemory], of a change that was told
// without an operation time.
type Untimed struct {
	UserID     PIN
	Kinds      Kinds
	ReceivedAt time.Time
}

// Needs says what a decision wants to know of the device beside its settings.
type Needs struct {
	Users   []PIN
	Punches []PunchKey
	Order   OrderID // the order that is answered, "" for none
	Unread  []int64 // unread records that the commit ends; without all of them nothing is committed
}

// Known is what is known when a decision is made. The device is locked: nothing of
// it changes until what follows is committed.
type Known struct {
	At       time.Time // of the commit, UTC, whole milliseconds
	Device   Device
	Choices  []Choice          // of the device's endpoints, in their order
	Users    map[PIN]Mirrored  // those of Needs.Users that the mirror has
	Recent   []Operation       // of Users and those whose record did not come in time; not older than [OperationMemory], oldest first
	NextLine time.Time         // when a line of the log that is not among Recent will have waited long enough; zero: none
	Drafts   []Draft           // in their order; Users has their users too
	Untimed  []Untimed         // of Users, not older than [OperationMemory]
	Order    *Order            // Needs.Order, or else the one with the device; nil for none
	Missing  []PIN             // users of the mirror that did not come for Order, if it compares and is answered
	Mirrors  int               // how many users the mirror has, if Missing is asked for
	Punches  map[PunchKey]bool // those of Needs.Punches that are kept already
}

// A Choice is what an endpoint wants of the changes of a device.
type Choice struct {
	Endpoint EndpointID
	Kinds    Kinds
	Faces    string // as in [Endpoint]
}

// Follows is what follows from an upload, to be committed at once or not at all.
type Follows struct {
	Users       []Mirrored  // new state of these users
	Forget      []PIN       // users that leave the mirror
	Operations  []Operation // new lines to remember, and remembered ones (ID set) whose Used grew
	Punches     []PunchKey  // new ones
	Drafts      []Draft     // new ones, and known ones (ID set) that changed
	Done        []int64     // drafts that are changes now
	Untimed     []Untimed   // new ones
	Orders      []Order     // an equal one that waits already is not added again
	Came        []PIN       // users whose records are rows of the answer to Known.Order
	Ended       []OrderID   // answered
	Alarms      []Alarm     // At is set by the store
	Unconfirmed bool        // the mirror may hold users that the device lost
	Confirmed   bool        // the mirror is what the device has

	// Late is not 0 if an operation time came too late for its change: this settle
	// time would have caught it.
	Late    time.Duration
	Changes []NewChange // in the order of their lanes
	Unread  []UnreadReport
	Kept    []KeptReport
	Raw     []byte // the upload's body, "" if it need not be kept
}

// A NewChange is a change with those who get it. The store gives it its id, its
// operation id and a place in the lane of each of them.
type NewChange struct {
	Change
	To []Recipient
}

// A Recipient is an endpoint that gets a change, and the kinds of it that it chose.
type Recipient struct {
	Endpoint EndpointID
	Kinds    Kinds
}

// A Decision is a pure function from what is known to what follows. The store calls
// it inside the transaction that commits, with the device locked, perhaps twice.
type Decision func(Known) (Follows, error)

package enroll

import "time"

// An OrderID names an order in what a device answers: 1 to 16 letters and digits.
type OrderID string

// An Order is something that we want of a device. It waits in the store until the
// device asks for orders, is handed out, and ends with the device's answer or a
// timeout. One is with a device at a time.
type Order struct {
	ID       OrderID
	What     OrderKind
	UserID   PIN      // whom it is about; "" for all
	Tell     bool     // of a query: what comes makes changes; else it fills the mirror silently
	Compare  bool     // of QueryUsers: users that do not come are gone; with Tell however many they are
	Time     WallTime // of the line of the operation log that it follows from; "" for none
	Rows     int      // records of users that came for it so far
	AddedAt  time.Time
	HandedAt time.Time // zero: the device has not got it yet
	Tries    int       // how often it was handed out
}

// An OrderKind is what an order asks. The texts are stored; never change them.
type OrderKind string

// The kinds of order. All of them may be repeated without harm.
const (
	// QueryUser asks for all that the device holds of one user.
	QueryUser OrderKind = "query-user"
	// CheckUser is QueryUser to find out whether the user is still there.
	CheckUser OrderKind = "check-user"
	// QueryUsers asks for the list of users.
	QueryUsers OrderKind = "query-users"
	// QueryFingers asks for the finger templates of one user, for devices whose answer
	// to QueryUser has none.
	QueryFingers OrderKind = "query-fingers"
	// QueryFaces asks for the faces of one user.
	QueryFaces OrderKind = "query-faces"
	// ReloadOptions has the device ask for its init block again.
	ReloadOptions OrderKind = "reload-options"
)

// An OrderAnswer is what a device says of an order that it has carried out.
type OrderAnswer struct {
	ID     OrderID
	Return int    // 0 is done, in PUSH 3.x also the number of rows; negative failed
	Words  string // Return in words
}

// A Part is a piece of an answer that comes in several requests; a record may begin
// in one and end in the next.
type Part struct {
	Order OrderID
	Table string
	Index int // from 1
	Count int // of parts
	Body  []byte
}

// Family is which of the two protocols a device speaks.
type Family string

// The families. The texts are stored and shown in the API; never change them.
const (
	Attendance Family = "att" // PUSH 2.x
	Access     Family = "acc" // PUSH 3.x
)

package enroll

// An Upload is what one request of a device said, in the order in which it said it.
type Upload struct {
	Table   string // kind of records, as the device named it
	Reports []Report

	// Raw is the whole body where it is kept as it came: a table that is not
	// understood, a picture taken at a punch. Empty where Reports say it all.
	Raw []byte

	// Order is the order that the device says it answers, "" where it does not say.
	Order OrderID

	// Unread are records that were not understood when they came, and are now: they are
	// no longer unread once this is committed.
	Unread []int64
}

// A Report is one fact that a device told, in our terms: a [UserReport],
// [TemplateReport], [PictureReport], [OperationReport], [PunchReport], [UnreadReport],
// [KeptReport], [ResetReport] or [AnswerReport].
// A vendor's protocol package makes them; package intake decides what they mean.
type Report interface{ report() }

// A UserReport tells who a user is. A nil field was not said and clears nothing; an
// empty one was said to be empty.
type UserReport struct {
	UserID     PIN
	Name       *string
	LastName   *string // only from devices that have two parts
	Privilege  *int
	Password   *string
	Card       *string // main card, decimal
	SecondCard *string
}

// A TemplateReport carries one record of biometric data.
type TemplateReport struct {
	UserID PIN
	Kind   Kinds // Fingerprint, Face or Palm
	// Number is the finger or the hand, "" for a face.
	Number string
	// Row tells the records of one face or palm apart, "" where there is only one.
	Row       string
	Algorithm string // major version, as the device names it
	Version   string // minor version
	Data      Data
}

// A PictureReport carries a picture of a user.
type PictureReport struct {
	UserID PIN
	// Secondary marks the copy that visible-light terminals send beside the picture
	// they compare with; it counts only where that one did not come.
	Secondary bool
	Data      Data
}

// An OperationReport is a line of a device's operation log that names a user: who
// did what, and when. It explains data records, and is the only trace of a removal.
type OperationReport struct {
	Code     int // the vendor's
	Operator PIN // "" when the menu was unprotected
	UserID   PIN
	Time     WallTime // "" when the line's time made no sense
	Explains Kinds    // kinds of change that such a line comes with
	Removes  Kinds    // UserDeleted, or the kind of credential that it tells gone
	// MayDelete marks a line that some devices write when a user is deleted and others
	// when something else of the user changes: the device is asked.
	MayDelete bool
}

// A PunchReport is one line of attendance.
type PunchReport struct {
	PunchKey
	WorkCode    string
	Temperature string // the device's text, "" when it measured none
	Mask        *bool  // nil: not told
}

// A PunchKey tells one punch of a device from every other.
type PunchKey struct {
	UserID PIN
	Time   WallTime
	Status int    // direction code; 255 when the device has no state key
	Verify int    // method code
	Index  string // the device's number of the event, "" from devices that have none
}

// An UnreadReport is a record that was not understood. It is kept until an operator
// dismisses it or a later version understands it.
type UnreadReport struct {
	Line []byte // as it came
	Why  string // constant text, never a part of the line
}

// A KeptReport is a record that is understood and makes no callback, a finger vein
// for instance.
type KeptReport struct {
	Line []byte // as it came
	Why  string // constant text, never a part of the line
}

// A ResetReport tells that a device lost users in a way that names none: its data were
// cleared, for instance.
type ResetReport struct {
	Time WallTime // "" when the line's time made no sense
	What string   // constant text, in words
}

// An AnswerReport tells that a device has carried out an order, or failed to.
type AnswerReport struct{ OrderAnswer }

func (ResetReport) report()     {}
func (AnswerReport) report()    {}
func (UserReport) report()      {}
func (TemplateReport) report()  {}
func (PictureReport) report()   {}
func (OperationReport) report() {}
func (PunchReport) report()     {}
func (UnreadReport) report()    {}
func (KeptReport) report()      {}

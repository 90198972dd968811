package zkpush

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// The kinds of row of PUSH 3.x, in lower case as opposed to those of 2.x. They are the
// names of tables; a line may begin with its own.
const (
	rowUser      = "user"
	rowNames     = "extuser"
	rowCard      = "mulcarduser"
	rowFinger    = "templatev10"
	rowFace      = "facev7"
	rowBiodata   = "biodata"
	rowPhoto     = "biophoto"
	rowPicture   = "userpic"
	rowEvent     = "rtlog"
	rowPast      = "transaction"
	rowRights    = "userauthorize"
	rowOther     = "other"     // understood, and makes no callback
	rowEnrolment = "enrolment" // how an enrolment by order went
)

// Other words that say what a body is.
const (
	tableRows    = "tabledata"      // table= of rows; tablename= says which
	tableTaken   = "attphoto"       // pictures taken at a punch, kept whole
	answerBio    = "biodata"        // type= of a template enrolled by order
	answerEnrol  = "enrollinfodata" // type= of how an enrolment by order went
	authByServer = "device"         // AuthType= of a door that asks the server
)

// isRow reports whether kind is one of PUSH 3.x.
func isRow(kind string) bool { return kind != "" && 'a' <= kind[0] && kind[0] <= 'z' }

// rowKind returns the kind that a word or the name of a table means in PUSH 3.x, "" if
// none.
func rowKind(word string) string {
	if len(word) > maxWord {
		return ""
	}
	switch word = strings.ToLower(word); word {
	case rowUser, rowNames, rowCard, rowFinger, rowBiodata, rowPhoto, rowPicture, rowEvent, rowPast, rowRights:
		return word
	case rowFace, "ssrface7":
		return rowFace
	case "errorlog", "identitycard":
		return rowOther
	}
	return ""
}

// rowReport returns what a row tells, nil if it is understood and tells nothing.
func rowReport(r Record) enroll.Report {
	switch r.Kind {
	case rowUser:
		return userRow(r)
	case rowNames:
		return namesRow(r)
	case rowCard:
		return cardRow(r)
	case rowFinger:
		return fingerRow(r)
	case rowFace:
		return faceRow(r)
	case rowBiodata:
		return biodataReport(r)
	case rowPhoto:
		return photoReport(r)
	case rowPicture:
		return pictureReport(r, true)
	case rowEvent:
		return eventReport(r)
	case rowPast:
		return r.kept("an event of the past")
	case rowRights:
		return r.kept("access rights of a user")
	case rowEnrolment:
		return r.kept("how an enrolment by order went")
	}
	return r.kept("a kind of record that makes no callback")
}

// userRow reads user. Rows are sparse: what is empty or missing was not told, since
// terminals were seen to send rows without the name and card that they hold.
func userRow(r Record) enroll.Report {
	pin, ok := r.pin()
	if !ok {
		return r.unread("user row without a user id")
	}
	if r.tooLong("name", "password", "cardno") {
		return r.unread("user row with a text too long")
	}
	return enroll.UserReport{
		UserID:    pin,
		Name:      r.told("name", present),
		Privilege: r.privilege("privilege"),
		Password:  r.told("password", present),
		Card:      r.told("cardno", parseCard),
	}
}

// namesRow reads extuser, which alone has a name in two parts.
func namesRow(r Record) enroll.Report {
	pin, ok := r.pin()
	if !ok {
		return r.unread("name row without a user id")
	}
	if r.tooLong("firstname", "lastname") {
		return r.unread("name row with a text too long")
	}
	report := enroll.UserReport{UserID: pin, Name: r.told("firstname", present), LastName: r.told("lastname", present)}
	if report.Name == nil && report.LastName == nil {
		return r.kept("a name row without a name")
	}
	return report
}

// cardRow reads mulcarduser, one of several cards of a user: the number is in
// hexadecimal, and type 1 a further card.
func cardRow(r Record) enroll.Report {
	pin, ok := r.pin()
	if !ok {
		return r.unread("card row without a user id")
	}
	card, ok := parseHexCard(present(r.fields.get("cardno")))
	kind, _ := r.number("cardtype")
	lost, _ := r.number("losscardflag")
	switch {
	case !ok:
		return r.unread("card row with a number that is not hexadecimal")
	case lost != "" && lost != "0":
		return r.kept("a card that is marked as lost")
	case card == "":
		return r.kept("a card row without a card")
	case kind == "1":
		return enroll.UserReport{UserID: pin, SecondCard: &card}
	case kind == "0", kind == "" && !r.fields.has("cardtype"):
		return enroll.UserReport{UserID: pin, Card: &card}
	}
	return r.unread("card row of an unknown type")
}

// parseHexCard returns a card number in hexadecimal, the highest digit first, as decimal
// text; "" for no card. In brackets the bytes are in the order of [parseCard].
func parseHexCard(text string) (string, bool) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "[") {
		card := parseCard(text)
		return card, !strings.HasPrefix(card, "[")
	}
	if len(text) > 2*maxCardBytes || strings.Trim(text, "0123456789abcdefABCDEF") != "" {
		return "", false
	}
	number, _ := new(big.Int).SetString("0"+text, 16)
	if number.Sign() == 0 {
		return "", true
	}
	return number.String(), true
}

// fingerRow reads templatev10. A finger that is marked for use under duress has its
// number raised by 16, and is the same finger.
func fingerRow(r Record) enroll.Report {
	text, _ := r.number("fingerid")
	finger, err := strconv.Atoi(text)
	if finger >= 16 {
		finger -= 16
	}
	if err != nil || finger > 9 {
		return r.unread("fingerprint row without a finger")
	}
	return r.template(enroll.TemplateReport{Kind: enroll.Fingerprint, Number: strconv.Itoa(finger), Algorithm: "10"}, "template")
}

// faceRow reads facev7, one of the rows of a near-infrared face.
func faceRow(r Record) enroll.Report {
	row, ok := r.number("faceid")
	if !ok {
		return r.unread("face row without a number")
	}
	return r.template(enroll.TemplateReport{Kind: enroll.Face, Row: row, Algorithm: "7"}, "template")
}

package zkpush

import (
	"math/bits"
	"strconv"
	"strings"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// verifyOther is the method of a punch that no number stands for.
const verifyOther = 200

// eventReport reads rtlog, an event at a door. One that is normal (0 to 19, 200 to 253)
// and has a user is a punch; one that is normal and has none concerns the device alone.
// Refused accesses and alarms are kept. index is unique in a device until it is reset.
func eventReport(r Record) enroll.Report {
	event, err := strconv.ParseUint(strings.TrimSpace(r.fields.get("event")), 10, 16)
	switch {
	case err != nil:
		return r.unread("event without a number")
	case 20 <= event && event <= 99:
		return r.kept("a refused access")
	case 100 <= event && event <= 199:
		return r.kept("an alarm at the door")
	case event > 253:
		return r.kept("an event that is no punch")
	}
	if user := strings.TrimSpace(present(r.fields.get("pin"))); user == "" || user == "0" {
		return nil
	}
	pin, ok := r.pin()
	if !ok {
		return r.unread("event with a bad user id")
	}
	at, err := parseTime(r.fields.get("time"))
	if err != nil {
		return r.unread("event with a time that makes no sense")
	}
	status, known := number16(r.fields.get("inoutstatus"), noStateKey)
	verify, read := verifyCode(r.fields.get("verifytype"))
	if !known || !read {
		return r.unread("event with a direction or method that is no number")
	}
	return enroll.PunchReport{
		PunchKey:    enroll.PunchKey{UserID: pin, Time: at, Status: status, Verify: verify, Index: clean(r.fields.get("index"))},
		Temperature: temperature(r.fields.get("temperature")),
		Mask:        mask(r.fields.get("maskflag")),
	}
}

// number16 returns a number up to 65535, or otherwise if text is empty.
func number16(text string, otherwise int) (int, bool) {
	if text = strings.TrimSpace(present(text)); text == "" {
		return otherwise, true
	}
	n, err := strconv.ParseUint(text, 10, 16)
	return int(n), err == nil
}

// verifyCode returns the number of a method. Terminals with new verification styles
// send 16 binary digits instead, one for each method used: if it is one, the number
// that stands for it, else that of others. The lowest digit says only how several are
// joined.
func verifyCode(text string) (int, bool) {
	text = strings.TrimSpace(text)
	if len(text) != 16 || strings.Trim(text, "01") != "" {
		return number16(text, 0)
	}
	styles, _ := strconv.ParseUint(text, 2, 16)
	styles &^= 1
	switch {
	case styles == 0:
		return 0, true
	case bits.OnesCount64(styles) > 1:
		return verifyOther, true
	}
	switch bits.TrailingZeros64(styles) {
	case 1: // face
		return 15, true
	case 2, 3: // palm print, palm vein
		return 25, true
	case 4: // fingerprint
		return 1, true
	case 5: // finger vein
		return 21, true
	case 9: // password
		return 3, true
	case 10: // user id
		return 2, true
	case 11: // card
		return 4, true
	}
	return verifyOther, true
}

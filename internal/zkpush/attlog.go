package zkpush

import (
	"strconv"
	"strings"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// noStateKey is the status of a punch at a device that has no keys for in and out.
const noStateKey = 255

// The places in a positional line of attendance. The last two in use, a converted
// temperature and beyond, say nothing new.
const (
	punchPIN = iota
	punchTime
	punchStatus
	punchVerify
	punchWorkCode
	_ // reserved
	_ // reserved
	punchMask
	punchTemperature
	punchPlaces
)

// punchReport reads ATTLOG, one punch: positional with four fields at least, or keyed
// (reported of clones), where status and method may be missing. A punch is known by
// its time, so a line whose time makes no sense is unread.
func punchReport(r Record) enroll.Report {
	place := keyedPunch(r.fields)
	if !r.fields.has("PIN") {
		parts := positional(r.text)
		if len(parts) <= punchVerify {
			return r.unread("punch with too few fields")
		}
		place = [punchPlaces]string{}
		copy(place[:], parts)
	}
	pin, ok := parsePIN(place[punchPIN], r.language)
	if !ok {
		return r.unread("punch without a user id")
	}
	at, err := enroll.ParseWallTime(place[punchTime])
	if err != nil {
		return r.unread("punch with a time that makes no sense")
	}
	status, err1 := strconv.ParseUint(strings.TrimSpace(place[punchStatus]), 10, 16)
	verify, err2 := strconv.ParseUint(strings.TrimSpace(place[punchVerify]), 10, 16)
	if err1 != nil || err2 != nil {
		return r.unread("punch with a status or method that is no number")
	}
	return enroll.PunchReport{
		PunchKey:    enroll.PunchKey{UserID: pin, Time: at, Status: int(status), Verify: int(verify)},
		WorkCode:    clean(present(place[punchWorkCode])),
		Temperature: temperature(place[punchTemperature]),
		Mask:        mask(place[punchMask]),
	}
}

// keyedPunch puts the fields of the keyed form in their places. A device that does
// not tell a status has no key for it; method 0 means any.
func keyedPunch(fields pairs) [punchPlaces]string {
	place := [punchPlaces]string{punchStatus: strconv.Itoa(noStateKey), punchVerify: "0"}
	for i, keys := range [punchPlaces][]string{
		punchPIN:         {"PIN"},
		punchTime:        {"Time", "DateTime"},
		punchStatus:      {"Status", "State"},
		punchVerify:      {"Verify", "VerifyType"},
		punchWorkCode:    {"WorkCode"},
		punchMask:        {"Mask", "MaskFlag"},
		punchTemperature: {"Temperature"},
	} {
		for _, key := range keys {
			if value := present(fields.get(key)); value != "" {
				place[i] = value
			}
		}
	}
	return place
}

// temperature returns the device's text; "" if it measured none, which it says as 0
// or 255.
func temperature(text string) string {
	text = clean(text)
	degrees, err := strconv.ParseFloat(text, 64)
	if err != nil || degrees == 0 || degrees == 255 {
		return ""
	}
	return text
}

// mask returns whether the user wore a mask; nil if the device does not tell, which
// it says as 255.
func mask(text string) *bool {
	switch strings.TrimSpace(text) {
	case "0", "1":
		worn := strings.TrimSpace(text) == "1"
		return &worn
	}
	return nil
}

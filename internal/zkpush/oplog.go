package zkpush

import (
	"strconv"
	"strings"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// operationReport reads OPLOG, a line of the terminal's operation log. It is
// positional: code, operator, time, and four objects, of which the first is the user
// in the codes that have one. Objects may be text, and the last may be missing.
func operationReport(r Record) enroll.Report {
	parts := positional(r.text)
	code, err := strconv.Atoi(strings.TrimSpace(parts[0]))
	if err != nil || code < 0 || len(parts) < 3 {
		return r.unread("operation without a code and a time")
	}
	if lost := losesUsers(code); lost != "" {
		at, _ := enroll.ParseWallTime(parts[2])
		return enroll.ResetReport{Time: at, What: lost}
	}
	if concernsDeviceOnly(code) {
		return nil
	}
	explains, removes := meaning(code)
	if explains == 0 {
		return r.kept("an operation that explains no change")
	}
	if len(parts) < 4 || present(strings.Trim(parts[3], " 0")) == "" {
		return r.kept("an operation on a user that names none")
	}
	pin, ok := parsePIN(parts[3], r.language)
	if !ok {
		return r.unread("operation with a bad user id")
	}
	// A clock that is off does not make the line useless.
	at, _ := enroll.ParseWallTime(parts[2])
	operator, _ := parsePIN(parts[1], r.language)
	if strings.Trim(string(operator), "0") == "" {
		operator = "" // the menu was not protected
	}
	return enroll.OperationReport{Code: code, Operator: operator, UserID: pin, Time: at, Explains: explains, Removes: removes,
		MayDelete: code == 103} // seen for a deleted user, and documented for access rights
}

// losesUsers says what a code tells that may have taken users or roles from the device
// without naming one; "" for all other codes.
func losesUsers(code int) string {
	switch code {
	case 13:
		return "the device's data were cleared"
	case 22:
		return "the device was set back to factory settings"
	case 24:
		return "the device's admin rights were cleared"
	}
	return ""
}

// meaning returns the kinds of change that a code comes with, then those that it tells
// gone; no kinds for a code that explains no change. Codes up to 32 are documented,
// those above come from newer manuals and recordings.
func meaning(code int) (enroll.Kinds, enroll.Kinds) {
	switch code {
	case 6, 31: // finger enrolled, its attribute changed
		return enroll.Fingerprint, 0
	case 7, 113: // password enrolled, changed
		return enroll.Password, 0
	case 8, 14, 15, 16, 100: // card enrolled, by several techniques; changed
		return enroll.Card, 0
	case 30, 36, 70, 71: // new user, other data, name, privilege
		return enroll.User, 0
	case 102, 103, 104: // access rights changed, deleted, added
		// 103 was seen for a deleted user too, which it alone does not prove.
		return enroll.User, 0
	case 68, 69: // picture enrolled, changed
		return enroll.Photo, 0
	case 101: // face enrolled; one fleet of 2026 sends it for fingers
		return enroll.Face | enroll.Photo | enroll.Fingerprint, 0
	case 114: // face changed, also the first face on visible-light terminals
		return enroll.Face | enroll.Photo, 0
	case 124, 125: // palm enrolled, changed
		return enroll.Palm, 0
	case 9:
		return enroll.UserDeleted, enroll.UserDeleted
	case 10:
		return enroll.CredentialRemoved, enroll.Fingerprint
	case 11:
		return enroll.CredentialRemoved, enroll.Password
	case 12:
		return enroll.CredentialRemoved, enroll.Card
	case 106:
		return enroll.CredentialRemoved, enroll.Face
	case 107:
		return enroll.CredentialRemoved, enroll.Photo
	case 126:
		return enroll.CredentialRemoved, enroll.Palm
	}
	return 0, 0
}

// concernsDeviceOnly reports whether code names no user: starts, failed
// verifications, alarms, menus, settings, backups, networks.
func concernsDeviceOnly(code int) bool {
	switch {
	case code <= 5, 19 <= code && code <= 29, 33 <= code && code <= 35, 37 <= code && code <= 43,
		53 <= code && code <= 55, 76 <= code && code <= 83, 87 <= code && code <= 92, code == 105,
		108 <= code && code <= 112, 115 <= code && code <= 118:
		return true
	}
	return false
}

// positional splits text at its tabs. A line that was copied from a log has blanks
// instead: then a date and the time after it are put together again.
func positional(text string) []string {
	if strings.Contains(text, "\t") {
		return strings.Split(text, "\t")
	}
	parts := []string{}
	for word := range strings.FieldsSeq(text) {
		if n := len(parts); n > 0 && len(parts[n-1]) == len("2006-01-02") && strings.Count(parts[n-1], "-") == 2 && strings.Count(word, ":") == 2 {
			parts[n-1] += " " + word
			continue
		}
		parts = append(parts, word)
		if len(parts) > maxFields {
			break
		}
	}
	if len(parts) == 0 {
		return []string{""}
	}
	return parts
}

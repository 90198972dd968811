package callback

import "strings"

// A PunchLog is one line of attendance: somebody was recognised at a device.
//
// Dialect niya tells how and which way as the device's codes, cams and iso as words.
// Parse fills in both as far as one gives the other. An encoder uses what its dialect
// tells.
type PunchLog struct {
	UserID string

	Status int // direction: 0 in, 1 out, 2 break out …, 255 no state key; UnknownCode
	Verify int // method: 0 password, 1 fingerprint, 2 card, 15 face …; UnknownCode

	Direction string // CheckIn, CheckOut, BreakOut, BreakIn, OverTimeIn, …; "" unknown
	Method    string // Fingerprint, Face, Palm, Card, Password, Others; "" unknown

	Temperature string // as the device told it; "" if it measured none
	FaceMask    *bool  // nil: not told
}

// UnknownCode is the Status or Verify of a punch whose code was not told.
const UnknownCode = -1

// directions are the words of the status codes 0 to 5.
func directions() []string {
	return []string{"CheckIn", "CheckOut", "BreakOut", "BreakIn", "OverTimeIn", "OverTimeOut"}
}

// directionOf returns the word of a status, "" for those that tell no direction.
func directionOf(status int) string {
	if words := directions(); status >= 0 && status < len(words) {
		return words[status]
	}
	return ""
}

// completeDirection returns code and word of a direction, of which status or word may
// be unknown, the word in its usual spelling. Meals have no code.
func completeDirection(status int, word string) (int, string) {
	if word == "" {
		return status, directionOf(status)
	}
	for code, usual := range append(directions(), "MealIn", "MealOut") {
		if !strings.EqualFold(word, usual) {
			continue
		}
		if status == UnknownCode && directionOf(code) == usual {
			status = code
		}
		return status, usual
	}
	return status, word
}

// methodOf returns the word of a verify code.
func methodOf(verify int) string {
	switch verify {
	case UnknownCode:
		return ""
	case 1:
		return string(Fingerprint)
	case 0, 3:
		return string(Password)
	case 2, 4:
		return string(Card)
	case 15:
		return string(Face)
	case 25:
		return string(Palm)
	}
	return "Others"
}

// completeMethod returns code and word of a method, of which verify or word may be
// unknown, the word in its usual spelling. Others has no code.
func completeMethod(verify int, word string) (int, string) {
	if word == "" {
		return verify, methodOf(verify)
	}
	for _, code := range []int{0, 1, 2, 15, 25} {
		if usual := methodOf(code); strings.EqualFold(word, usual) {
			if verify == UnknownCode {
				verify = code
			}
			return verify, usual
		}
	}
	if strings.EqualFold(word, "Others") {
		return verify, "Others"
	}
	return verify, word
}

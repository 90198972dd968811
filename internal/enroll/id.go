package enroll

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Serial is what a device calls itself in every request (?SN=). It is printed
// on the case, so it names a device and proves nothing.
type Serial string

// maxSerial is far above what devices use (13 characters, 20 in clones).
const maxSerial = 64

// ParseSerial accepts letters, digits and -_.: in any case, at most 64 of them.
// The serial number ends up in pages, logs and file dialogs, so nothing else passes.
func ParseSerial(text string) (Serial, error) {
	if text == "" || len(text) > maxSerial {
		return "", Invalid("serial", clip(text), "1 to 64 letters, digits, or any of -_.:")
	}
	for _, r := range text {
		if !isPlain(r) {
			return "", Invalid("serial", clip(text), "1 to 64 letters, digits, or any of -_.:")
		}
	}
	return Serial(text), nil
}

// A StgID is the customer-side name of a device, sent as ?stgid= with each callback.
type StgID string

// ParseStgID accepts 1 to 128 printable characters without blanks.
func ParseStgID(text string) (StgID, error) {
	if text == "" || len(text) > 128 || strings.ContainsFunc(text, unprintable) {
		return "", Invalid("stgid", clip(text), "1 to 128 printable characters without blanks")
	}
	return StgID(text), nil
}

// A PIN is a user's number on a device. It is text: leading zeros and letters are real.
type PIN string

// MaxPIN is the longest user id in bytes; devices allow 24.
const MaxPIN = 64

// ParsePIN accepts 1 to 64 bytes of printable UTF-8 without blanks at the ends.
func ParsePIN(text string) (PIN, error) {
	if text == "" || len(text) > MaxPIN || !utf8.ValidString(text) ||
		strings.TrimSpace(text) != text || strings.ContainsFunc(text, unicode.IsControl) {
		return "", Invalid("user id", clip(text), "1 to 64 printable characters")
	}
	return PIN(text), nil
}

// ParseName accepts an endpoint's name: 1 to 64 letters, digits, or any of -_.:
// It becomes a part of URLs and commands.
func ParseName(text string) (string, error) {
	if s, err := ParseSerial(text); err == nil && s[0] != '-' && s[0] != '.' {
		return text, nil
	}
	return "", Invalid("name", clip(text), "1 to 64 letters, digits, or any of -_.: beginning with a letter or digit")
}

func isPlain(r rune) bool {
	return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.:", r))
}

func unprintable(r rune) bool {
	return !unicode.IsPrint(r) || unicode.IsSpace(r) || r == utf8.RuneError
}

// clip bounds hostile text that is quoted in an error.
func clip(text string) string {
	if len(text) > 80 {
		return strings.ToValidUTF8(text[:80], "") + "…"
	}
	return text
}

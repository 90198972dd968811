package zkpush

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// pin returns the user whom the record is about. It is text: leading zeros and
// letters are real.
func (r Record) pin() (enroll.PIN, bool) {
	return parsePIN(r.fields.get("PIN"), r.language)
}

func parsePIN(text, language string) (enroll.PIN, bool) {
	if len(text) > 4*enroll.MaxPIN {
		return "", false
	}
	pin, err := enroll.ParsePIN(strings.TrimSpace(decodeText(present(text), language)))
	return pin, err == nil
}

// present returns text, or "" if it is one of the words for nothing which devices
// echo from bad servers.
func present(text string) string {
	switch text {
	case "null", "NULL", "(null)":
		return ""
	}
	return text
}

// number returns the value of key as a decimal number from 0 to 255 without leading
// zeros, and whether it is one; else "".
func (r Record) number(key string) (string, bool) {
	n, err := strconv.ParseUint(strings.TrimSpace(r.fields.get(key)), 10, 8)
	if err != nil {
		return "", false
	}
	return strconv.FormatUint(n, 10), true
}

// data returns the content under key; false if there is none, or if it is not text,
// so that no callback could carry it.
func (r Record) data(key string) (enroll.Data, bool) {
	text := strings.TrimSpace(present(r.fields.get(key)))
	if text == "" || !utf8.ValidString(text) {
		return enroll.Data{}, false
	}
	return enroll.ParseData(text), true
}

// first returns the value of the first of keys that the record has.
func (r Record) first(keys ...string) string {
	for _, key := range keys {
		if value, ok := r.fields.find(key); ok {
			return value
		}
	}
	return ""
}

// told returns the value of key as read makes it, nil if there is none or if it is
// empty: the sparse rows of PUSH 3.x clear nothing.
func (r Record) told(key string, read func(string) string) *string {
	if text := r.optional(key, read); text != nil && *text != "" {
		return text
	}
	return nil
}

// time returns when the record says that it was made, "" if it does not.
func (r Record) time() enroll.WallTime {
	text := ""
	switch r.Kind {
	case kindOplog:
		if parts := positional(r.text); len(parts) > 2 {
			text = parts[2]
		}
	case kindAttlog:
		if text = keyedPunch(r.fields)[punchTime]; text == "" {
			if parts := positional(r.text); len(parts) > punchTime {
				text = parts[punchTime]
			}
		}
	case rowEvent:
		text = r.fields.get("time")
	}
	at, _ := parseTime(text)
	return at
}

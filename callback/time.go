package callback

import (
	"strings"
	"time"
)

// appendTime appends t as the device's clock showed it, null if t is unknown.
func appendTime(dst []byte, t time.Time, style Times) []byte {
	if t.IsZero() {
		return append(dst, "null"...)
	}
	switch style {
	case Plain:
		return t.AppendFormat(dst, `"2006-01-02 15:04:05"`)
	case ISO:
		return t.AppendFormat(dst, `"2006-01-02T15:04:05Z07:00"`)
	default:
		return t.AppendFormat(dst, `"2006-01-02 15:04:05 GMT -0700"`)
	}
}

// appendEventTime appends RealTime.Time: the same instant in UTC. A plain time names no
// zone, so there it stays what the device's clock showed.
func appendEventTime(dst []byte, t time.Time, style Times) []byte {
	if style != Plain {
		t = t.UTC()
	}
	return appendTime(dst, t, style)
}

func appendDownloadedAt(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(dst, "null"...)
	}
	return t.UTC().AppendFormat(dst, `"2006-01-02T15:04:05.000Z"`)
}

// parseTime reads a time of any vendor and cuts it to a multiple of precision. It
// returns the time in a fixed zone, whether the text named that zone, and whether it
// was a time at all. Empty text is the zero time.
func parseTime(text string, precision time.Duration) (time.Time, bool, bool) {
	if text = strings.TrimSpace(text); text == "" {
		return time.Time{}, true, true
	}
	for _, form := range []struct {
		layout string
		zoned  bool
	}{
		{"2006-01-02 15:04:05 GMT -0700", true},
		{"2006-01-02T15:04:05Z07:00", true},
		{"2006-01-02 15:04:05", false},
		{"2006-01-02T15:04:05", false},
		{"2006-01-02T15:04:05Z0700", true},
		{"2006-01-02 15:04:05Z07:00", true},
		{"2006-01-02 15:04:05 GMT -07:00", true},
		{"2006-01-02 15:04:05 GMT", true},
	} {
		// In UTC, since Parse would take the machine's zone if the offset fits it.
		t, err := time.ParseInLocation(form.layout, text, time.UTC)
		if err != nil {
			continue
		}
		if t = t.Truncate(precision); t.IsZero() {
			return time.Time{}, true, true
		}
		return t, form.zoned, true
	}
	return time.Time{}, false, false
}

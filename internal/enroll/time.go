package enroll

import (
	"strings"
	"time"
)

// A WallTime is what a device's clock showed, "2006-01-02 15:04:05", without a zone.
// Empty means that the device did not say.
type WallTime string

// wallLayout is the only form in which a WallTime is kept.
const wallLayout = "2006-01-02 15:04:05"

// ParseWallTime accepts the form of the protocol, also with T instead of the blank.
// A date that no calendar has is an error; one far off is not.
func ParseWallTime(text string) (WallTime, error) {
	text = strings.TrimSpace(text)
	if len(text) == len(wallLayout) && text[10] == 'T' {
		text = text[:10] + " " + text[11:]
	}
	if _, err := time.Parse(wallLayout, text); err != nil {
		return "", Invalid("time", clip(text), `a time like "2006-01-02 15:04:05"`)
	}
	return WallTime(text), nil
}

// In returns the instant that w means in zone, in a fixed zone of the offset which
// was in force, so that it prints as w again. A wall time that occurs twice, when
// clocks are set back, means the first; one that never occurs keeps the offset from
// before the jump. The result is zero if w is empty.
func (w WallTime) In(zone *time.Location) time.Time {
	naive, err := time.Parse(wallLayout, string(w))
	if err != nil {
		return time.Time{}
	}
	// The offsets of the day before and the day after are the only two that can apply.
	var first time.Time
	var before int
	for i, day := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		name, offset := naive.Add(day).In(zone).Zone()
		if i == 0 {
			before = offset
		}
		at := naive.Add(-time.Duration(offset) * time.Second)
		if _, real := at.In(zone).Zone(); real != offset {
			continue
		}
		if first.IsZero() || at.Before(first) {
			first = at.In(time.FixedZone(name, offset))
		}
	}
	if first.IsZero() {
		first = naive.Add(-time.Duration(before) * time.Second).In(time.FixedZone("", before))
	}
	return first
}

// ParseZone accepts an IANA name. "Local" and "" are not names: a zone must mean
// the same on every machine.
func ParseZone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, Invalid("time_zone", name, `an IANA zone such as "Asia/Kolkata"`)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, Invalid("time_zone", clip(name), `an IANA zone such as "Asia/Kolkata"`)
	}
	return zone, nil
}

// Millis cuts t to what the store keeps: UTC, whole milliseconds.
func Millis(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

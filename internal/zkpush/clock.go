package zkpush

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// offsetLasts is how long a measured clock offset stands against a smaller one.
const offsetLasts = 10 * time.Minute

// clockOffset returns how far a device's clock is ahead of ours, by the newest time in
// what it sent at a time of ours; false if that says nothing new. A record may have
// waited in the device, so what it shows is at most the offset: a smaller one counts
// only after the last one measured is old, and the first one counts at once. An exact
// time, such as a heartbeat's, counts always.
func clockOffset(d enroll.Device, newest enroll.WallTime, exact bool, at time.Time) (time.Duration, bool) {
	zone, err := enroll.ParseZone(d.TimeZone)
	if newest == "" || err != nil {
		return 0, false
	}
	offset := newest.In(zone).Sub(at).Truncate(time.Second)
	stands := !d.MeasuredAt.IsZero() && at.Sub(d.MeasuredAt) < offsetLasts
	if !exact && stands && offset < d.ClockOffset {
		return 0, false
	}
	return offset, true
}

// heartbeatTime returns the time of the last line of rtstate, which access terminals
// send every few seconds.
func heartbeatTime(body []byte) enroll.WallTime {
	lines, err := splitLines(string(body))
	if err != nil || len(lines) == 0 {
		return ""
	}
	return readRecord(rowEvent, "", lines[len(lines)-1]).time()
}

// tellTime answers a device that asks for the time: access terminals in the packed form
// and GMT, with the zone beside it, others as RFC 3339.
func (h *Handler) tellTime(w http.ResponseWriter, r *http.Request, c call) {
	zone, err := enroll.ParseZone(c.device.TimeZone)
	if err != nil {
		h.refuse(w, c, "telling the time", err)
		return
	}
	if err := h.told(r, c); err != nil {
		h.refuse(w, c, "telling the time", err)
		return
	}
	local := c.at.In(zone)
	if c.path == "cdata" {
		answer(w, http.StatusOK, "Time="+local.Format(time.RFC3339))
		return
	}
	answer(w, http.StatusOK, "DateTime="+strconv.FormatInt(packTime(c.at.UTC()), 10)+",ServerTZ="+local.Format("-0700"))
}

// packTime returns what t's clock shows in the form of PUSH 3.x: seconds since 2000 in
// a calendar of 12 months of 31 days.
func packTime(t time.Time) int64 {
	days := (int64(t.Year()-2000)*12+int64(t.Month()-1))*31 + int64(t.Day()-1)
	return days*86400 + int64(t.Hour())*3600 + int64(t.Minute())*60 + int64(t.Second())
}

// unpackTime returns what packTime packed. A day that no month has becomes one of the
// next month, as [time.Date] reads it.
func unpackTime(packed int64) time.Time {
	days, seconds := packed/86400, int(packed%86400)
	months := days / 31
	return time.Date(2000+int(months/12), time.Month(months%12)+1, int(days%31)+1, 0, 0, seconds, 0, time.UTC)
}

// parseTime reads a device's time as text, or packed.
func parseTime(text string) (enroll.WallTime, error) {
	text = strings.TrimSpace(text)
	if packed, err := strconv.ParseUint(text, 10, 33); err == nil && packed > 0 {
		return enroll.WallTime(unpackTime(int64(packed)).Format(time.DateTime)), nil
	}
	return enroll.ParseWallTime(text)
}

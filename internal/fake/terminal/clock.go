package terminal

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const timeLayout = "2006-01-02 15:04:05"

// wallTime is what the terminal's clock shows.
func (t *Terminal) wallTime() string { return t.clock().Format(timeLayout) }

// clock returns the time of the terminal's clock in its zone.
func (t *Terminal) clock() time.Time {
	now, zone := t.cfg.Now(), t.zone()
	t.mu.Lock()
	offset := t.offset
	t.mu.Unlock()
	return now.Add(offset).In(zone)
}

// zone is the configured one, or what the gateway says. TimeZone counts hours up to 12
// and minutes beyond 60 (attendance manual); what lies between is not defined and taken
// for UTC. ServerTZ is such as +0530.
func (t *Terminal) zone() *time.Location {
	if t.cfg.Zone != nil {
		return t.cfg.Zone
	}
	if at, err := time.Parse("-0700", t.Setting("ServerTZ")); err == nil {
		_, seconds := at.Zone()
		return time.FixedZone("", seconds)
	}
	n, err := strconv.Atoi(t.Setting("TimeZone"))
	switch {
	case err != nil:
	case -12 <= n && n <= 12:
		return time.FixedZone("", n*3600)
	case n <= -60 || n >= 60:
		return time.FixedZone("", n*60)
	}
	return time.UTC
}

// askTime asks the gateway for its time and zone, as terminals of PUSH 3.x do. This one
// takes the zone only: its clock is right, or off on purpose.
func (t *Terminal) askTime(ctx context.Context) error {
	answer, err := t.do(ctx, request{method: http.MethodGet, path: "rtdata", query: []pair{{"type", "time"}}})
	if err != nil {
		return err
	}
	told := make(map[string]string)
	for part := range strings.SplitSeq(strings.TrimSpace(answer), ",") {
		key, value, _ := strings.Cut(part, "=")
		told[key] = value
	}
	if _, ok := unpackTime(told["DateTime"]); !ok {
		return &AnswerError{Path: "rtdata", Status: http.StatusOK}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settings["ServerTZ"] = told["ServerTZ"]
	return nil
}

// setClock sets the clock to a packed wall time.
func (t *Terminal) setClock(packed string) bool {
	to, ok := unpackTime(packed)
	if !ok {
		return false
	}
	now := t.cfg.Now()
	_, seconds := now.In(t.zone()).Zone()
	offset := to.Sub(now.UTC().Add(time.Duration(seconds) * time.Second)).Truncate(time.Second)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.offset = offset
	return true
}

// unpackTime reads the time format of PUSH 3.x, in which every month has 31 days.
func unpackTime(text string) (time.Time, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return time.Time{}, false
	}
	days, rest := n/86_400, n%86_400
	return time.Date(2000+int(days/(12*31)), time.Month(1+days/31%12), 1+int(days%31), int(rest/3600), int(rest/60%60), int(rest%60), 0, time.UTC), true
}

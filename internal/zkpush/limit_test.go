package zkpush

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

func TestAck_ChangesItsFormForADeviceThatRepeats(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, url, first, other string }{
		{"a table of PUSH 2.x", "/iclock/cdata?SN=A1&table=OPERLOG", "OK: 1", "OK"},
		{"rows with a count", "/iclock/cdata?SN=A1&table=tabledata&tablename=user&count=1", "user=1", "OK"},
		{"rows without a count", "/iclock/cdata?SN=A1&table=tabledata&tablename=user", "OK", "user=1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, _, _ := newHandler(t)
			now := h.now()
			h.now = func() time.Time { return now }
			post := func(serial, body, want string) {
				t.Helper()
				checkAnswer(t, send(h, "POST", strings.Replace(tt.url, "A1", serial, 1), body), 200, want)
			}
			for range 5 {
				post("SLOW", "user pin=1", tt.first) // as a list that comes at each reconnection
				now = now.Add(sameWithin)
			}
			post("A1", "user pin=1", tt.first)
			post("A1", "user pin=1", tt.first)
			post("A1", "user pin=1", tt.other)
			now = now.Add(time.Hour)
			post("A1", "user pin=2", tt.other) // remembered
			post("A1", "user pin=2", tt.other)
			post("A1", "user pin=2", tt.first) // that form was not it either
			post("A2", "user pin=2", tt.first)
		})
	}
	t.Run("heartbeats and other bodies are no repeats", func(t *testing.T) {
		t.Parallel()
		h, _, _ := newHandler(t)
		for i := range 5 {
			checkAnswer(t, send(h, "POST", "/iclock/cdata?SN=A1&table=OPERLOG", ""), 200, "OK: 1")
			checkAnswer(t, send(h, "POST", "/iclock/cdata?SN=A1&table=OPERLOG", fmt.Sprintf("USER PIN=%d", i)), 200, "OK: 1")
			query := fmt.Sprintf("/iclock/querydata?SN=A1&type=tabledata&tablename=user&count=1&cmdid=%d", i)
			checkAnswer(t, send(h, "POST", query, "user pin=1"), 200, "user=1")
		}
	})
	t.Run("what is not committed is not counted", func(t *testing.T) {
		t.Parallel()
		h, sink, _ := newHandler(t)
		sink.acceptErr = errors.New("disk full")
		for range 5 {
			send(h, "POST", "/iclock/cdata?SN=A1&table=OPERLOG", userLine)
		}
		sink.acceptErr = nil
		checkAnswer(t, send(h, "POST", "/iclock/cdata?SN=A1&table=OPERLOG", userLine), 200, "OK: 1")
	})
}

func TestHabits_RememberABoundedNumberOfTables(t *testing.T) {
	t.Parallel()
	h, now := newHabits(), time.Date(2026, 9, 28, 10, 0, 0, 0, time.UTC)
	for i := range 2 * maxTables {
		h.choose("A1", fmt.Sprint(i), sha256.Sum256(nil), now)
	}
	if got := len(h.devices["A1"]); got != maxTables {
		t.Errorf("got %d tables, want %d", got, maxTables)
	}
	h.choose("A1", "late", sha256.Sum256(nil), now.Add(sameWithin+time.Second))
	if got := len(h.devices["A1"]); got != 1 {
		t.Errorf("got %d tables, want one: the others taught nothing", got)
	}
}

func TestAllowFrom(t *testing.T) {
	t.Parallel()
	h, sink, log := newHandler(t)
	now := h.now()
	h.now = func() time.Time { return now }
	h.proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	sink.device.AllowFrom = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("fd00::/8")}
	call := func(remote, forwarded string, status int) {
		t.Helper()
		r := httptest.NewRequest("GET", "/iclock/ping?SN=A1", nil)
		r.RemoteAddr = remote
		r.Header.Set("X-Forwarded-For", forwarded)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != status {
			t.Errorf("%s forwarded for %q: got %d, want %d", remote, forwarded, w.Code, status)
		}
	}
	call("192.0.2.9:1", "", 200)
	call("[fd00::1]:1", "", 200)
	call("[::ffff:192.0.2.9]:1", "", 200)
	call("10.1.2.3:1", "203.0.113.5, 192.0.2.9", 200)
	call("10.1.2.3:1", "192.0.2.9, 10.9.9.9", 200)
	if log.Len() > 0 && strings.Contains(log.String(), "outside") {
		t.Errorf("got %q, want no complaint", log)
	}
	call("10.1.2.3:1", "192.0.2.9, 203.0.113.5", 403)
	call("10.1.2.3:1", "nonsense", 403)
	call("203.0.113.5:1", "192.0.2.9", 403) // no proxy of ours: anybody can write the header
	call("unix", "", 403)
	if got := strings.Count(log.String(), "outside its networks"); got != 1 {
		t.Errorf("got %d lines in the log, want one a minute", got)
	}
	now = now.Add(outsideEvery)
	call("203.0.113.5:1", "", 403)
	if got := strings.Count(log.String(), "outside its networks"); got != 2 {
		t.Errorf("got %d lines in the log, want two", got)
	}
	checkAnswer(t, send(h, "GET", "/iclock/ping?SN=A1", ""), 200, "OK")
	sink.device.AllowFrom = nil
	call("203.0.113.5:1", "", 200)
}

func TestBudget(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := newBudget()
	b.wait = time.Millisecond
	greedy := b.hold("A1")
	if err := greedy.forReading(ctx, maxReading); err != nil {
		t.Fatal(err)
	}
	again := b.hold("A1")
	if err := again.forReading(ctx, 1); !errors.Is(err, errFull) {
		t.Errorf("got %v, want errFull: a device has a share", err)
	}
	other := b.hold("A2")
	if err := other.forReading(ctx, 1); err != nil {
		t.Errorf("got %v, want nil: others have theirs", err)
	}
	if err := greedy.forParsing(ctx, maxMemory-maxReading-1); err != nil {
		t.Error(err)
	}
	if err := other.forReading(ctx, 1); !errors.Is(err, errFull) {
		t.Errorf("got %v, want errFull: all is taken", err)
	}
	if err := other.forParsing(ctx, 1); !errors.Is(err, errFull) {
		t.Errorf("got %v, want errFull: all is taken", err)
	}
	if err := greedy.forParsing(ctx, 1); err != nil {
		t.Error(err)
	}
	if err := other.forReading(ctx, 1); err != nil {
		t.Errorf("got %v, want nil: it was given back", err)
	}
	for _, h := range []*hold{greedy, again, other} {
		h.release()
	}
	if len(b.reading) > 0 || !b.all.TryAcquire(maxMemory) {
		t.Errorf("got %v still read, want all given back", b.reading)
	}
}

func TestBody_WithoutMemoryIsToldToComeAgain(t *testing.T) {
	t.Parallel()
	h, sink, _ := newHandler(t)
	h.budget.wait = time.Millisecond
	if !h.budget.all.TryAcquire(maxMemory) {
		t.Fatal("memory is taken")
	}
	post := func(encoding, query, body string) {
		t.Helper()
		r := httptest.NewRequest("POST", "/iclock/"+query, strings.NewReader(body))
		r.Header.Set("Content-Encoding", encoding)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		checkAnswer(t, w, 503, "try again")
	}
	post("", "cdata?SN=A1&table=OPERLOG", userLine)
	h.budget.all.Release(64 << 10) // enough to read, not to unpack or parse
	post("gzip", "cdata?SN=A1&table=OPERLOG", string(gzipped(t, []byte(userLine))))
	post("", "cdata?SN=A1&table=OPERLOG", userLine)
	h.budget.all.Release(100)
	post("", "querydata?SN=A1&type=tabledata&tablename=user&packcnt=2&packidx=1", strings.Repeat("x", 60))
	if len(sink.uploads) > 0 {
		t.Errorf("got %d uploads, want none", len(sink.uploads))
	}
}

// slowWriter knows deadlines, as a connection does.
type slowWriter struct {
	*httptest.ResponseRecorder
	deadlines []time.Time
}

func (s *slowWriter) SetReadDeadline(at time.Time) error {
	s.deadlines = append(s.deadlines, at)
	return nil
}

func TestBody_DeadlineMovesWithItsBytes(t *testing.T) {
	t.Parallel()
	h, _, _ := newHandler(t)
	w := &slowWriter{ResponseRecorder: httptest.NewRecorder()}
	first, second := bytes.Repeat([]byte("x"), 400), bytes.Repeat([]byte("y"), 100)
	began := time.Now()
	h.ServeHTTP(w, httptest.NewRequest("POST", "/iclock/cdata?SN=A1&table=OPERLOG", io.MultiReader(bytes.NewReader(first), bytes.NewReader(second))))
	ended := time.Now()
	if len(w.deadlines) < 3 {
		t.Fatalf("got %d deadlines, want one a read and an end", len(w.deadlines))
	}
	for i, bytesBefore := range []int{0, 400, 500} {
		least := began.Add(slowStart + time.Duration(bytesBefore)*time.Second/minRate)
		if at := w.deadlines[i]; at.Before(least) || at.After(least.Add(ended.Sub(began))) {
			t.Errorf("deadline after %d bytes: got %v after the start, want %v", bytesBefore, at.Sub(began), least.Sub(began))
		}
	}
	if last := w.deadlines[len(w.deadlines)-1]; !last.IsZero() {
		t.Errorf("got deadline %v after the body, want none", last)
	}
}

func TestClockOffset(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 9, 28, 10, 0, 0, 0, time.UTC) // 15:30 in India
	measured := func(ago, offset time.Duration) enroll.Sighting {
		return enroll.Sighting{MeasuredAt: at.Add(-ago), ClockOffset: offset}
	}
	const no = time.Duration(1)
	tests := []struct {
		name   string
		known  enroll.Sighting
		newest enroll.WallTime
		exact  bool
		want   time.Duration
	}{
		{"right", enroll.Sighting{}, "2026-09-28 15:30:00", false, 0},
		{"ahead", enroll.Sighting{}, "2026-09-28 16:30:00", false, time.Hour},
		{"the first counts, though the record may be late", enroll.Sighting{}, "2026-09-28 10:00:00", false, -5*time.Hour - 30*time.Minute},
		{"a late record does not undo what was measured", measured(time.Minute, -3*time.Second), "2026-09-28 10:00:00", false, no},
		{"a greater one counts", measured(time.Minute, -time.Hour), "2026-09-28 15:29:58", false, -2 * time.Second},
		{"an old measure is replaced", measured(offsetLasts, 0), "2026-09-28 14:30:00", false, -time.Hour},
		{"a heartbeat is right", measured(time.Minute, 0), "2026-09-28 14:30:00", true, -time.Hour},
		{"no time", enroll.Sighting{}, "", true, no},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := clockOffset(enroll.Device{TimeZone: "Asia/Kolkata", Sighting: tt.known}, tt.newest, tt.exact, at)
			if ok != (tt.want != no) || ok && got != tt.want {
				t.Errorf("got %v, %v, want %v", got, ok, tt.want)
			}
		})
	}
}

func TestClock_IsMeasuredAtUploads(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, url, body string
		measured        bool
	}{
		{"by an entry of the operation log that reports nothing", "cdata?SN=A1&table=OPERLOG", "OPLOG 4\t0\t2026-09-28 15:31:00\t0", true},
		{"by a punch", "cdata?SN=A1&table=ATTLOG", "1\t2026-09-28 15:30:00\t0\t1\n1\t2026-09-28 15:31:00\t0\t1", true},
		{"by a punch with keys", "cdata?SN=A1&table=ATTLOG", "PIN=1\tTime=2026-09-28 15:31:00", true},
		{"by an event", "cdata?SN=A1&table=rtlog", "time=2026-09-28 15:31:00\tpin=0\tevent=0", true},
		{"by a heartbeat", "cdata?SN=A1&table=rtstate", "time=2026-09-28 15:31:00\tsensor=00\trelay=00\talarm=0000000000000000\n", true},
		{"not by an empty heartbeat", "cdata?SN=A1&table=rtstate", "", false},
		{"not by four punches", "cdata?SN=A1&table=ATTLOG", strings.Repeat("1\t2026-09-28 15:31:00\t0\t1\n", 4), false},
		{"not by what was asked for", "cdata?SN=A1&table=ATTLOG&CmdId=9", "1\t2026-09-28 15:31:00\t0\t1", false},
		{"not by a user", "cdata?SN=A1&table=OPERLOG", userLine, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, sink, _ := newHandler(t)
			send(h, "POST", "/iclock/"+tt.url, tt.body)
			last := sink.sightings[len(sink.sightings)-1]
			if got := !last.MeasuredAt.IsZero(); got != tt.measured || got && last.ClockOffset != time.Minute {
				t.Errorf("got %v measured at %v, want %v and a minute", last.ClockOffset, last.MeasuredAt, tt.measured)
			}
		})
	}
}

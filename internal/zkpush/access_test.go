package zkpush

import (
	"strings"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

func TestFamily(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, method, url string
		kept, told, want  enroll.Family
	}{
		{"DeviceType=acc in any case", "GET", "/iclock/cdata?SN=A1&options=all&devicetype=ACC", "", enroll.Access, enroll.Access},
		{"DeviceType=att although the version is 3", "GET", "/iclock/cdata?SN=A1&options=all&pushver=3.1.2&DeviceType=att", "", enroll.Attendance, enroll.Attendance},
		{"any other DeviceType", "GET", "/iclock/cdata?SN=A1&options=all&DeviceType=middle%20east", "", enroll.Attendance, enroll.Attendance},
		{"a later signal changes what is kept", "GET", "/iclock/cdata?SN=A1&options=all&DeviceType=att", enroll.Access, enroll.Attendance, enroll.Attendance},
		{"what is kept counts without a signal", "GET", "/iclock/cdata?SN=A1&options=all&DeviceType=", enroll.Access, "", enroll.Access},
		{"nothing known is attendance", "GET", "/iclock/cdata?SN=A1&options=all&pushver=3.1.2", "", "", enroll.Attendance},
		{"a registration", "POST", "/iclock/registry?SN=A1", "", enroll.Access, enroll.Access},
		{"a request for settings", "POST", "/iclock/push?SN=A1", enroll.Attendance, enroll.Access, enroll.Access},
		{"a look at the path of settings tells nothing", "GET", "/iclock/push?SN=A1", "", "", enroll.Attendance},
		{"an event", "POST", "/iclock/cdata?SN=A1&table=RTLOG", "", enroll.Access, enroll.Access},
		{"a heartbeat", "POST", "/iclock/cdata?SN=A1&table=rtstate", "", enroll.Access, enroll.Access},
		{"a row", "POST", "/iclock/cdata?SN=A1&table=tabledata&tablename=user", "", enroll.Access, enroll.Access},
		{"a record of PUSH 2.x says nothing of the device", "POST", "/iclock/cdata?SN=A1&table=OPERLOG", enroll.Access, "", enroll.Access},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, sink, _ := newHandler(t)
			sink.device.Family = tt.kept
			send(h, tt.method, tt.url, "")
			if got := sink.sightings[0].Family; got != tt.told {
				t.Errorf("told: got %q, want %q", got, tt.told)
			}
			_, query, _ := strings.Cut(tt.url, "?")
			path, _, _ := strings.Cut(tt.url, "?")
			c := call{path: route(path), query: parseQuery(query), asks: tt.method == "GET", device: sink.device}
			if got := c.family(); got != tt.want {
				t.Errorf("family: got %q, want %q", got, tt.want)
			}
		})
	}
	t.Run("an access terminal's records in the form of PUSH 2.x are read as such", func(t *testing.T) {
		t.Parallel()
		h, sink, _ := newHandler(t)
		sink.device.Family = enroll.Access
		checkAnswer(t, send(h, "POST", "/iclock/cdata?SN=A1&table=OPERLOG", "USER PIN=1\tName="), 200, "OK: 1")
		if got, want := describe(sink.uploads[0].Reports[0]), `user "1" name="" last=nil privilege=nil password=nil card=nil second=nil`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestAccess_Connecting(t *testing.T) {
	t.Parallel()
	h, sink, _ := newHandler(t)
	code := h.registration("A1")
	handshake := send(h, "GET", "/iclock/cdata?SN=A1&options=all&DeviceType=acc", "").Body.String()
	block, ok := strings.CutPrefix(handshake, "registry=ok\n")
	if !ok || !strings.HasPrefix(block, code+"\nServerVersion=3.0.1\n") || !strings.Contains(block, "\nRequestDelay=10\n") {
		t.Errorf("got %q, want the whole block", handshake)
	}
	checkAnswer(t, send(h, "POST", "/iclock/registry?SN=A1", "DeviceType=acc,~DeviceName=X,FirmVer=Ver 8"), 200, code)
	checkAnswer(t, send(h, "GET", "/iclock/registry?SN=A1", ""), 200, code)
	checkAnswer(t, send(h, "POST", "/iclock/push?SN=A1", ""), 200, block)
	checkAnswer(t, send(h, "GET", "/iclock/push?SN=A1", ""), 200, block)
	if len(sink.uploads) > 0 {
		t.Errorf("got %d uploads, want none", len(sink.uploads))
	}
	if got := sink.sightings[2].Firmware; got != "Ver 8" {
		t.Errorf("firmware: got %q, want Ver 8", got)
	}
	other := send(h, "POST", "/iclock/push?SN=A2", "").Body.String()
	for _, key := range []string{"RegistryCode=", "SessionID="} {
		mine, its := valueOf(block, key), valueOf(other, key)
		if mine == its || mine == "" || len(mine) > 32 {
			t.Errorf("%s got %q and %q of another device, want two texts of up to 32 characters", key, mine, its)
		}
	}
	if got := len(valueOf(block, "SessionID=")); got != 32 {
		t.Errorf("SessionID: got %d characters, want 32", got)
	}
	sink.pending = true
	checkAnswer(t, send(h, "GET", "/iclock/cdata?SN=A1&options=all&DeviceType=acc", ""), 200, "OK")
}

func valueOf(block, key string) string {
	_, rest, _ := strings.Cut(block, key)
	value, _, _ := strings.Cut(rest, "\n")
	return value
}

func TestTime(t *testing.T) {
	t.Parallel()
	h, sink, _ := newHandler(t)
	checkAnswer(t, send(h, "GET", "/iclock/rtdata?SN=A1&type=time", ""), 200, "DateTime=859456800,ServerTZ=+0530")
	checkAnswer(t, send(h, "GET", "/iclock/cdata?SN=A1&type=time", ""), 200, "Time=2026-09-28T15:30:00+05:30")
	sink.device.TimeZone = "Nowhere/Atlantis"
	checkAnswer(t, send(h, "GET", "/iclock/rtdata?SN=A1&type=time", ""), 503, "try again")
	// The manual's example, 583050990, is 2018-02-22 06:36:30 by its own formula.
	if got, want := unpackTime(583050990), time.Date(2018, 2, 22, 6, 36, 30, 0, time.UTC); !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, at := range []time.Time{time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC)} {
		if got := unpackTime(packTime(at)); !got.Equal(at) {
			t.Errorf("got %v, want %v", got, at)
		}
	}
}

func TestQueryData_PartsAreJoined(t *testing.T) {
	t.Parallel()
	h, sink, _ := newHandler(t)
	part := func(query, body, ack string) {
		t.Helper()
		checkAnswer(t, send(h, "POST", "/iclock/querydata?SN=A1&type=tabledata&cmdid=7&tablename=user&"+query, body), 200, ack)
	}
	part("count=2&packcnt=2&packidx=2", "name=Bo\r\n", "user=2")
	if len(sink.uploads) > 0 {
		t.Fatal("a part was taken for the whole")
	}
	part("count=2&packcnt=2&packidx=1", "user pin=1\tname=Al\r\nuser pin=2\t", "user=2")
	if len(sink.uploads) != 1 || sink.uploads[0].Order != "7" || sink.uploads[0].Table != "user" {
		t.Fatalf("got %+v, want one upload of order 7", sink.uploads)
	}
	if got, want := describeList(sink.uploads[0].Reports), describeAll(t, rowUser, "", "user pin=1\tname=Al\nuser pin=2\tname=Bo"); got != strings.Join(want, "\n")+"\n" {
		t.Errorf("got %s, want %s", got, want)
	}
	part("count=1&packcnt=1&packidx=1", "user pin=3", "user=1")
	part("count=1&packcnt=2&packidx=3", "user pin=4", "user=1")
	part("count=1&packcnt=99999&packidx=1", "user pin=5", "user=1")
	part("packcnt=x", "user pin=6", "OK")
	if got := len(sink.uploads); got != 5 {
		t.Errorf("got %d uploads, want 5: what is no part is read by itself", got)
	}
	w := send(h, "POST", "/iclock/querydata?SN=A1&type=tabledata&tablename=user&count=1", "user pin=9")
	if got := w.Header().Get("Connection"); got != "close" {
		t.Errorf("Connection: got %q, want close", got)
	}
	sink.orderErr = enroll.ErrBusy
	checkAnswer(t, send(h, "POST", "/iclock/querydata?SN=A1&type=tabledata&tablename=user&packcnt=2&packidx=1", "x"), 503, "try again")
}

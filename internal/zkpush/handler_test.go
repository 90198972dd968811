package zkpush

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

const userLine = "USER PIN=1\tName=Ali\tPri=0\tPasswd=secretword\tCard="

func TestNew_RefusesToWorkWithoutSinkAndHash(t *testing.T) {
	t.Parallel()
	for _, c := range []Config{{}, {Sink: &memory{}}, {Hash: hashForTest}} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v: got no error, want one", c)
		}
	}
	h, err := New(Config{Sink: &memory{}, Hash: hashForTest})
	if err != nil {
		t.Fatal(err)
	}
	checkAnswer(t, send(h, "GET", "/iclock/ping?SN=A1", ""), 200, "OK")
}

func TestPaths(t *testing.T) {
	t.Parallel()
	h, sink, _ := newHandler(t)
	for _, path := range []string{
		"/iclock/cdata", "/iclock/cdata.aspx", "/iclock/iclock/cdata", "/iclock/cdata/",
		"/ICLOCK/CData.ASPX", "//iclock//cdata", "/cdata",
	} {
		t.Run("handshake at "+path, func(t *testing.T) {
			w := send(h, "GET", path+"?options=all&sn=A1", "")
			if got, want := w.Body.String(), "GET OPTION FROM: A1\n"; w.Code != 200 || !strings.HasPrefix(got, want) {
				t.Errorf("got %d %q, want 200 %q…", w.Code, got, want)
			}
		})
		t.Run("upload at "+path, func(t *testing.T) {
			before := len(sink.uploads)
			checkAnswer(t, send(h, "POST", path+"?sn=A1&TABLE=operlog", userLine+path), 200, "OK: 1")
			if got := len(sink.uploads) - before; got != 1 {
				t.Errorf("got %d uploads, want 1", got)
			}
		})
	}
	for _, url := range []string{
		"/iclock/getrequest?SN=A1", "/iclock/getreq?SN=A1", "/iclock/ping?SN=A1", "/iclock/service/control?SN=A1",
		"/iclock/test?SN=A1", "/iclock/rtdata?SN=A1", "/iclock/cdata?SN=A1&table=RemoteAtt&PIN=1",
		"/iclock/cdata?SN=A1&AuthType=device", "/?SN=A1",
	} {
		t.Run("OK to a question without an answer: "+url, func(t *testing.T) {
			checkAnswer(t, send(h, "GET", url, ""), 200, "OK")
		})
	}
}

func TestGreeting(t *testing.T) {
	t.Parallel()
	h, sink, _ := newHandler(t)
	for remote, want := range map[string]string{
		"192.0.2.7:4711":          "192.0.2.7",
		"[::ffff:192.0.2.7]:4711": "192.0.2.7",
		"[fe80::1%eth0]:80":       "fe80::1",
		"phone.local:80":          "phone.local",
		"@":                       "@",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = remote
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		checkAnswer(t, w, 200, "Fingerpost reached from "+want)
	}
	if len(sink.sightings) > 0 {
		t.Errorf("got %d devices seen, want none", len(sink.sightings))
	}
}

func TestSerial_MissingOrBadIs400(t *testing.T) {
	t.Parallel()
	h, sink, _ := newHandler(t)
	for _, url := range []string{"/iclock/cdata", "/iclock/cdata?SN=", "/iclock/cdata?SN=../../etc", "/iclock/ping?SN=a%0ab", "/favicon.ico"} {
		w := send(h, "GET", url, "")
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "SN") {
			t.Errorf("%s: got %d %q, want 400 and words about SN", url, w.Code, w.Body)
		}
	}
	if len(sink.sightings) > 0 {
		t.Errorf("got %d devices seen, want none", len(sink.sightings))
	}
}

func TestAnswer_HeadersAreWhatDevicesRead(t *testing.T) {
	t.Parallel()
	h, _, _ := newHandler(t)
	server := httptest.NewServer(h)
	defer server.Close()
	response, err := server.Client().Get(server.URL + "/iclock/getrequest?SN=A1")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(body); got != "OK" {
		t.Errorf("body: got %q, want OK without a line break", got)
	}
	if got := response.Header.Get("Content-Type"); got != "text/plain" {
		t.Errorf("Content-Type: got %q, want text/plain", got)
	}
	if response.ContentLength != 2 {
		t.Errorf("Content-Length: got %d, want 2", response.ContentLength)
	}
	if _, err := time.Parse(http.TimeFormat, response.Header.Get("Date")); err != nil {
		t.Errorf("Date: %v", err)
	}
}

func TestPending_GetsNoInitBlockAndNothingIsKept(t *testing.T) {
	t.Parallel()
	h, sink, _ := newHandler(t)
	sink.pending = true
	tests := []struct {
		method, url string
		status      int
	}{
		{"GET", "/iclock/cdata?SN=A1&options=all", 200},
		{"GET", "/iclock/getrequest?SN=A1", 200},
		{"POST", "/iclock/getrequest?SN=A1", 200},
		{"GET", "/iclock/ping?SN=A1", 200},
		{"POST", "/iclock/devicecmd?SN=A1", 200},
		{"GET", "/iclock/nonsense?SN=A1", 200},
		{"POST", "/iclock/registry?SN=A1", 406},
		{"POST", "/iclock/exchange?SN=A1&type=publickey", 404},
		{"POST", "/iclock/cdata?SN=A1&table=OPERLOG", 403},
		{"POST", "/iclock/cdata?SN=A1&table=options", 403},
		{"POST", "/iclock/cdata?SN=A1&table=ATTLOG", 403},
		{"POST", "/iclock/querydata?SN=A1&type=tabledata&tablename=user&count=1", 403},
		{"POST", "/iclock/fdata?SN=A1", 403},
		{"POST", "/iclock/push?SN=A1", 403},
		{"POST", "/iclock/cdata?SN=A1&AuthType=device", 403},
		{"GET", "/iclock/push?SN=A1", 200},
		{"GET", "/iclock/cdata?SN=A1&options=all&DeviceType=acc", 200},
		{"GET", "/iclock/rtdata?SN=A1&type=time", 200},
		{"POST", "/iclock/nonsense?SN=A1", 403},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.url, func(t *testing.T) {
			w := send(h, tt.method, tt.url, userLine)
			if w.Code != tt.status || tt.status == 200 && w.Body.String() != "OK" {
				t.Errorf("got %d %q, want %d", w.Code, w.Body, tt.status)
			}
		})
	}
	if len(sink.uploads) > 0 {
		t.Errorf("got %d uploads, want none", len(sink.uploads))
	}
}

func TestSink_DecidesTheAnswer(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		err    error
		status int
		body   string
	}{
		{"committed is acknowledged", nil, 200, "OK: 1"},
		{"removed in the meantime is forbidden", fmt.Errorf("x: %w", enroll.ErrUnknownDevice), 403, "this terminal is not approved"},
		{"busy is told to come again", fmt.Errorf("x: %w", enroll.ErrBusy), 503, "try again"},
		{"a store that fails too", errors.New("disk full"), 503, "try again"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, sink, log := newHandler(t)
			sink.acceptErr = tt.err
			checkAnswer(t, send(h, "POST", "/iclock/cdata?SN=A1&table=OPERLOG", userLine), tt.status, tt.body)
			want := map[bool]int{true: 1, false: 0}[tt.status == 503]
			if got := strings.Count(log.String(), "level=ERROR"); got != want {
				t.Errorf("got %d errors in the log, want %d: %q", got, want, log)
			}
			if strings.Contains(log.String(), "secretword") {
				t.Error("the log has a password")
			}
		})
	}
	t.Run("a store that cannot tell devices refuses everything", func(t *testing.T) {
		t.Parallel()
		h, sink, _ := newHandler(t)
		sink.seenErr = errors.New("disk full")
		for _, method := range []string{"GET", "POST"} {
			checkAnswer(t, send(h, method, "/iclock/cdata?SN=A1&table=OPERLOG", userLine), 503, "try again")
		}
		if len(sink.uploads) > 0 {
			t.Error("an upload was kept")
		}
	})
}

// ackRecorder notes what was already committed when the answer began.
type ackRecorder struct {
	*httptest.ResponseRecorder
	began func()
}

func (a ackRecorder) WriteHeader(status int) {
	a.began()
	a.ResponseRecorder.WriteHeader(status)
}

func TestAck_ComesAfterCommit(t *testing.T) {
	t.Parallel()
	h, sink, _ := newHandler(t)
	var order []string
	sink.committed = func() { order = append(order, "commit") }
	w := ackRecorder{httptest.NewRecorder(), func() { order = append(order, "ack") }}
	h.ServeHTTP(w, httptest.NewRequest("POST", "/iclock/cdata?SN=A1&table=OPERLOG", strings.NewReader(userLine)))
	if got, want := strings.Join(order, " "), "commit ack"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAcks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, url, body, ack string
		uploads              int
	}{
		{"an empty heartbeat counts as one", "/iclock/cdata?SN=A1&table=OPERLOG", "", "OK: 1", 0},
		{"duplicates and nonsense count", "/iclock/cdata?SN=A1&table=OPERLOG", userLine + "\n" + userLine + "\r\n\r\nnonsense\n\x00", "OK: 3", 1},
		{"device-only operations are understood and need no commit", "/iclock/cdata?SN=A1&table=OPERLOG", "OPLOG 4\t0\t2026-01-01 00:00:00\t0\t0\t0\t0", "OK: 1", 0},
		{"an unknown table is kept and counted", "/iclock/cdata?SN=A1&table=NEWTABLE", "a\nb\n", "OK: 2", 1},
		{"an unknown table with a picture", "/iclock/cdata?SN=A1&table=NEWTABLE", "\xff\xd8\x00\x01", "OK: 1", 1},
		{"no table at all", "/iclock/cdata?SN=A1", "a\n", "OK: 1", 1},
		{"the answer to a command on the path of uploads", "/iclock/cdata?SN=A1", "ID=1&Return=0&CMD=DATA\n", "OK", 0},
		{"a picture at a punch", "/iclock/fdata?SN=A1", "PIN=1.jpg\nCMD=uploadphoto\x00\xff\xd8", "OK", 1},
		{"a picture at a punch as a table", "/iclock/cdata?SN=A1&table=attphoto", "PIN=1.jpg\nCMD=uploadphoto\x00\xff\xd8", "OK", 1},
		{"options", "/iclock/cdata?SN=A1&table=options", "~DeviceName=X", "OK", 0},
		{"an unknown path", "/iclock/edge/thing?SN=A1", "a=b", "OK", 1},
		{"an unknown path without a body", "/iclock/ping?SN=A1", "", "OK", 0},
		{"a count of the device's own", "/iclock/cdata?SN=A1&table=tabledata&tablename=user&count=7", "user pin=1", "user=7", 1},
		{"no count of its own", "/iclock/cdata?SN=A1&table=tabledata&tablename=user", "user pin=1", "OK", 1},
		{"a count that is none", "/iclock/cdata?SN=A1&table=tabledata&tablename=user&count=x", "user pin=1", "OK", 1},
		{"a table name that is none is not echoed", "/iclock/cdata?SN=A1&table=tabledata&tablename=%3Cb%3E&count=1", "user pin=1", "OK", 1},
		{"a type told twice", "/iclock/querydata?SN=A1&type=tabledata&type=tabledata&tablename=user&count=1", "user pin=1", "user=1", 1},
		{"a count query", "/iclock/querydata?SN=A1&type=count&tablename=user&count=1", "user=1", "OK", 0},
		{"options that were asked for", "/iclock/querydata?SN=A1&type=options", "~DeviceName=X,FWVersion=1", "OK", 0},
		{"a query of another type", "/iclock/querydata?SN=A1&type=new", "x", "OK", 1},
		{"a template enrolled by order", "/iclock/cdata?SN=A1&type=BioData", "TYPE=1\tPIN=1\tNO=6\tTMP=QUJD", "OK", 1},
		{"enrolment at an access terminal", "/iclock/cdata?SN=A1&type=EnrollInfoData", "x", "OK", 1},
		{"events of an access terminal", "/iclock/cdata?SN=A1&table=rtlog", "pin=1\tevent=0\ttime=x", "OK", 1},
		{"events that concern the device alone", "/iclock/cdata?SN=A1&table=rtlog", "time=2026-01-02 03:04:05\tpin=0\tevent=0\tindex=1", "OK", 0},
		{"pictures of an access terminal", "/iclock/cdata?SN=A1&table=tabledata&tablename=ATTPHOTO&count=1", "pin=1-2.jpg\tphoto=QUJD", "ATTPHOTO=1", 1},
		{"rows of an unknown table", "/iclock/cdata?SN=A1&table=tabledata&tablename=timezone&count=2", "a\nb", "timezone=2", 1},
		{"rows without a table", "/iclock/cdata?SN=A1&table=tabledata&count=2", "a\nb", "OK", 1},
		{"a door that asks the server gets no decision", "/iclock/cdata?SN=A1&AuthType=device", "pin=1\tevent=0", "AUTH=TIMEOUT", 0},
		{"a device's own error log", "/iclock/cdata?SN=A1&table=tabledata&tablename=errorlog&count=1", "errorlog errcode=D01E0001", "errorlog=1", 1},
		{"heartbeats of an access terminal are not kept", "/iclock/cdata?SN=A1&table=rtstate", "time=1", "OK", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, sink, _ := newHandler(t)
			checkAnswer(t, send(h, "POST", tt.url, tt.body), 200, tt.ack)
			if got := len(sink.uploads); got != tt.uploads {
				t.Errorf("got %d uploads, want %d", got, tt.uploads)
			}
		})
	}
}

func TestForeignTable_IsKeptWholeAndEachLineUnread(t *testing.T) {
	t.Parallel()
	h, sink, _ := newHandler(t)
	body := "user pin=1\tname=A\r\nuser pin=2\tname=B\r\n"
	send(h, "POST", "/iclock/cdata?SN=A1&table=tabledata&tablename=holiday&count=2", body)
	u := sink.uploads[0]
	if u.Table != "holiday" || string(u.Raw) != body || len(u.Reports) != 2 {
		t.Fatalf("got table %q, %d bytes raw, %d reports, want holiday, %d, 2", u.Table, len(u.Raw), len(u.Reports), len(body))
	}
	if got, want := string(u.Reports[1].(enroll.UnreadReport).Line), "user pin=2\tname=B\r"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestExchange_IsRefusedAndTheNextHandshakeOffersNoEncryption(t *testing.T) {
	t.Parallel()
	h, _, log := newHandler(t)
	handshake := func() string { return send(h, "GET", "/iclock/cdata?SN=A1&options=all", "").Body.String() }
	if got := handshake(); !strings.Contains(got, "\nPushProtVer=2.4.1\n") {
		t.Errorf("got %q, want version 2.4.1", got)
	}
	checkAnswer(t, send(h, "POST", "/iclock/exchange?SN=A1&type=publickey", "P1"), 404, "no encryption here")
	if !strings.Contains(log.String(), "encryption") {
		t.Error("the log does not say so")
	}
	if got := handshake(); !strings.Contains(got, "\nPushProtVer=2.3.0\n") {
		t.Errorf("got %q, want version 2.3.0", got)
	}
}

func TestSightings(t *testing.T) {
	t.Parallel()
	h, sink, _ := newHandler(t)
	send(h, "GET", "/iclock/cdata?language=83&pushver=2.4.1%0d%0aX&SN=A1&options=all", "")
	send(h, "POST", "/iclock/cdata?SN=A1&table=options", "~OEMVendor=ZKTECO CO., LTD.,FWVersion=Ver 8.0,Language=69,~A=")
	want := []enroll.Sighting{
		{Protocol: "2.4.1X", Language: "83"},
		{Protocol: "2.4.1X", Language: "83", ToldAt: h.now(), ToldOffset: 5*time.Hour + 30*time.Minute}, // once it was answered
		{}, {Firmware: "Ver 8.0", Language: "69"},
	}
	if len(sink.sightings) != len(want) {
		t.Fatalf("got %d sightings, want %d", len(sink.sightings), len(want))
	}
	for i, s := range sink.sightings {
		want[i].SeenAt, want[i].Address = h.now(), "192.0.2.1"
		if s != want[i] {
			t.Errorf("sighting %d: got %+v, want %+v", i, s, want[i])
		}
	}
}

func TestHandshake_RefusesAZoneThatDoesNotLoad(t *testing.T) {
	t.Parallel()
	h, sink, _ := newHandler(t)
	sink.device.TimeZone = "Nowhere/Atlantis"
	checkAnswer(t, send(h, "GET", "/iclock/cdata?SN=A1&options=all", ""), 503, "try again")
}

func TestZoneOffset(t *testing.T) {
	t.Parallel()
	winter := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	summer := time.Date(2026, 7, 15, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		zone string
		at   time.Time
		want string
	}{
		{"Asia/Kolkata", winter, "330"}, {"Asia/Kathmandu", winter, "345"}, {"Asia/Riyadh", winter, "3"},
		{"Europe/Berlin", winter, "1"}, {"Europe/Berlin", summer, "2"}, {"UTC", winter, "0"},
		{"America/St_Johns", winter, "-210"}, {"Etc/GMT+12", winter, "-12"}, {"Pacific/Auckland", summer, "12"},
		{"Pacific/Auckland", winter, "780"}, {"Pacific/Kiritimati", winter, "840"},
	}
	for _, tt := range tests {
		zone, err := time.LoadLocation(tt.zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := zoneOffset(tt.at.In(zone)); got != tt.want {
			t.Errorf("%s at %v: got %s, want %s", tt.zone, tt.at, got, tt.want)
		}
	}
}

func TestInitBlock_FollowsTheDevicesSettings(t *testing.T) {
	t.Parallel()
	for poll, want := range map[time.Duration]string{
		0: "\nDelay=10\n", time.Millisecond: "\nDelay=2\n", 30 * time.Second: "\nDelay=30\n", time.Hour: "\nDelay=60\n",
	} {
		block, err := initBlock(enroll.Device{TimeZone: "UTC", Poll: poll}, "A1", ourVersion, time.Now())
		if err != nil || !strings.Contains(block, want) {
			t.Errorf("poll %v: got %q, %v, want %q in it", poll, block, err, want)
		}
	}
	if got := len(transFlag); got > 90 {
		t.Errorf("TransFlag has %d characters, want at most 90", got)
	}
}

func TestCommandAnswers_AreLoggedByIdReturnAndCommandAlone(t *testing.T) {
	t.Parallel()
	h, _, log := newHandler(t)
	checkAnswer(t, send(h, "POST", "/iclock/devicecmd?SN=A1", "ID=27\nSN=A1\nReturn=-12\nCMD=Shell\nFILENAME=x\nContent=secretword"), 200, "OK")
	if got := log.String(); !strings.Contains(got, "id=27 return=-12 cmd=Shell") || strings.Contains(got, "secretword") {
		t.Errorf("got %q", got)
	}
}

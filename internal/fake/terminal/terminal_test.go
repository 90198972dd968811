package terminal_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/fake/terminal"
)

func TestNew_RefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		config terminal.Config
	}{
		{"no gateway", terminal.Config{Serial: "S1"}},
		{"gateway without scheme", terminal.Config{Gateway: "127.0.0.1:8081", Serial: "S1"}},
		{"gateway of another scheme", terminal.Config{Gateway: "ftp://host", Serial: "S1"}},
		{"no serial", terminal.Config{Gateway: "http://host"}},
		{"blank in the serial", terminal.Config{Gateway: "http://host", Serial: "S 1"}},
		{"negative size", terminal.Config{Gateway: "http://host", Serial: "S1", PhotoBytes: -1}},
		{"picture larger than a JPEG can be", terminal.Config{Gateway: "http://host", Serial: "S1", PhotoWidth: 1 << 16}},
		{"unknown protocol", terminal.Config{Gateway: "http://host", Serial: "S1", Protocol: 4}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := terminal.New(tt.config); err == nil {
				t.Error("got no error, want one")
			}
		})
	}
}

func TestConnect(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	g.pending = 2
	var waits []error
	term := newTerminal(t, g, terminal.Config{OnWait: func(why error) { waits = append(waits, why) }})
	if err := term.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}

	handshake := "GET /iclock/cdata?SN=SIM0000000001&options=all&pushver=2.4.1&language=69&DeviceType=att&PushOptionsFlag=1"
	want := []string{handshake, handshake, handshake, "POST /iclock/cdata?SN=SIM0000000001&table=options"}
	if len(g.calls) != 5 || !reflect.DeepEqual(g.calls[:4], want) {
		t.Fatalf("got calls %q, want %q and a poll", g.calls, want)
	}
	if first := "GET /iclock/getrequest?SN=SIM0000000001&INFO="; !strings.HasPrefix(g.calls[4], first) {
		t.Errorf("got first poll %q, want it to begin %q", g.calls[4], first)
	}
	if len(waits) != 2 || !errors.Is(waits[0], terminal.ErrNotApproved) {
		t.Errorf("got waits %v, want two for want of approval", waits)
	}
	if !g.closing {
		t.Error("got a request that keeps its connection, want Connection: close as terminals send it")
	}
	if got, want := term.Setting("Delay"), "10"; got != want {
		t.Errorf("got Delay %q, want %q", got, want)
	}
}

func TestConnect_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	g.pending = 1 << 30
	ctx, cancel := context.WithCancel(t.Context())
	term := newTerminal(t, g, terminal.Config{OnWait: func(error) { cancel() }})
	err := term.Connect(ctx)
	if !errors.Is(err, context.Canceled) || !errors.Is(err, terminal.ErrNotApproved) {
		t.Errorf("got error %v, want the end of the context and the last failure", err)
	}
}

func TestUpload_IsAnErrorUnlessAcknowledged(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer http.HandlerFunc
		ack    string
		status int // of the AnswerError; 0 for another error or none
		fails  bool
	}{
		{"OK with a count", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("OK: 2\n")) }, "OK: 2", 0, false},
		{"bare OK", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("OK")) }, "OK", 0, false},
		{"page of a proxy", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) }, "", 200, true},
		{"503", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, "", 503, true},
		{"redirect, not followed", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusTemporaryRedirect) }, "", http.StatusTemporaryRedirect, true},
		{"no answer", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "", 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(tt.answer)
			defer server.Close()
			term, err := terminal.New(terminal.Config{Gateway: server.URL, Serial: "S1", Habits: terminal.Polite()})
			if err != nil {
				t.Fatal(err)
			}
			ack, err := term.Upload(t.Context(), "OPERLOG", []byte("OPLOG 4\t0\n"))
			if ack != tt.ack || (err != nil) != tt.fails {
				t.Errorf("got ack %q and error %v, want ack %q and an error: %v", ack, err, tt.ack, tt.fails)
			}
			answer, _ := errors.AsType[*terminal.AnswerError](err)
			if got := answer; (got != nil) != (tt.status != 0) || got != nil && got.Status != tt.status {
				t.Errorf("got %+v, want an answer error of status %d", got, tt.status)
			}
		})
	}
}

func TestPush_RepeatsTheSameBytesUntilAcknowledged(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	g.refuse = 2
	term := newTerminal(t, g, terminal.Config{})
	if err := term.Push(t.Context(), "OPERLOG", []byte("as it is")); err != nil {
		t.Fatal(err)
	}
	if got, want := g.uploads(), []stored{{"OPERLOG", "as it is"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := len(g.calls), 3; got != want {
		t.Errorf("got %d requests, want %d", got, want)
	}
}

func TestPush_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	g.refuse = 1 << 30
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := newTerminal(t, g, terminal.Config{}).Push(ctx, "OPERLOG", []byte("secret"))
	if !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "secret") {
		t.Errorf("got error %v, want the end of the context without the body", err)
	}
	if got := len(g.uploads()); got != 0 {
		t.Errorf("got %d uploads stored, want 0", got)
	}
}

func TestActions_PushWhatDevicesPush(t *testing.T) {
	t.Parallel()
	const at = "\t0\t2026-09-17 15:33:38\t8\t0\t0\t0\n" // 10:03:38 UTC and TimeZone=330
	user := func(name, privilege, password, card string) string {
		return "USER PIN=8\tName=" + name + "\tPri=" + privilege + "\tPasswd=" + password + "\tCard=" + card +
			"\tGrp=1\tTZ=0000000100000000\tVerify=-1\tViceCard=\tStartDatetime=0\tEndDatetime=0\n"
	}
	g := newGateway(t)
	term := newTerminal(t, g, terminal.Config{Seed: 1})
	if err := term.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.stored = nil // the options

	ctx := t.Context()
	for i, err := range []error{
		term.AddUser(ctx, terminal.User{PIN: "8", Name: "Alok Singh", Password: "11", Card: "22"}),
		term.Rename(ctx, "8", "A Singh"),
		term.SetPrivilege(ctx, "8", 14),
		term.SetPassword(ctx, "8", "124445"),
		term.SetPassword(ctx, "8", ""),
		term.SetPassword(ctx, "8", "9"),
		term.SetCard(ctx, "8", "1232522435"),
		term.SetCard(ctx, "8", ""),
		term.SetCard(ctx, "8", "5"),
		term.EnrollFinger(ctx, "8", 6),
		term.EnrollFace(ctx, "8"),
		term.EnrollFace(ctx, "8"),
		term.TakePhoto(ctx, "8"),
		term.Punch(ctx, "8", 0, 1),
		term.DeleteFinger(ctx, "8", 6),
		term.DeleteFace(ctx, "8"),
	} {
		if err != nil {
			t.Fatalf("action %d: %v", i, err)
		}
	}
	want := []stored{
		{"OPERLOG", "OPLOG 30" + at + "OPLOG 7" + at + "OPLOG 8" + at + user("Alok Singh", "0", "11", "22")},
		{"OPERLOG", "OPLOG 70" + at + user("A Singh", "0", "11", "22")},
		{"OPERLOG", "OPLOG 71" + at + user("A Singh", "14", "11", "22")},
		{"OPERLOG", "OPLOG 113" + at + user("A Singh", "14", "124445", "22")},
		{"OPERLOG", "OPLOG 11" + at + user("A Singh", "14", "", "22")},
		{"OPERLOG", "OPLOG 7" + at + user("A Singh", "14", "9", "22")},
		{"OPERLOG", "OPLOG 100" + at + user("A Singh", "14", "9", "1232522435")},
		{"OPERLOG", "OPLOG 12" + at + user("A Singh", "14", "9", "")},
		{"OPERLOG", "OPLOG 8" + at + user("A Singh", "14", "9", "5")},
		{"OPERLOG", "OPLOG 6" + at + "FP PIN=8\tFID=6\tSize=#\tValid=1\tTMP=*\n"},
		{"OPERLOG", "OPLOG 101" + at + "BIOPHOTO PIN=8\tNo=0\tIndex=0\tFileName=8.jpg\tType=9\tSize=#\tContent=*\n"},
		{"BIODATA", "BIODATA Pin=8\tNo=0\tIndex=0\tValid=1\tDuress=0\tType=9\tMajorVer=40\tMinorVer=1\tFormat=0\tTmp=*\n"},
		{"OPERLOG", "USERPIC PIN=8\tFileName=8.jpg\tSize=#\tContent=*\n"},
		{"OPERLOG", "OPLOG 114" + at + "BIOPHOTO PIN=8\tNo=0\tIndex=0\tFileName=8.jpg\tType=9\tSize=#\tContent=*\n"},
		{"BIODATA", "BIODATA Pin=8\tNo=0\tIndex=0\tValid=1\tDuress=0\tType=9\tMajorVer=40\tMinorVer=1\tFormat=0\tTmp=*\n"},
		{"OPERLOG", "USERPIC PIN=8\tFileName=8.jpg\tSize=#\tContent=*\n"},
		{"OPERLOG", "OPLOG 69" + at + "USERPIC PIN=8\tFileName=8.jpg\tSize=#\tContent=*\n"},
		{"ATTLOG", "8\t2026-09-17 15:33:38\t0\t1\t0\t0\t0\n"},
		{"OPERLOG", "OPLOG 10" + at},
		{"OPERLOG", "OPLOG 106" + at},
	}
	got := g.uploads()
	if len(got) != len(want) {
		t.Fatalf("got %d uploads, want %d", len(got), len(want))
	}
	for i := range got {
		if masked := (stored{got[i].table, maskContent(t, got[i].body)}); masked != want[i] {
			t.Errorf("upload %d:\n got %q\nwant %q", i, masked, want[i])
		}
	}
}

// maskContent replaces base64 content by * and, where a record tells its length
// right, the length by #.
func maskContent(t *testing.T, body string) string {
	t.Helper()
	var masked strings.Builder
	for line := range strings.Lines(body) {
		for _, key := range []string{"TMP=", "Tmp=", "Content="} {
			before, content, found := strings.Cut(line, "\t"+key)
			if !found {
				continue
			}
			content = strings.TrimSuffix(content, "\n")
			if _, err := base64.StdEncoding.DecodeString(content); err != nil {
				t.Errorf("content of %q: %v", before, err)
			}
			line = strings.Replace(before, "Size="+strconv.Itoa(len(content)), "Size=#", 1) + "\t" + key + "*\n"
		}
		masked.WriteString(line)
	}
	return masked.String()
}

func TestActions_RefuseWhatNoTerminalCanDo(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	term := newTerminal(t, g, terminal.Config{})
	ctx := t.Context()
	tests := []struct {
		name string
		err  error
	}{
		{"user without PIN", term.AddUser(ctx, terminal.User{Name: "x"})},
		{"line break in a name", term.AddUser(ctx, terminal.User{PIN: "1", Name: "x\nUSER PIN=2"})},
		{"password of an unknown user", term.SetPassword(ctx, "1", "1")},
		{"finger of an unknown user", term.EnrollFinger(ctx, "1", 1)},
		{"eleventh finger", term.EnrollFinger(ctx, "1", 10)},
		{"deleting an unknown user", term.DeleteUser(ctx, "1")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.err == nil {
				t.Error("got no error, want one")
			}
		})
	}
	if got := len(g.uploads()); got != 0 {
		t.Errorf("got %d uploads, want none", got)
	}
}

func TestUsers_AreWhatTheActionsMade(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	term := newTerminal(t, g, terminal.Config{Seed: 5, TemplateSize: 1500, PhotoBytes: 70_000})
	ctx := t.Context()
	for _, pin := range []string{"2", "007", "3"} {
		if err := term.EnrollAll(ctx, pin); err != nil {
			t.Fatal(err)
		}
	}
	if err := term.DeleteUser(ctx, "3"); err != nil {
		t.Fatal(err)
	}

	users := term.Users()
	if len(users) != 2 || users[0].PIN != "007" || users[1].PIN != "2" {
		t.Fatalf("got %d users, want 007 and 2", len(users))
	}
	u := users[0]
	if len(u.Password) != 6 || len(u.Card) != 10 || u.Name == "" {
		t.Errorf("got a password of %d, a card of %d digits and name %q, want 6, 10 and a name", len(u.Password), len(u.Card), u.Name)
	}
	template, err := base64.StdEncoding.DecodeString(u.Fingers[6])
	if err != nil || len(template) != 1500 || string(template[2:6]) != "SS21" {
		t.Errorf("got a template of %d bytes (%v), want 1500 with SS21 in bytes 2 to 5", len(template), err)
	}
	photo, err := base64.StdEncoding.DecodeString(u.Photo)
	if err != nil || len(photo) != 70_000 {
		t.Fatalf("got a photo of %d bytes (%v), want 70000", len(photo), err)
	}
	picture, err := jpeg.Decode(bytes.NewReader(photo))
	if err != nil {
		t.Fatal(err)
	}
	if got := picture.Bounds().Size().String(); got != "(48,64)" {
		t.Errorf("got a picture of %s, want (48,64)", got)
	}

	u.Fingers[6] = "changed by the caller"
	if again, _ := term.User("007"); again.Fingers[6] == u.Fingers[6] {
		t.Error("got the terminal's own map, want a copy")
	}
	other := newTerminal(t, g, terminal.Config{Seed: 5, TemplateSize: 1500, PhotoBytes: 70_000})
	if err := other.EnrollAll(ctx, "2"); err != nil {
		t.Fatal(err)
	}
	if got, _ := other.User("2"); !reflect.DeepEqual(got, users[1]) {
		t.Error("got other credentials from the same seed, want the same")
	}
	if err := other.EnrollFinger(ctx, "2", 6); err != nil {
		t.Fatal(err)
	}
	if got, _ := other.User("2"); got.Fingers[6] == users[1].Fingers[6] {
		t.Error("got the same template of a second enrolment, want another")
	}
}

func TestPhotoBytes_AreExact(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	// Around the size of one comment of a JPEG, 65,537 bytes, above the bare picture.
	term := newTerminal(t, g, terminal.Config{})
	if err := term.EnrollAll(t.Context(), "1"); err != nil {
		t.Fatal(err)
	}
	u, _ := term.User("1")
	bare, err := base64.StdEncoding.DecodeString(u.Photo)
	if err != nil {
		t.Fatal(err)
	}
	for _, more := range []int{4, 5, 65_536, 65_537, 65_538, 65_540, 65_541, 65_542, 140_000} {
		want := len(bare) + more
		term := newTerminal(t, g, terminal.Config{PhotoBytes: want})
		if err := term.EnrollAll(t.Context(), "1"); err != nil {
			t.Fatal(err)
		}
		u, _ := term.User("1")
		photo, err := base64.StdEncoding.DecodeString(u.Photo)
		if err != nil || len(photo) != want {
			t.Errorf("got %d bytes (%v), want %d", len(photo), err, want)
		}
		if _, err := jpeg.Decode(bytes.NewReader(photo)); err != nil {
			t.Errorf("photo of %d bytes: %v", want, err)
		}
	}
}

package zkpush

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

func TestOrders_AreHandedOutOnePerPoll(t *testing.T) {
	t.Parallel()
	h, sink, log := newHandler(t)
	sink.orders = []enroll.Order{{ID: "a1", What: enroll.QueryUsers}, {ID: "a2", What: "dance", UserID: "1"}, {ID: "a3", What: enroll.ReloadOptions}}
	checkAnswer(t, send(h, "HEAD", "/iclock/getrequest?SN=A1", ""), 200, "OK")
	checkAnswer(t, send(h, "GET", "/iclock/getrequest.aspx?SN=A1", ""), 200, "C:a1:DATA QUERY USERINFO\n")
	checkAnswer(t, send(h, "GET", "/iclock/getrequest?SN=A1", ""), 200, "OK")
	if !strings.Contains(log.String(), "cannot be put into words") {
		t.Error("the log does not say that an order has no words")
	}
	checkAnswer(t, send(h, "POST", "/iclock/getreq?SN=A1", ""), 200, "C:a3:RELOAD OPTIONS\n")
	checkAnswer(t, send(h, "GET", "/iclock/getrequest?SN=A1", ""), 200, "OK")
	sink.orderErr = fmt.Errorf("x: %w", enroll.ErrUnknownDevice)
	checkAnswer(t, send(h, "GET", "/iclock/getrequest?SN=A1", ""), 200, "OK")
	sink.orderErr = errors.New("disk full")
	checkAnswer(t, send(h, "GET", "/iclock/getrequest?SN=A1", ""), 503, "try again")
	sink.pending = true
	checkAnswer(t, send(h, "GET", "/iclock/getrequest?SN=A1", ""), 200, "OK")
}

func TestWording(t *testing.T) {
	t.Parallel()
	h, sink, _ := newHandler(t)
	tests := []struct {
		what     enroll.OrderKind
		user     enroll.PIN
		att, acc string // "" for no words
	}{
		{enroll.QueryUser, "022936", "DATA QUERY USERINFO PIN=022936", "DATA QUERY tablename=user,fielddesc=*,filter=Pin=022936"},
		{enroll.CheckUser, "022936", "DATA QUERY USERINFO PIN=022936", "DATA QUERY tablename=user,fielddesc=*,filter=Pin=022936"},
		{enroll.QueryUsers, "", "DATA QUERY USERINFO", "DATA QUERY tablename=user,fielddesc=*,filter=*"},
		{enroll.QueryFingers, "7", "DATA QUERY FINGERTMP PIN=7", "DATA QUERY tablename=templatev10,fielddesc=*,filter=Pin=7"},
		{enroll.QueryFaces, "7", "DATA QUERY BIODATA Type=9\tPIN=7", "DATA QUERY tablename=biodata,fielddesc=*,filter=Type=9\tPin=7"},
		{enroll.ReloadOptions, "", "RELOAD OPTIONS", "SET OPTIONS DateTime=859476600"},
		{enroll.QueryUser, "", "", ""},
		{enroll.QueryUser, "1,Pin=2", "DATA QUERY USERINFO PIN=1,Pin=2", ""},
		{"dance", "7", "", ""},
	}
	for _, tt := range tests {
		for family, want := range map[enroll.Family]string{"": tt.att, enroll.Attendance: tt.att, enroll.Access: tt.acc} {
			c := call{device: sink.device, at: h.now()}
			c.device.Family = family
			got, err := wording(enroll.Order{ID: "1", What: tt.what, UserID: tt.user}, c)
			if got != want || (err == nil) != (want != "") {
				t.Errorf("%s %q for %q: got %q, %v, want %q", tt.what, tt.user, family, got, err, want)
			}
		}
	}
	for _, id := range []enroll.OrderID{"", "1:2", "12345678901234567"} {
		if got, err := wording(enroll.Order{ID: id, What: enroll.QueryUsers}, call{}); err == nil {
			t.Errorf("id %q: got %q, want an error", id, got)
		}
	}
	broken := call{device: enroll.Device{TimeZone: "x", Sighting: enroll.Sighting{Family: enroll.Access}}}
	if got, err := wording(enroll.Order{ID: "1", What: enroll.ReloadOptions}, broken); err == nil {
		t.Errorf("got %q, want an error", got)
	}
}

func TestOrderAnswers(t *testing.T) {
	t.Parallel()
	h, sink, _ := newHandler(t)
	var order []string
	sink.committed = func() { order = append(order, "commit") }
	body := "ID=a1&Return=3&CMD=DATA QUERY\nID=../x&Return=0&CMD=DATA\nID=2&Return=-1004&CMD=DATA\n"
	checkAnswer(t, send(h, "POST", "/iclock/devicecmd?SN=A1", body), 200, "OK")
	want := []enroll.OrderAnswer{{ID: "a1", Return: 3, Words: "done, 3 rows"}, {ID: "2", Return: -1004, Words: "does not fit the device's configuration"}}
	if fmt.Sprint(sink.answers) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", sink.answers, want)
	}
	if len(order) != 1 {
		t.Errorf("got %d commits, want one", len(order))
	}
	for err, status := range map[error]int{errors.New("disk full"): 503, enroll.ErrUnknownDevice: 403} {
		sink.orderErr = err
		if w := send(h, "POST", "/iclock/devicecmd?SN=A1", body); w.Code != status {
			t.Errorf("%v: got %d, want %d", err, w.Code, status)
		}
	}
}

func TestReturnWords(t *testing.T) {
	t.Parallel()
	tests := []struct {
		command string
		code    int
		want    string
	}{
		{"DATA", 0, "done"}, {"data query", 12, "done, 12 rows"}, {"Shell", 2, "done, returned 2"}, {"ENROLL_FP", 0, "done"},
		{"ENROLL_FP", 2, "finger is enrolled already"}, {"ENROLL_BIO", 4, "failed, or of poor quality"}, {"ENROLL_FP", 5, "in the database already"},
		{"ENROLL_FP", 6, "cancelled"}, {"ENROLL_FP", 7, "device busy"}, {"ENROLL_FP", 8, "done, returned 8"},
		{"DATA", -1, "wrong parameter"}, {"DATA", -12, "bad template"}, {"DATA", -1002, "not supported"}, {"DATA", -629, "table unknown in the device's mode"},
		{"DATA", -731, "wrong answer of the server to the data"}, {"DATA", -9999, "failed with code -9999, which no manual explains"},
	}
	for _, tt := range tests {
		if got := returnWords(tt.command, tt.code); got != tt.want {
			t.Errorf("%s %d: got %q, want %q", tt.command, tt.code, got, tt.want)
		}
	}
}

package terminal_test

import (
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/fingerpost/fingerpost/internal/fake/terminal"
)

func TestConnect_OfPush3RegistersOnce(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	g.pending = 1
	var waits []error
	term := newTerminal(t, g, terminal.Config{Protocol: 3, OnWait: func(why error) { waits = append(waits, why) }})
	for range 2 {
		if err := term.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	const (
		hello    = "GET /iclock/cdata?SN=SIM0000000001&options=all&pushver=3.1.2&DeviceType=acc&PushOptionsFlag=1&language=69"
		register = "POST /iclock/registry?SN=SIM0000000001"
		settings = "POST /iclock/push?SN=SIM0000000001"
		clock    = "GET /iclock/rtdata?SN=SIM0000000001&type=time"
		poll     = "GET /iclock/getrequest?SN=SIM0000000001"
	)
	want := []string{hello, register, hello, register, settings, clock, poll, hello, clock, poll}
	if !reflect.DeepEqual(g.calls, want) {
		t.Errorf("got calls %q, want %q", g.calls, want)
	}
	if len(waits) != 1 || !errors.Is(waits[0], terminal.ErrNotApproved) {
		t.Errorf("got waits %v, want one for want of approval", waits)
	}
	// The MD5 of code, serial number and session, as the manual says.
	if first, last := g.cookies[0], g.cookies[9]; first != "" || last != "token=59237616c6c7d3ace175f99e88af86aa" {
		t.Errorf("got cookies %q and %q, want none at first and then the token", first, last)
	}
	if got, want := term.Setting("RequestDelay"), "5"; got != want {
		t.Errorf("got RequestDelay %q, want %q", got, want)
	}
}

func TestConnect_OfPush3RefusesTheOtherFamily(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	g.block = "GET OPTION FROM: SIM0000000001\nDelay=10\n"
	term := newTerminal(t, g, terminal.Config{Protocol: 3})
	if err := term.Handshake(t.Context()); !errors.Is(err, terminal.ErrOtherFamily) {
		t.Errorf("got error %v, want %v", err, terminal.ErrOtherFamily)
	}
}

func TestActions_OfPush3PushRows(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	term := newTerminal(t, g, terminal.Config{Protocol: 3})
	connect(t, g, term)
	ctx := t.Context()
	for i, err := range []error{
		term.AddUser(ctx, terminal.User{PIN: "8", Name: "Alok", LastName: "Singh", Privilege: 14, Password: "11", Card: "22", SecondCard: "255"}),
		term.SetPassword(ctx, "8", "33"),
		term.SetCard(ctx, "8", "44"),
		term.SetSecondCard(ctx, "8", "4096"),
		term.EnrollFinger(ctx, "8", 6),
		term.EnrollFace(ctx, "8"),
		term.TakePhoto(ctx, "8"),
		term.Punch(ctx, "8", 1, 15),
		term.Refuse(ctx),
		term.Heartbeat(ctx),
		term.DeleteFinger(ctx, "8", 6),
		term.DeleteFace(ctx, "8"),
		term.SetSecondCard(ctx, "8", ""),
		term.DeleteUser(ctx, "8"),
	} {
		if err != nil {
			t.Fatalf("action %d: %v", i, err)
		}
	}
	user := func(card, password string) string {
		return "user uid=1\tcardno=" + card + "\tpin=8\tpassword=" + password +
			"\tgroup=1\tstarttime=0\tendtime=0\tname=\tprivilege=14\tdisable=0\tverify=0\n"
	}
	const event = "\tcardno=0\teventaddr=1\tevent="
	const rest = "\tsitecode=0\tlinkid=0\tmaskflag=255\ttemperature=255\tconvtemperature=255\n"
	want := []stored{
		{"user", user("22", "11")},
		{"extuser", "extuser pin=8\tfunswitch=0\tfirstname=Alok\tlastname=Singh\tpersonalvs=0\n"},
		{"mulcarduser", "mulcarduser pin=8\tcardno=ff\tlosscardflag=0\tcardtype=1\n"},
		{"user", user("22", "33")},
		{"user", user("44", "33")},
		{"mulcarduser", "mulcarduser pin=8\tcardno=1000\tlosscardflag=0\tcardtype=1\n"},
		{"templatev10", "templatev10 size=#\tuid=1\tpin=8\tfingerid=6\tvalid=1\ttemplate=*\tresverd=\tendtag=\n"},
		{"biophoto", "biophoto pin=8\tno=0\tindex=0\tfilename=8.jpg\ttype=9\tsize=#\tcontent=*\n"},
		{"biodata", "biodata pin=8\tno=0\tindex=0\tvalid=1\tduress=0\ttype=9\tmajorver=40\tminorver=1\tformat=0\ttmp=*\n"},
		{"userpic", "userpic pin=8\tfilename=8.jpg\tsize=#\tcontent=*\n"},
		{"userpic", "userpic pin=8\tfilename=8.jpg\tsize=#\tcontent=*\n"},
		{"rtlog", "time=2026-09-17 15:33:38\tpin=8" + event + "0\tinoutstatus=1\tverifytype=15\tindex=#" + rest},
		{"rtlog", "time=2026-09-17 15:33:38\tpin=0" + event + "27\tinoutstatus=0\tverifytype=0\tindex=#" + rest},
		{"rtstate", "time=2026-09-17 15:33:38\tsensor=02\trelay=00\talarm=0000000000000000\tdoor=01\n"},
	}
	contents := regexp.MustCompile(`\b(template|content|tmp)=[A-Za-z0-9+/]{20,}=*`)
	numbers := regexp.MustCompile(`\b(size|index)=[1-9][0-9]*`)
	for i, upload := range g.uploads() {
		body := numbers.ReplaceAllString(contents.ReplaceAllString(upload.body, "$1=*"), "$1=#")
		if i >= len(want) || (stored{upload.table, body}) != want[i] {
			t.Errorf("upload %d: got %s %q", i, upload.table, body)
		}
	}
	if got := len(g.uploads()); got != len(want) {
		t.Errorf("got %d uploads, want %d: none of removals", got, len(want))
	}
	if got, want := g.calls[0], "POST /iclock/cdata?SN=SIM0000000001&table=tabledata&tablename=user&count=1"; got != want {
		t.Errorf("got call %q, want %q", got, want)
	}
}

func TestHabits_SparseRowsTellWhatChanged(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	term := newTerminal(t, g, terminal.Config{Protocol: 3, Habits: terminal.Only(terminal.Sparse)})
	if err := term.AddUser(t.Context(), terminal.User{PIN: "8", Name: "Alok", Card: "22"}); err != nil {
		t.Fatal(err)
	}
	if err := term.SetPassword(t.Context(), "8", "33"); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"user uid=1\tcardno=22\tpin=8\tpassword=\tgroup=1\tstarttime=0\tendtime=0\tname=Alok\tprivilege=0\tdisable=0\tverify=0\n",
		"user uid=1\tcardno=\tpin=8\tpassword=33\tgroup=1\tstarttime=0\tendtime=0\tname=\tprivilege=0\tdisable=0\tverify=0\n",
	}
	if got := bodies(g); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestUpload_OfPush3IsAcknowledgedByTableAndNumber(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, ack string
		fails     bool
	}{
		{"table and number", "user=2", false},
		{"plain OK", "OK", false},
		{"another number", "user=1", true},
		{"another table", "extuser=2", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newGateway(t)
			g.ack = tt.ack
			term := newTerminal(t, g, terminal.Config{Protocol: 3})
			_, err := term.Upload(t.Context(), "user", []byte("user pin=1\r\nuser pin=2\t\r\n\x00"))
			if (err != nil) != tt.fails {
				t.Errorf("got error %v, want one: %v", err, tt.fails)
			}
			if last := g.calls[0]; !strings.HasSuffix(last, "&tablename=user&count=2") {
				t.Errorf("got call %q, want it to count 2 rows", last)
			}
		})
	}
}

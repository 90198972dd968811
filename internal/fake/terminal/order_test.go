package terminal_test

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/fake/terminal"
)

// ask gives a terminal with users 1 and 2 a command, and returns what came of it, each
// upload as its table and the kinds and users of its records.
func ask(t *testing.T, c terminal.Config, command string) []string {
	t.Helper()
	g := newGateway(t)
	term := newTerminal(t, g, c)
	connect(t, g, term)
	for _, pin := range []string{"1", "2"} {
		if err := term.AddUser(t.Context(), terminal.User{PIN: pin, SecondCard: "9"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{term.EnrollFinger(t.Context(), "1", 6), term.EnrollFinger(t.Context(), "1", 7), term.EnrollFace(t.Context(), "1")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := term.Poll(t.Context()); err != nil { // what was kept back
		t.Fatal(err)
	}
	g.stored, g.commands = nil, command+"\n"
	if err := term.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	var came []string
	record := regexp.MustCompile(`(?m)^([a-zA-Z0-9]+) .*?\b[Pp][Ii][Nn]=(\d+)\t.*$`)
	for _, upload := range g.uploads() {
		body := record.ReplaceAllString(strings.TrimRight(upload.body, "\n"), "$1/$2")
		came = append(came, upload.table+": "+strings.ReplaceAll(body, "\n", " "))
	}
	return came
}

func TestPoll_ObeysCommands(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		protocol int
		command  string
		want     []string
	}{
		{"all users", 2, "C:7:DATA QUERY USERINFO", []string{"OPERLOG: USER/1 USER/2", "devicecmd: ID=7&Return=0&CMD=DATA"}},
		{"one user", 2, "C:a8:DATA QUERY USERINFO PIN=2", []string{"OPERLOG: USER/2", "devicecmd: ID=a8&Return=0&CMD=DATA"}},
		{"a user who is not there", 2, "C:7:DATA QUERY USERINFO PIN=3", []string{"devicecmd: ID=7&Return=0&CMD=DATA"}},
		{"fingers", 2, "C:7:DATA QUERY FINGERTMP PIN=1", []string{"OPERLOG: FP/1 FP/1", "devicecmd: ID=7&Return=0&CMD=DATA"}},
		{"one finger", 2, "C:7:DATA QUERY FINGERTMP PIN=1\tFID=7", []string{"OPERLOG: FP/1", "devicecmd: ID=7&Return=0&CMD=DATA"}},
		{"face", 2, "C:7:DATA QUERY BIODATA Type=9\tPIN=1", []string{"BIODATA: BIODATA/1", "devicecmd: ID=7&Return=0&CMD=DATA"}},
		{"a type that it does not have", 2, "C:7:DATA QUERY BIODATA Type=8\tPIN=1", []string{"devicecmd: ID=7&Return=0&CMD=DATA"}},
		{"a table of the other family", 2, "C:7:DATA QUERY tablename=user,fielddesc=*,filter=*", []string{"devicecmd: ID=7&Return=-1004&CMD=DATA"}},
		{"what it does not support", 2, "C:7:CLEAR DATA", []string{"devicecmd: ID=7&Return=-1002&CMD=CLEAR"}},
		{"what it is", 2, "C:7:INFO", []string{"devicecmd: ID=7&Return=0&CMD=INFO ~SerialNumber=SIM0000000001 FWVersion=Ver 8.0.4.4-20190617"}},
		{"a line that is no command", 2, "DATA QUERY USERINFO", nil},

		{"all users", 3, "C:7:DATA QUERY tablename=user,fielddesc=*,filter=*", []string{"user 7 1/1: user/1 user/2", "devicecmd: ID=7&Return=2&CMD=DATA QUERY"}},
		{"one user", 3, "C:7:DATA QUERY tablename=user,fielddesc=*,filter=Pin=2", []string{"user 7 1/1: user/2", "devicecmd: ID=7&Return=1&CMD=DATA QUERY"}},
		{"a user who is not there", 3, "C:7:DATA QUERY tablename=user,fielddesc=*,filter=Pin=3", []string{"devicecmd: ID=7&Return=0&CMD=DATA QUERY"}},
		{"cards", 3, "C:7:DATA QUERY tablename=mulcarduser,fielddesc=*,filter=*", []string{"mulcarduser 7 1/1: mulcarduser/1 mulcarduser/2", "devicecmd: ID=7&Return=2&CMD=DATA QUERY"}},
		{"fingers", 3, "C:7:DATA QUERY tablename=templatev10,fielddesc=*,filter=Pin=1", []string{"templatev10 7 1/1: templatev10/1 templatev10/1", "devicecmd: ID=7&Return=2&CMD=DATA QUERY"}},
		{"face", 3, "C:7:DATA QUERY tablename=biodata,fielddesc=*,filter=Type=9\tPin=1", []string{"biodata 7 1/1: biodata/1", "devicecmd: ID=7&Return=1&CMD=DATA QUERY"}},
		{"pictures", 3, "C:7:DATA QUERY tablename=biophoto,fielddesc=*,filter=*", []string{"biophoto 7 1/1: biophoto/1", "devicecmd: ID=7&Return=1&CMD=DATA QUERY"}},
		{"a table of the other family", 3, "C:7:DATA QUERY USERINFO PIN=1", []string{"devicecmd: ID=7&Return=-629&CMD=DATA QUERY"}},
		{"a table that it does not have", 3, "C:7:DATA QUERY tablename=holiday,fielddesc=*,filter=*", []string{"devicecmd: ID=7&Return=-629&CMD=DATA QUERY"}},
		{"a clock that is none", 3, "C:7:SET OPTIONS DateTime=soon", []string{"devicecmd: ID=7&Return=-1&CMD=SET OPTIONS"}},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("PUSH %d: %s", tt.protocol, tt.name), func(t *testing.T) {
			if got := ask(t, terminal.Config{Protocol: tt.protocol}, tt.command); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPoll_OneThatLogsOnlyTellsAllWhenAsked(t *testing.T) {
	t.Parallel()
	habits := terminal.Polite()
	habits.Log = terminal.LogOnly
	got := ask(t, terminal.Config{Habits: habits}, "C:7:DATA QUERY USERINFO PIN=1")
	want := []string{"OPERLOG: USER/1 FP/1 FP/1 BIOPHOTO/1 USERPIC/1", "BIODATA: BIODATA/1", "devicecmd: ID=7&Return=0&CMD=DATA"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPoll_AsksForTheInitBlockAgain(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"RELOAD OPTIONS", "CHECK"} {
		g := newGateway(t)
		term := newTerminal(t, g, terminal.Config{})
		connect(t, g, term)
		g.commands = "C:7:" + command
		if err := term.Poll(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(g.calls) != 3 || !strings.HasPrefix(g.calls[1], "POST /iclock/devicecmd?") || !strings.Contains(g.calls[2], "&options=all&") {
			t.Errorf("%s: got calls %q, want a poll, the answer, and a handshake", command, g.calls)
		}
	}
}

func TestPoll_SetsTheClockOfPush3(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	term := newTerminal(t, g, terminal.Config{Protocol: 3, Zone: time.FixedZone("", -3600)})
	g.commands = "C:7:SET OPTIONS DateTime=583050990"
	if err := term.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := term.Punch(t.Context(), "1", 0, 1); err != nil {
		t.Fatal(err)
	}
	if got, want := bodies(g)[1], "time=2018-02-22 06:36:30\t"; !strings.HasPrefix(got, want) {
		t.Errorf("got event %q, want it to begin %q", got, want)
	}
}

func TestHabits_SplitAnswersEndInsideARecord(t *testing.T) {
	t.Parallel()
	inside := 0
	for seed := range uint64(10) {
		c := terminal.Config{Seed: seed, Protocol: 3, Habits: terminal.Only(terminal.Splits)}
		whole := ask(t, terminal.Config{Seed: seed, Protocol: 3}, "C:7:DATA QUERY tablename=user,fielddesc=*,filter=*")
		parts := ask(t, c, "C:7:DATA QUERY tablename=user,fielddesc=*,filter=*")
		if last := len(parts) - 1; last < 2 || parts[last] != whole[1] {
			t.Fatalf("seed %d: got %q, want several parts and the same answer", seed, parts)
		}
		for i, part := range parts[:len(parts)-1] {
			if place := fmt.Sprintf("user 7 %d/%d: ", i+1, len(parts)-1); !strings.HasPrefix(part, place) {
				t.Errorf("seed %d: got part %q, want it to begin %q", seed, part, place)
			}
		}
		if slices.ContainsFunc(parts, func(part string) bool {
			return !strings.HasPrefix(part, "devicecmd") && !strings.HasSuffix(part, "verify=0") && !strings.HasSuffix(part, "/2")
		}) {
			inside++
		}
	}
	if inside == 0 {
		t.Error("got no part that ends inside a record, want some")
	}
}

func TestState_IsWhatAReceiverMayKnow(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	term := newTerminal(t, g, terminal.Config{Seed: 3})
	if err := term.AddUser(t.Context(), terminal.User{PIN: "007", Name: "A B", Privilege: 15, Password: "1", SecondCard: "9"}); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{term.EnrollFinger(t.Context(), "007", 6), term.EnrollFace(t.Context(), "007"),
		term.AddUser(t.Context(), terminal.User{PIN: "2", Privilege: 1}), term.AddUser(t.Context(), terminal.User{PIN: "3"}), term.DeleteUser(t.Context(), "3")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	state := term.State()
	for _, name := range []string{"finger/6", "face/0", "photo"} {
		if len(state["007"][name]) != 16 {
			t.Errorf("got %d digits of %s, want 16", len(state["007"][name]), name)
		}
		delete(state["007"], name)
	}
	want := map[string]map[string]string{
		"007": {"name": "A B", "last-name": "", "role": "Admin", "password": "1", "card/1": "9"},
		"2":   {"name": "", "last-name": "", "role": "User"},
	}
	if !reflect.DeepEqual(state, want) {
		t.Errorf("got %v, want %v", state, want)
	}
	if err := term.EnrollFinger(t.Context(), "007", 6); err != nil {
		t.Fatal(err)
	}
	if again := term.State(); again["007"]["finger/6"] == state["007"]["finger/6"] {
		t.Error("got the same finger of a second enrolment, want another")
	}
}

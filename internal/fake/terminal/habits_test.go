package terminal_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/fingerpost/fingerpost/internal/fake/terminal"
)

func TestHabits(t *testing.T) {
	t.Parallel()
	const (
		record = "USER PIN=8\tName=\tPri=0\tPasswd=1\tCard=\tGrp=1\tTZ=0000000100000000\tVerify=-1\tViceCard=\tStartDatetime=0\tEndDatetime=0"
		log    = "OPLOG 7\t0\t2026-09-17 10:03:38\t8\t0\t0\t0"
	)
	tests := []struct {
		name   string
		habits terminal.Habits
		want   []string // bodies
	}{
		{"none", terminal.Habits{}, []string{log + "\n" + record + "\n"}},
		{"lines end with CR LF", terminal.Habits{CRLF: true}, []string{log + "\r\n" + record + "\r\n"}},
		{"last line has no end", terminal.Habits{NoFinalLF: true}, []string{log + "\n" + record}},
		{"repeats though acknowledged", terminal.Habits{RepeatEvery: 1}, []string{log + "\n" + record + "\n", log + "\n" + record + "\n"}},
		{"log line in a post of its own", terminal.Habits{Log: terminal.LogOwnPost}, []string{log + "\n", record + "\n"}},
		{"log line after the data", terminal.Habits{Log: terminal.LogLast}, []string{record + "\n", log + "\n"}},
		{"no log line", terminal.Habits{Log: terminal.LogNever}, []string{record + "\n"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newGateway(t)
			term := newTerminal(t, g, terminal.Config{Habits: tt.habits})
			if err := term.AddUser(t.Context(), terminal.User{PIN: "8"}); err != nil {
				t.Fatal(err)
			}
			g.stored = nil
			if err := term.SetPassword(t.Context(), "8", "1"); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, upload := range g.uploads() {
				got = append(got, upload.body)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestHabits_CutUploadComesInHalfAndThenWhole(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	term := newTerminal(t, g, terminal.Config{Habits: terminal.Habits{CutEvery: 2}})
	body := strings.Repeat("x", 1000)
	for range 2 {
		if err := term.Push(t.Context(), "OPERLOG", []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if got := <-g.broken; got == 0 || got > 500 {
		t.Errorf("got %d bytes of the cut upload, want 1 to 500", got)
	}
	if got, want := g.uploads(), []stored{{"OPERLOG", body}, {"OPERLOG", body}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %d uploads, want %d whole ones", len(got), len(want))
	}
	if got := len(g.broken); got != 0 {
		t.Errorf("got %d more cut uploads, want none", got)
	}
}

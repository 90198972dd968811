package terminal_test

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fingerpost/fingerpost/internal/fake/terminal"
)

func TestHabits_ListsAreReadAndWritten(t *testing.T) {
	t.Parallel()
	const list = "repeats,cuts,lost-acks,clock,lines,splits,pauses,logs,resends,paths,queries,tables,polling,forms,sparse"
	if got := terminal.AllHabits.String(); got != list {
		t.Errorf("got all habits %q, want %q", got, list)
	}
	tests := []struct {
		name, list string
		want       terminal.Habit
		fails      bool
	}{
		{"nothing", "", 0, false},
		{"all", "all", terminal.AllHabits, false},
		{"each by its name", list, terminal.AllHabits, false},
		{"some", "cuts, lost-acks", terminal.Cuts | terminal.LostAcks, false},
		{"the last", "sparse", terminal.Sparse, false},
		{"a word that is none", "cuts,biting", 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := terminal.ParseHabits(tt.list)
			if got != tt.want || (err != nil) != tt.fails {
				t.Errorf("got %q, %v, want %q, an error: %v", got, err, tt.want, tt.fails)
			}
		})
	}
}

func TestHabits_OfTheLog(t *testing.T) {
	t.Parallel()
	const (
		record = "USER PIN=8\tName=\tPri=0\tPasswd=1\tCard=\tGrp=1\tTZ=0000000100000000\tVerify=-1\tViceCard=\tStartDatetime=0\tEndDatetime=0\n"
		log    = "OPLOG 7\t0\t2026-09-17 15:33:38\t8\t0\t0\t0\n"
	)
	tests := []struct {
		name string
		log  terminal.LogHabit
		want []string // bodies, up to the next poll
	}{
		{"polite", terminal.LogAnywhere, []string{log + record}},
		{"in a post of its own", terminal.LogOwnPost, []string{log, record}},
		{"after the data", terminal.LogLast, []string{record, log}},
		{"late", terminal.LogLate, []string{record, log}},
		{"never", terminal.LogNever, []string{record}},
		{"without the data", terminal.LogOnly, []string{log}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newGateway(t)
			habits := terminal.Polite()
			habits.Log = tt.log
			term := newTerminal(t, g, terminal.Config{Habits: habits})
			connect(t, g, term)
			if err := term.AddUser(t.Context(), terminal.User{PIN: "8"}); err != nil {
				t.Fatal(err)
			}
			if err := term.Poll(t.Context()); err != nil {
				t.Fatal(err)
			}
			g.stored = nil
			if err := term.SetPassword(t.Context(), "8", "1"); err != nil {
				t.Fatal(err)
			}
			if err := term.Poll(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := bodies(g); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// connect connects a terminal and forgets what came of it.
func connect(t *testing.T, g *gateway, term *terminal.Terminal) {
	t.Helper()
	if err := term.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.stored, g.calls = nil, nil
}

func bodies(g *gateway) []string {
	var got []string
	for _, upload := range g.uploads() {
		got = append(got, upload.body)
	}
	return got
}

// allOf makes one terminal after the other with a habit, and returns the different
// things that body returns of them.
func allOf(t *testing.T, habit terminal.Habit, c terminal.Config, of func(g *gateway, term *terminal.Terminal) string) []string {
	t.Helper()
	seen := make(map[string]bool)
	for seed := range uint64(40) {
		g := newGateway(t)
		c.Seed, c.Habits = seed, terminal.Only(habit)
		seen[of(g, newTerminal(t, g, c))] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

func TestHabits_Lines(t *testing.T) {
	t.Parallel()
	got := allOf(t, terminal.Lines, terminal.Config{}, func(g *gateway, term *terminal.Terminal) string {
		if err := term.Punch(t.Context(), "8", 0, 1); err != nil {
			t.Fatal(err)
		}
		return strings.TrimPrefix(bodies(g)[0], "8\t2026-09-17 10:03:38\t0\t1\t0\t0\t0")
	})
	if want := []string{"", "\t\n", "\n", "\n\x00", "\r\n"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got ends of lines %q, want %q", got, want)
	}
}

func TestHabits_PathsQueriesAndTables(t *testing.T) {
	t.Parallel()
	call := func(g *gateway, term *terminal.Terminal) string {
		if err := term.Push(t.Context(), "OPERLOG", []byte("OPLOG 4\t0\n")); err != nil {
			t.Fatal(err)
		}
		return g.calls[0]
	}
	tests := []struct {
		name  string
		habit terminal.Habit
		want  string // of one of the calls
	}{
		{"pages of eSSL below a doubled path", terminal.Paths, `^POST /iclock/iclock/cdata\.aspx\?SN=SIM0000000001&table=OPERLOG&Stamp=9999$`},
		{"names in lower case", terminal.Queries, `[?&]sn=SIM0000000001(&|$)`},
		{"names in upper case", terminal.Queries, `[?&]TABLE=OPERLOG(&|$)`},
		{"another order", terminal.Queries, `(?i)cdata\?stamp=9999&table=OPERLOG&sn=SIM0000000001$`},
		{"table in lower case", terminal.Tables, `cdata\?SN=SIM0000000001&table=operlog&Stamp=9999$`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			calls := allOf(t, tt.habit, terminal.Config{}, call)
			if !slices.ContainsFunc(calls, regexp.MustCompile(tt.want).MatchString) {
				t.Errorf("got calls %q, want one like %s", calls, tt.want)
			}
		})
	}
}

func TestHabits_Forms(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for seed := range uint64(40) {
		g := newGateway(t)
		term := newTerminal(t, g, terminal.Config{Seed: seed, Habits: terminal.Habits{Off: terminal.AllHabits &^ terminal.Forms}})
		if err := term.AddUser(t.Context(), terminal.User{PIN: "8", Card: "123456789"}); err != nil {
			t.Fatal(err)
		}
		if err := term.EnrollFinger(t.Context(), "8", 6); err != nil {
			t.Fatal(err)
		}
		for _, upload := range g.uploads() {
			for _, form := range []string{"Card=123456789\t", "Card=[15CD5B07]\t", "CARD=[15CD5B07]\t", "\nFP PIN=8\tFID=6\t", "BIODATA Pin=8\tNo=6\tIndex=0\tValid=1\tDuress=0\tType=1\t"} {
				if strings.Contains(upload.body, form) {
					seen[form] = true
				}
			}
		}
	}
	if len(seen) != 5 {
		t.Errorf("got forms %q, want all five", slices.Sorted(maps.Keys(seen)))
	}
}

func TestHabits_RepeatsAndLostAcksSendTheSameBytesAgain(t *testing.T) {
	t.Parallel()
	for name, habit := range map[string]terminal.Habit{"repeat": terminal.Repeats, "lost ack": terminal.LostAcks} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t)
			term := newTerminal(t, g, terminal.Config{Habits: terminal.Only(habit)})
			if err := term.Push(t.Context(), "OPERLOG", []byte("as it is")); err != nil {
				t.Fatal(err)
			}
			if got, want := bodies(g), []string{"as it is", "as it is"}; !reflect.DeepEqual(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestHabits_CutUploadComesInHalfAndThenWhole(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	term := newTerminal(t, g, terminal.Config{Habits: terminal.Only(terminal.Cuts)})
	body := strings.Repeat("x", 1000)
	if err := term.Push(t.Context(), "OPERLOG", []byte(body)); err != nil {
		t.Fatal(err)
	}
	if got := <-g.broken; got == 0 || got > 500 {
		t.Errorf("got %d bytes of the cut upload, want 1 to 500", got)
	}
	if got, want := g.uploads(), []stored{{"OPERLOG", body}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %d uploads, want the whole one", len(got))
	}
}

func TestHabits_Clock(t *testing.T) {
	t.Parallel()
	shown := allOf(t, terminal.Clock, terminal.Config{}, func(g *gateway, term *terminal.Terminal) string {
		if err := term.Punch(t.Context(), "8", 0, 1); err != nil {
			t.Fatal(err)
		}
		return strings.Split(bodies(g)[0], "\t")[1]
	})
	if got, want := shown[0], "2000-01-01 10:03:38"; got != want {
		t.Errorf("got %q of a dead battery, want %q", got, want)
	}
	early, late := 0, 0
	for _, at := range shown[1:] {
		switch {
		case "2026-09-17 09:00:00" < at && at < "2026-09-17 10:03:38":
			early++
		case "2026-09-17 10:03:38" < at && at < "2026-09-17 11:10:00":
			late++
		default:
			t.Errorf("got clock %q, want it minutes off 10:03:38", at)
		}
	}
	if early == 0 || late == 0 {
		t.Errorf("got %d clocks behind and %d ahead, want some of both", early, late)
	}
}

func TestHabits_Splits(t *testing.T) {
	t.Parallel()
	var orders []string
	counts := make(map[int]bool)
	for seed := range uint64(20) {
		for _, infrared := range []bool{false, true} {
			g := newGateway(t)
			term := newTerminal(t, g, terminal.Config{Seed: seed, NearInfrared: infrared,
				Habits: terminal.Habits{Off: terminal.AllHabits &^ terminal.Splits, Always: terminal.Splits, Log: terminal.LogNever}})
			if err := term.AddUser(t.Context(), terminal.User{PIN: "8"}); err != nil {
				t.Fatal(err)
			}
			g.stored = nil
			if err := term.EnrollFace(t.Context(), "8"); err != nil {
				t.Fatal(err)
			}
			if infrared {
				counts[len(g.uploads())] = true
				if got := strings.Count(strings.Join(bodies(g), ""), "BIODATA Pin=8\tNo=0\tIndex="); got != 15 {
					t.Errorf("seed %d: got %d rows, want 15", seed, got)
				}
				continue
			}
			var kinds []string
			for _, body := range bodies(g) {
				kind, _, _ := strings.Cut(body, " ")
				kinds = append(kinds, kind)
			}
			orders = append(orders, strings.Join(kinds, " "))
		}
	}
	slices.Sort(orders)
	if got := slices.Compact(orders); len(got) != 6 {
		t.Errorf("got the posts of a face in the orders %q, want all six", got)
	}
	if len(counts) < 4 {
		t.Errorf("got %d different numbers of posts of a near-infrared face, want at least 4", len(counts))
	}
}

func TestHabits_ResendsAllUsersWhenItConnectsAgain(t *testing.T) {
	t.Parallel()
	for _, protocol := range []int{2, 3} {
		g := newGateway(t)
		term := newTerminal(t, g, terminal.Config{Protocol: protocol, Habits: terminal.Only(terminal.Resends)})
		connect(t, g, term)
		for _, pin := range []string{"1", "2"} {
			if err := term.EnrollAll(t.Context(), pin); err != nil {
				t.Fatal(err)
			}
		}
		g.stored = nil
		if err := term.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		all := strings.ToLower(strings.Join(bodies(g), ""))
		for _, record := range []string{"pin=1\t", "pin=2\t", "\tfilename=1.jpg\t", "\tfilename=2.jpg\t", "fid=6\t"} {
			if protocol == 3 && record == "fid=6\t" {
				record = "fingerid=6\t"
			}
			if !strings.Contains(all, record) {
				t.Errorf("protocol %d: got no %q when it connects again, want it", protocol, record)
			}
		}
	}
}

func TestHabits_DependOnTheSeedAlone(t *testing.T) {
	t.Parallel()
	live := func(seed uint64, protocol int) []string {
		g := newGateway(t)
		term := newTerminal(t, g, terminal.Config{Seed: seed, Protocol: protocol, Habits: terminal.Habits{Off: terminal.Cuts | terminal.Pauses}})
		connect(t, g, term)
		for range 40 {
			if _, err := term.Draw(t.Context(), terminal.Choice{Users: 3, Removals: true}); err != nil {
				t.Fatal(err)
			}
		}
		if err := term.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		return append(bodies(g), g.calls...)
	}
	for _, protocol := range []int{2, 3} {
		first := live(7, protocol)
		if again := live(7, protocol); !reflect.DeepEqual(first, again) {
			t.Errorf("protocol %d: got another life from the same seed, want the same", protocol)
		}
		if other := live(8, protocol); reflect.DeepEqual(first, other) {
			t.Errorf("protocol %d: got the same life from another seed, want another", protocol)
		}
	}
}

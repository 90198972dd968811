package enroll_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

func TestParseKinds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		want enroll.Kinds
	}{
		{"updates", enroll.Updates},
		{"punches", enroll.Punch},
		{"all", enroll.AllKinds},
		{"", 0},
		{"password, card", enroll.Password | enroll.Card},
		{"updates,user-deleted", enroll.Updates | enroll.UserDeleted},
	} {
		got, err := enroll.ParseKinds(tt.text)
		if err != nil || got != tt.want {
			t.Errorf("ParseKinds(%q) = %v, %v, want %v", tt.text, got, err, tt.want)
		}
		again, err := enroll.ParseKinds(got.String())
		if err != nil || again != got {
			t.Errorf("ParseKinds(%q) = %v, %v: not what String wrote", got.String(), again, err)
		}
		data, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		var read enroll.Kinds
		if err := json.Unmarshal(data, &read); err != nil || read != got {
			t.Errorf("JSON %s gives %v, %v, want %v", data, read, err, got)
		}
	}
	for _, bad := range []string{"fingerprints", "User", "updates;punches"} {
		if _, err := enroll.ParseKinds(bad); err == nil {
			t.Errorf("ParseKinds(%q) gave no error", bad)
		}
	}
}

func TestIdentifiers(t *testing.T) {
	t.Parallel()
	accepted := func(name string, parse func(string) error, good, bad []string) {
		for _, text := range good {
			if err := parse(text); err != nil {
				t.Errorf("%s %q: got %v, want it accepted", name, text, err)
			}
		}
		for _, text := range bad {
			if err := parse(text); err == nil {
				t.Errorf("%s %q was accepted", name, text)
			}
		}
	}
	accepted("serial", func(s string) error { _, err := enroll.ParseSerial(s); return err },
		[]string{"CQZ7231360296", "ZK-MOCK-001", "a_b.c:1"},
		[]string{"", "A B", "../etc", "a\nb", "<b>", "é", strings.Repeat("a", 65)})
	accepted("stgid", func(s string) error { _, err := enroll.ParseStgID(s); return err },
		[]string{"school-1", "Tür/1", "a&b"}, []string{"", "a b", "a\tb", "a\x00b", strings.Repeat("a", 129)})
	accepted("PIN", func(s string) error { _, err := enroll.ParsePIN(s); return err },
		[]string{"1", "022936", "WCTPL070", "a b"}, []string{"", " 1", "1\n", "\xff", strings.Repeat("1", 65)})
	accepted("endpoint name", func(s string) error { _, err := enroll.ParseName(s); return err },
		[]string{"hr", "HR-2"}, []string{"", "-x", ".", "a/b", "a b"})
	accepted("delivery", func(s string) error { _, err := enroll.ParseDeliveryID(s); return err },
		[]string{"3.17"}, []string{"", "3", "3.", ".3", "0.1", "1.0", "a.b", "-1.2"})
}

func TestParseData(t *testing.T) {
	t.Parallel()
	padded := base64.StdEncoding.EncodeToString([]byte("SjNTUzIx template"))
	for _, tt := range []struct {
		name, text string
		asBytes    bool
	}{
		{"padded base64 is kept as bytes", padded, true},
		{"base64 without its padding is kept as it came", strings.TrimRight(padded, "="), false},
		{"base64 with line breaks is kept as it came", padded[:4] + "\n" + padded[4:], false},
		{"base64 with stray last bits is kept as it came", "QUJ=", false},
		{"text is kept as it came", "no base64 at all!", false},
		{"nothing is nothing", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := enroll.ParseData(tt.text)
			if d.Text == tt.asBytes {
				t.Errorf("kept as text: %v, want %v", d.Text, !tt.asBytes)
			}
			if got := d.Wire(); got != tt.text {
				t.Errorf("sent as %q, want %q", got, tt.text)
			}
			if got := d.Size(); got != len(tt.text) {
				t.Errorf("size %d, want %d", got, len(tt.text))
			}
		})
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	secret, data := enroll.Secret("s3cr3t-token"), enroll.TextData("124445")
	photo := enroll.TextData("124445")
	change := enroll.Change{Content: enroll.Content{Photo: &photo, Templates: []enroll.Template{{Kind: enroll.Password, Data: data}}}}
	endpoint := enroll.Endpoint{AuthToken: secret, Secret: secret}
	var text strings.Builder
	log := slog.New(slog.NewJSONHandler(&text, nil))
	for _, v := range []any{secret, data, change, &change, endpoint, &endpoint} {
		fmt.Fprintf(&text, "%v %+v %#v %s %q %x\n", v, v, v, v, v, v)
		log.Info("x", "v", v)
		out, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(out)
	}
	for _, leak := range []string{"s3cr3t", "124445", "313234343435"} {
		if strings.Contains(text.String(), leak) {
			t.Errorf("%q shows in:\n%s", leak, text.String())
		}
	}
}

func TestWallTimeIn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, zone, wall, want string }{
		{"half-hour zone", "Asia/Kolkata", "2020-09-17 12:48:28", "2020-09-17 12:48:28 +0530"},
		{"winter", "Europe/Berlin", "2026-01-15 08:00:00", "2026-01-15 08:00:00 +0100"},
		{"summer", "Europe/Berlin", "2026-07-15 08:00:00", "2026-07-15 08:00:00 +0200"},
		{"a time that occurs twice means the first", "Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25 02:30:00 +0200"},
		{"a time that never occurs keeps the offset from before", "Europe/Berlin", "2026-03-29 02:30:00", "2026-03-29 02:30:00 +0100"},
		{"after the jump", "Europe/Berlin", "2026-03-29 03:00:00", "2026-03-29 03:00:00 +0200"},
		{"twice in the south", "Australia/Lord_Howe", "2026-04-05 01:45:00", "2026-04-05 01:45:00 +1100"},
		{"a dead battery", "UTC", "2000-01-01 00:00:00", "2000-01-01 00:00:00 +0000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			zone, err := enroll.ParseZone(tt.zone)
			if err != nil {
				t.Fatal(err)
			}
			wall, err := enroll.ParseWallTime(tt.wall)
			if err != nil {
				t.Fatal(err)
			}
			if got := wall.In(zone).Format("2006-01-02 15:04:05 -0700"); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	if !enroll.WallTime("").In(time.UTC).IsZero() {
		t.Error("an unknown time is not zero")
	}
	for _, bad := range []string{"", "2026-02-30 00:00:00", "0000-00-00 00:00:00", "10: 22: 34", "2026-01-01"} {
		if _, err := enroll.ParseWallTime(bad); err == nil {
			t.Errorf("ParseWallTime(%q) gave no error", bad)
		}
	}
	for _, bad := range []string{"", "Local", "Mars/Olympus", "../etc/passwd", "+05:30"} {
		if _, err := enroll.ParseZone(bad); err == nil {
			t.Errorf("ParseZone(%q) gave no error", bad)
		}
	}
}

func TestOperationIDs(t *testing.T) {
	t.Parallel()
	ids := enroll.NewOperationIDs([32]byte{1, 2, 3, 31: 9})
	other := enroll.NewOperationIDs([32]byte{4})
	seen := make(map[enroll.OperationID]bool)
	same := 0
	for i := range enroll.ChangeID(20_000) {
		change := i
		if i%2 == 1 {
			change = i << 40 // far ones too
		}
		id := ids.Of(change)
		if len(id) != 12 || strings.Trim(string(id), "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			t.Fatalf("got %q, want 12 characters a-z0-9", id)
		}
		if seen[id] {
			t.Fatalf("%q was given twice", id)
		}
		seen[id] = true
		if back, err := ids.Change(id); err != nil || back != change {
			t.Fatalf("Change(%q) = %d, %v, want %d", id, back, err, change)
		}
		if other.Of(change) == id {
			same++
		}
	}
	if same > 0 {
		t.Errorf("%d ids do not depend on the key", same)
	}
	for _, bad := range []enroll.OperationID{"", "short", "ABCDEFGHIJKL", "zzzzzzzzzzzz", "aaaaaaaaaaaaa"} {
		if _, err := ids.Change(bad); !errors.Is(err, enroll.ErrNotOperationID) {
			t.Errorf("Change(%q): got %v, want ErrNotOperationID", bad, err)
		}
	}
}

func TestContentSurvivesStorage(t *testing.T) {
	t.Parallel()
	photo, mask := enroll.ParseData("/9j/4AAQSkY="), true
	for name, want := range map[string]enroll.Content{
		"nothing": {},
		"everything": {Serial: "SN1", Label: "Gate", TimeZone: "Asia/Kolkata", Name: "Ali", LastName: "B", Privilege: 14,
			OperationTime: "2026-01-02 03:04:05", Photo: &photo, Removed: &enroll.Removed{Kind: enroll.Card, Index: "1"},
			Templates: []enroll.Template{
				{Kind: enroll.Face, Index: "0", Algorithm: "39", Version: "3", Data: enroll.ParseData("QUJDRA==")},
				{Kind: enroll.Password, Data: enroll.TextData("124445")},
				{Kind: enroll.Face, Index: "1", Data: enroll.TextData("no base64!")}},
			Punch: &enroll.PunchDetail{Status: 255, Verify: 15, WorkCode: "3", Temperature: "36.8", Mask: &mask, Direction: enroll.DirectionIn}},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := want.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			var got enroll.Content
			if err := got.UnmarshalBinary(data); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Error("not the same after a round trip")
			}
			for n := range data { // a cut or damaged one is an error or other content, never a panic
				_ = new(enroll.Content).UnmarshalBinary(data[:n])
				bad := append([]byte(nil), data...)
				bad[n] ^= 0x55
				_ = new(enroll.Content).UnmarshalBinary(bad)
			}
		})
	}
}

func TestCheckNamesTheField(t *testing.T) {
	t.Parallel()
	device := enroll.Device{Serial: "S", StgID: "s", TimeZone: "UTC", Poll: enroll.DefaultPoll, Direction: enroll.DirectionActual}
	endpoint := enroll.Endpoint{Name: "hr", Dialect: "niya", Kinds: enroll.Updates, Ack: "status", Stop: "lane", UserIDs: "documented",
		Faces: "auto", Timeout: enroll.DefaultTimeout, MaxInFlight: 16, AuthToken: "t"}
	if err := errors.Join(device.Check(), endpoint.Check()); err != nil {
		t.Fatalf("good settings: %v", err)
	}
	for field, check := range map[string]func() error{
		"serial":        func() error { d := device; d.Serial = "a b"; return d.Check() },
		"stgid":         func() error { d := device; d.StgID = ""; return d.Check() },
		"time_zone":     func() error { d := device; d.TimeZone = "India"; return d.Check() },
		"settle":        func() error { d := device; d.Settle = time.Hour; return d.Check() },
		"poll":          func() error { d := device; d.Poll = time.Second; return d.Check() },
		"compare":       func() error { d := device; d.Compare = time.Minute; return d.Check() },
		"direction":     func() error { d := device; d.Direction = "up"; return d.Check() },
		"label":         func() error { d := device; d.Label = strings.Repeat("x", 201); return d.Check() },
		"name":          func() error { e := endpoint; e.Name = "a/b"; return e.Check() },
		"dialect":       func() error { e := endpoint; e.Dialect = "soap"; return e.Check() },
		"kinds":         func() error { e := endpoint; e.Kinds = 0; return e.Check() },
		"ack":           func() error { e := endpoint; e.Ack = "never"; return e.Check() },
		"timeout":       func() error { e := endpoint; e.Timeout = time.Hour; return e.Check() },
		"max_in_flight": func() error { e := endpoint; e.MaxInFlight = 0; return e.Check() },
		"auth_token":    func() error { e := endpoint; e.AuthToken = ""; return e.Check() },
	} {
		err, ok := errors.AsType[*enroll.InvalidError](check())
		if !ok || err.Field != field {
			t.Errorf("%s: got %v, want an InvalidError of that field", field, err)
		}
	}
}

package admin_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/admin"
	"github.com/fingerpost/fingerpost/internal/enroll"
)

// addDevice adds an approved device whose changes go to the endpoint "hr".
func (f *fixture) addDevice(t *testing.T, serial string) {
	t.Helper()
	if _, err := f.client.AddDevice(t.Context(), admin.NewDevice{Serial: serial, StgID: "stg-" + serial, TimeZone: "UTC", Endpoints: []string{"hr"}}); err != nil {
		t.Fatal(err)
	}
}

// accept commits what follows from an upload of a device.
func (f *fixture) accept(t *testing.T, serial enroll.Serial, follows enroll.Follows) {
	t.Helper()
	if err := f.db.Accept(t.Context(), serial, "OPERLOG", enroll.Needs{}, func(enroll.Known) (enroll.Follows, error) { return follows, nil }); err != nil {
		t.Fatal(err)
	}
}

// order returns what a device is asked next, "" for nothing, and answers it.
func (f *fixture) order(t *testing.T, serial enroll.Serial) string {
	t.Helper()
	o, _, err := f.db.HandOut(t.Context(), serial)
	if err != nil {
		t.Fatal(err)
	}
	if o == nil {
		return ""
	}
	f.accept(t, serial, enroll.Follows{Ended: []enroll.OrderID{o.ID}})
	return fmt.Sprintf("%s tell=%v compare=%v", o.What, o.Tell, o.Compare)
}

func TestDevices_SetChangesWhatIsGiven(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.addEndpoint(t, "hr")
	f.addEndpoint(t, "payroll")
	f.addDevice(t, "SN1")
	before, err := f.client.Device(t.Context(), "SN1")
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.client.SetDevice(t.Context(), "SN1", admin.DeviceChange{Endpoints: []string{"payroll", "hr"}, Settle: new("0s"),
		AllowFrom: []string{"192.0.2.7", "10.1.2.3/8"}, AuthToken: new("hidden"), Label: new("Gate")})
	if err != nil {
		t.Fatal(err)
	}
	want := before
	want.Endpoints, want.Settle, want.Label = []string{"payroll", "hr"}, 0, "Gate"
	want.AllowFrom = []string{"192.0.2.7/32", "10.0.0.0/8"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, err = f.client.SetDevice(t.Context(), "SN1", admin.DeviceChange{Label: new(""), AllowFrom: []string{}}); err != nil || got.Label != "" || len(got.AllowFrom) != 0 {
		t.Errorf("emptied: got %+v, %v", got, err)
	}
	status, _, body := f.send(t, "PATCH", "/api/v1/devices/SN1", `{"poll":"30s"}`)
	if status != 200 || !strings.Contains(body, `"poll":"30s"`) || strings.Contains(body, "hidden") {
		t.Errorf("got %d %s, want the new poll and no token", status, body)
	}
}

func TestDevices_SetRefuses(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.addEndpoint(t, "hr")
	f.addDevice(t, "SN1")
	f.addDevice(t, "SN2")
	f.call(t, "SN3")
	tests := []struct {
		name   string
		serial string
		change admin.DeviceChange
		status int
		field  string
		words  string
	}{
		{"a stgid that is taken", "SN1", admin.DeviceChange{StgID: new("stg-SN2")}, 409, "", `stgid "stg-SN2"`},
		{"no stgid", "SN1", admin.DeviceChange{StgID: new("")}, 422, "stgid", "want"},
		{"a bad zone", "SN1", admin.DeviceChange{TimeZone: new("Mars/Olympus")}, 422, "time_zone", "Asia/Kolkata"},
		{"an unknown endpoint", "SN1", admin.DeviceChange{Endpoints: []string{"nobody"}}, 422, "endpoints", "nobody"},
		{"no endpoint at all", "SN1", admin.DeviceChange{Endpoints: []string{}}, 422, "endpoints", "at least one"},
		{"a bad duration", "SN1", admin.DeviceChange{Settle: new("soon")}, 422, "settle", `"5s"`},
		{"a bad network", "SN1", admin.DeviceChange{AllowFrom: []string{"here"}}, 422, "allow_from", "192.0.2.0/24"},
		{"a token too long", "SN1", admin.DeviceChange{AuthToken: new(strings.Repeat("x", 4097))}, 422, "auth_token", "4096"},
		{"a device that waits for approval", "SN3", admin.DeviceChange{Label: new("x")}, 409, "", "approve it first"},
		{"no device", "SN9", admin.DeviceChange{Label: new("x")}, 404, "", `no device "SN9"`},
		{"no serial", "S N", admin.DeviceChange{Label: new("x")}, 422, "serial", "S N"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := f.client.SetDevice(t.Context(), tt.serial, tt.change)
			wantProblem(t, err, tt.status, tt.field, tt.words)
		})
	}
	if _, _, body := f.send(t, "PATCH", "/api/v1/devices/SN1", `{"serial":"SN8"}`); !strings.Contains(body, `"field":"serial"`) {
		t.Errorf("got %s, want a serial refused: replace is another thing", body)
	}
}

func TestDevices_ImportIsAllOrNothing(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.addEndpoint(t, "hr")
	f.addDevice(t, "SN0")
	one := func(serial, stgID string) admin.NewDevice {
		return admin.NewDevice{Serial: serial, StgID: stgID, TimeZone: "UTC", Endpoints: []string{"hr"}}
	}
	wrong := []struct {
		name   string
		device admin.NewDevice
		status int
		words  string
	}{
		{"a missing field", admin.NewDevice{Serial: "SN2"}, 422, "stgid"},
		{"a bad zone", admin.NewDevice{Serial: "SN2", StgID: "2", TimeZone: "x", Endpoints: []string{"hr"}}, 422, "Asia/Kolkata"},
		{"an unknown endpoint", admin.NewDevice{Serial: "SN2", StgID: "2", TimeZone: "UTC", Endpoints: []string{"nobody"}}, 422, "nobody"},
		{"a device that is there", one("SN0", "2"), 409, "approved already"},
		{"a stgid that is taken", one("SN2", "stg-SN0"), 409, `stgid "stg-SN0"`},
		{"a device twice", one("SN1", "2"), 422, "twice"},
		{"a stgid twice", one("SN2", "1"), 422, "twice"},
	}
	for _, tt := range wrong {
		t.Run(tt.name, func(t *testing.T) {
			_, err := f.client.ImportDevices(t.Context(), []admin.NewDevice{one("SN1", "1"), tt.device})
			wantProblem(t, err, tt.status, "", tt.words)
			if p, ok := errors.AsType[*admin.ProblemError](err); !ok || p.Item == nil || *p.Item != 1 {
				t.Errorf("got %v, want item 1 named", err)
			}
		})
	}
	if list, err := f.client.Devices(t.Context(), admin.Page{}); err != nil || len(list.Items) != 1 {
		t.Errorf("got %d devices, %v, want none added by halves", len(list.Items), err)
	}
	for body, words := range map[string]string{`{"serial":"SN1"}`: "not a JSON list", `[1]`: "not a JSON object", `[{"name":"x"}]`: `"field":"name"`,
		"[" + strings.Repeat("{},", 20000) + "{}]": "at most 20000"} {
		if status, _, got := f.send(t, "POST", "/api/v1/devices/import", body); status < 400 || !strings.Contains(got, words) {
			t.Errorf("got %d %s, want it refused with %q", status, got, words)
		}
	}
}

func TestDevices_ImportOfTwentyThousand(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.addEndpoint(t, "hr")
	list := make([]admin.NewDevice, 20_000)
	for i := range list {
		list[i] = admin.NewDevice{Serial: fmt.Sprintf("SN%05d", i), StgID: fmt.Sprint(i), TimeZone: "Asia/Kolkata", Endpoints: []string{"hr"},
			Label: strings.Repeat("a label ", 10)}
	}
	imported, err := f.client.ImportDevices(t.Context(), list)
	if err != nil || imported.Added != len(list) {
		t.Fatalf("got %+v, %v, want all of them", imported, err)
	}
	if d, err := f.client.Device(t.Context(), "SN19999"); err != nil || d.StgID != "19999" || d.Settle.String() != "5s" {
		t.Errorf("got %+v, %v, want the last one with the defaults", d, err)
	}
	if got := f.order(t, "SN00000"); got != "query-users tell=false compare=false" {
		t.Errorf("got order %q, want a silent query of users", got)
	}
}

func TestDevices_Sync(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.addEndpoint(t, "hr")
	f.addDevice(t, "SN1")
	f.call(t, "SN2")
	silent := "query-users tell=false compare=false"
	if got := f.order(t, "SN1"); got != silent {
		t.Errorf("added: got %q, want %q", got, silent)
	}
	for tell, want := range map[string]string{"": silent, "all": "query-users tell=true compare=false", "missing": "query-users tell=true compare=true"} {
		if d, err := f.client.SyncDevice(t.Context(), "SN1", tell); err != nil || d.Serial != "SN1" {
			t.Errorf("got %+v, %v", d, err)
		}
		if got := f.order(t, "SN1"); got != want {
			t.Errorf("tell %q: got %q, want %q", tell, got, want)
		}
	}
	_, err := f.client.SyncDevice(t.Context(), "SN1", "some")
	wantProblem(t, err, 422, "tell", `"all"`)
	_, err = f.client.SyncDevice(t.Context(), "SN2", "")
	wantProblem(t, err, 409, "", "approve it first")
	_, err = f.client.SyncDevice(t.Context(), "SN9", "")
	wantProblem(t, err, 404, "", "no device")
}

func TestDevices_Replace(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.addEndpoint(t, "hr")
	f.addDevice(t, "SN1")
	f.addDevice(t, "SN2")
	f.call(t, "SN3")
	for _, tt := range []struct {
		name, old, serial string
		status            int
		field, words      string
	}{
		{"by an approved one", "SN1", "SN2", 409, "", "approved already"},
		{"by itself", "SN1", "SN1", 422, "serial", "another terminal"},
		{"by nothing", "SN1", "", 422, "serial", "want"},
		{"of one that waits for approval", "SN3", "SN9", 409, "", "approve it first"},
		{"of none", "SN8", "SN9", 404, "", "no device"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := f.client.ReplaceDevice(t.Context(), tt.old, tt.serial)
			wantProblem(t, err, tt.status, tt.field, tt.words)
		})
	}
	got, err := f.client.ReplaceDevice(t.Context(), "SN1", "SN3")
	if err != nil || got.Serial != "SN3" || got.StgID != "stg-SN1" || got.State != "approved" || got.Address != "192.0.2.7" {
		t.Errorf("got %+v, %v, want SN3 in the place of SN1", got, err)
	}
	_, err = f.client.Device(t.Context(), "SN1")
	wantProblem(t, err, 404, "", "no device")
}

func TestDevices_RemoveRefusesWhileSomethingWaits(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.addEndpoint(t, "hr")
	f.addDevice(t, "SN1")
	e, err := f.db.Endpoint(t.Context(), "hr")
	if err != nil {
		t.Fatal(err)
	}
	change := enroll.Change{Kinds: enroll.Card, UserID: "1", ReceivedAt: time.Now()}
	f.accept(t, "SN1", enroll.Follows{Changes: []enroll.NewChange{{Change: change, To: []enroll.Recipient{{Endpoint: e.ID, Kinds: enroll.Card}}}}})
	_, err = f.client.RemoveDevice(t.Context(), "SN1", false)
	wantProblem(t, err, 409, "", `of device "SN1" 1 deliveries wait, and 0 changes`)
	if _, _, body := f.send(t, "DELETE", "/api/v1/devices/SN1?discard=perhaps", ""); !strings.Contains(body, "true or false") {
		t.Errorf("got %s, want the query refused", body)
	}
	status, _, body := f.send(t, "DELETE", "/api/v1/devices/SN1?discard=true", "")
	if want := `{"serial":"SN1","skipped":1,"dropped":0}` + "\n"; status != 200 || body != want {
		t.Errorf("got %d %s, want %s", status, body, want)
	}
	list, err := f.client.Deliveries(t.Context(), admin.DeliveryQuery{Device: "SN1"})
	if err != nil || len(list.Items) != 1 || list.Items[0].State != "skipped" || list.Items[0].Device != "SN1" {
		t.Errorf("got %+v, %v, want its delivery still to be read", list.Items, err)
	}
	_, err = f.client.RemoveDevice(t.Context(), "SN1", true)
	wantProblem(t, err, 404, "", "no device")
	f.addDevice(t, "SN1") // serial and stgid are free
}

func TestDevices_UnreadRecords(t *testing.T) {
	t.Parallel()
	var asked enroll.Serial
	f := start(t, func(c *admin.Config) {
		c.Reread = func(_ context.Context, serial enroll.Serial) (int, int, error) {
			asked = serial
			return 2, 1, nil
		}
	})
	f.addEndpoint(t, "hr")
	f.addDevice(t, "SN1")
	f.call(t, "SN2")
	for range 3 {
		f.accept(t, "SN1", enroll.Follows{Unread: []enroll.UnreadReport{{Line: []byte("SECRET=1"), Why: "a strange line"}}})
	}
	first, err := f.client.UnreadRecords(t.Context(), "SN1", admin.Page{Limit: 2})
	if err != nil || len(first.Items) != 2 || first.Items[0].Table != "OPERLOG" || first.Items[0].Why != "a strange line" {
		t.Fatalf("got %+v, %v", first, err)
	}
	rest, err := f.client.UnreadRecords(t.Context(), "SN1", admin.Page{Cursor: first.NextCursor})
	if err != nil || len(rest.Items) != 1 || rest.NextCursor != "" {
		t.Errorf("got %+v, %v, want the last one", rest, err)
	}
	if _, _, body := f.send(t, "GET", "/api/v1/devices/SN1/unread", ""); strings.Contains(body, "SECRET") {
		t.Errorf("got %s, want no content", body)
	}
	if got, err := f.client.RereadDevice(t.Context(), "SN1"); err != nil || got != (admin.Reread{Understood: 2, Left: 1}) || asked != "SN1" {
		t.Errorf("got %+v, %v of %q", got, err, asked)
	}
	_, err = f.client.RereadDevice(t.Context(), "SN2")
	wantProblem(t, err, 409, "", "approve it first")
	if got, err := f.client.DismissUnread(t.Context(), "SN1"); err != nil || got.Dismissed != 3 {
		t.Errorf("got %+v, %v, want 3 dismissed", got, err)
	}
	_, err = f.client.UnreadRecords(t.Context(), "SN1", admin.Page{Cursor: "x"})
	wantProblem(t, err, 422, "cursor", "next_cursor")
	_, err = f.client.DismissUnread(t.Context(), "SN9")
	wantProblem(t, err, 404, "", "no device")
}

func TestDevices_ShowClockLateTimesAndAlarms(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.addEndpoint(t, "hr")
	f.addDevice(t, "SN1")
	seen := enroll.Sighting{SeenAt: time.Now(), MeasuredAt: time.Now(), ClockOffset: -90 * time.Second, Family: enroll.Access}
	if err := f.db.Saw(t.Context(), map[enroll.Serial]enroll.Sighting{"SN1": seen}); err != nil {
		t.Fatal(err)
	}
	f.accept(t, "SN1", enroll.Follows{Late: 6500 * time.Millisecond, Alarms: []enroll.Alarm{{What: "users-lost", Text: "some are gone"}}})
	d, err := f.client.Device(t.Context(), "SN1")
	if err != nil {
		t.Fatal(err)
	}
	if d.Family != "acc" || d.ClockOffset == nil || d.ClockOffset.String() != "-1m30s" || d.LateTimes != 1 || d.LateSettle.String() != "6.5s" {
		t.Errorf("got %+v", d)
	}
	if len(d.Alarms) != 1 || d.Alarms[0].What != "users-lost" || d.Alarms[0].Text != "some are gone" || d.Alarms[0].At.IsZero() {
		t.Errorf("got alarms %+v", d.Alarms)
	}
}

package storetest

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// testDevicesTogether: all of a list or nothing of it.
func testDevicesTogether(t *testing.T, b *bench) {
	ctx := t.Context()
	get2(b.AddEndpoint(ctx, anEndpoint("hr")))(t)
	ok(t, b.AddDevices(ctx, []enroll.Device{aDevice("S1", "hr"), aDevice("S2", "hr")}))
	for name, wrong := range map[string]enroll.Device{
		"a device that is there":  aDevice("S2", "hr"),
		"an unknown endpoint":     aDevice("S9", "nobody"),
		"a setting out of bounds": {Serial: "S9"},
	} {
		err := b.AddDevices(ctx, []enroll.Device{aDevice("S3", "hr"), wrong, aDevice("S4", "hr")})
		if item, isItem := errors.AsType[*enroll.ItemError](err); !isItem || item.Item != 1 {
			t.Errorf("%s: got %v, want an ItemError of item 1", name, err)
		}
	}
	if list := get2(b.Devices(ctx, "", 10))(t); len(list) != 2 {
		t.Errorf("got %d devices, want the 2 of the list that was right", len(list))
	}
}

func testSetDevice(t *testing.T, b *bench) {
	ctx := t.Context()
	hr := b.set(t, "S1", "hr")
	door := get2(b.AddEndpoint(ctx, anEndpoint("door")))(t).ID
	get2(b.AddDevice(ctx, aDevice("S2", "hr")))(t)
	b.accept(t, "S1", aChange("1", 100, hr))
	got := get2(b.SetDevice(ctx, "S1", func(d *enroll.Device) error {
		d.Serial, d.ID = "other", 99 // neither is a setting
		d.StgID, d.TimeZone, d.Endpoints, d.Settle, d.AuthToken = "new", "Europe/Vienna", []string{"door"}, 9*time.Second, "another"
		d.AllowFrom = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		return nil
	}))(t)
	if got.Serial != "S1" || got.StgID != "new" || got.Settle != 9*time.Second || got.Label != "Gate" || !slices.Equal(got.Endpoints, []string{"door"}) ||
		got.AuthToken.Reveal() != "another" || len(got.AllowFrom) != 1 {
		t.Errorf("got %+v", got.Device)
	}
	known := b.learn(t, "S1", enroll.Needs{})
	if known.Device.StgID != "new" || len(known.Choices) != 1 || known.Choices[0].Endpoint != door {
		t.Errorf("a decision knows %+v, want the new settings", known.Device)
	}
	if waiting := b.page(t, b.lane(t).ID, 0); len(waiting) != 1 || waiting[0].Endpoint != hr || waiting[0].StgID != "new" {
		t.Errorf("what waited: got %+v, want it with its endpoint and the new stgid", waiting)
	}
	last := b.told[len(b.told)-1]
	if !slices.ContainsFunc(b.told, func(c enroll.Committed) bool {
		return slices.Contains(c.Devices, got.ID) && slices.Contains(c.Ordered, "S1")
	}) {
		t.Errorf("told %+v, want the device changed and asked to load its options", last)
	}
	ok2 := func(*enroll.Device) error { return nil }
	broken := errors.New("no")
	ok(t, func() error { _, err := b.AddPending(ctx, "P1", enroll.Sighting{}); return err }())
	for name, tt := range map[string]struct {
		serial enroll.Serial
		change func(*enroll.Device) error
		want   error
	}{
		"a stgid that is taken": {"S1", func(d *enroll.Device) error { d.StgID = "stg-S2"; return nil }, enroll.ErrExists},
		"a change that refuses": {"S1", func(*enroll.Device) error { return broken }, broken},
		"a pending device":      {"P1", ok2, enroll.ErrUnknownDevice},
		"no device":             {"S9", ok2, enroll.ErrNotFound},
	} {
		if _, err := b.SetDevice(ctx, tt.serial, tt.change); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
	for name, change := range map[string]func(*enroll.Device) error{
		"endpoints": func(d *enroll.Device) error { d.Endpoints = []string{"nobody"}; return nil },
		"poll":      func(d *enroll.Device) error { d.Poll = 0; return nil },
	} {
		_, err := b.SetDevice(ctx, "S1", change)
		if invalid, isInvalid := errors.AsType[*enroll.InvalidError](err); !isInvalid || invalid.Field != name {
			t.Errorf("got %v, want an InvalidError of %s", err, name)
		}
	}
	if after := get2(b.Device(ctx, "S1"))(t); !reflect.DeepEqual(after.Device, got.Device) {
		t.Errorf("after refusals: got %+v, want nothing changed", after.Device)
	}
}

func testReplaceDevice(t *testing.T, b *bench) {
	ctx := t.Context()
	hr := b.set(t, "S1", "hr")
	get2(b.AddDevice(ctx, aDevice("S2", "hr")))(t)
	ok(t, func() error { _, err := b.AddPending(ctx, "NEW", enroll.Sighting{Address: "192.0.2.9"}); return err }())
	user := enroll.Mirrored{UserID: "1", Known: true, Hashes: map[string]enroll.Hash{"card": "h"}}
	ok(t, b.Accept(ctx, "S1", "", enroll.Needs{}, follows(enroll.Follows{Users: []enroll.Mirrored{user}, Changes: []enroll.NewChange{aChange("1", 10, hr)},
		Drafts: []enroll.Draft{{Change: aChange("2", 10).Change, DueAt: b.at}}, Orders: []enroll.Order{{What: enroll.QueryUser, UserID: "1"}}})))
	before := get2(b.Device(ctx, "S1"))(t)
	if _, err := b.ReplaceDevice(ctx, "S1", "S2"); !errors.Is(err, enroll.ErrExists) {
		t.Errorf("by an approved one: got %v, want ErrExists", err)
	}
	if _, err := b.ReplaceDevice(ctx, "NEW", "S9"); !errors.Is(err, enroll.ErrUnknownDevice) {
		t.Errorf("of a pending one: got %v, want ErrUnknownDevice", err)
	}
	got := get2(b.ReplaceDevice(ctx, "S1", "NEW"))(t)
	if got.ID != before.ID || got.StgID != before.StgID || got.State != enroll.Approved || got.Address != "192.0.2.9" {
		t.Errorf("got %+v, want the same device with what was seen of the new terminal", got.Device)
	}
	known := b.learn(t, "NEW", enroll.Needs{Users: []enroll.PIN{"1"}})
	if !known.Users["1"].Known || len(known.Drafts) != 1 {
		t.Errorf("got %d users and %d drafts, want the mirror and the draft to stay", len(known.Users), len(known.Drafts))
	}
	b.accept(t, "NEW", aChange("1", 10, hr))
	sameNumbers(t, numbers(b.page(t, b.lane(t).ID, 0)), upTo(2))
	o, _, err := b.HandOut(ctx, "NEW")
	ok(t, err)
	if o == nil || o.What != enroll.QueryUsers || o.Tell {
		t.Errorf("got order %+v, want a silent query of users and nothing from before", o)
	}
	if due := get2(b.Due(ctx))(t); len(due) != 1 || due["NEW"].IsZero() {
		t.Errorf("due: got %v, want the draft of NEW", due)
	}
	if !slices.ContainsFunc(b.told, func(c enroll.Committed) bool {
		return slices.Contains(c.Due, "NEW") && slices.Contains(c.Devices, got.ID)
	}) {
		t.Error("nobody is told that the drafts of NEW need a look")
	}
	if _, err := b.Device(ctx, "S1"); !errors.Is(err, enroll.ErrNotFound) {
		t.Errorf("the old one: got %v, want ErrNotFound", err)
	}
	if added := get2(b.AddPending(ctx, "S1", enroll.Sighting{}))(t); !added || get2(b.Device(ctx, "S1"))(t).State != enroll.Pending {
		t.Error("the old one calls again: want it pending")
	}
	if unseen := get2(b.ReplaceDevice(ctx, "NEW", "S3"))(t); unseen.Address != "" || unseen.ID != before.ID {
		t.Errorf("by one that never called: got %+v", unseen.Device)
	}
}

func testRemoveDevice(t *testing.T, b *bench) {
	ctx := t.Context()
	hr := b.set(t, "S1", "hr")
	b.accept(t, "S1", aChange("1", 10, hr), aChange("2", 10, hr), aChange("3", 10, hr))
	ok(t, b.Accept(ctx, "S1", "T", enroll.Needs{}, follows(enroll.Follows{Users: []enroll.Mirrored{{UserID: "1", Known: true}},
		Drafts: []enroll.Draft{{Change: aChange("4", 10).Change, DueAt: b.at}}, Unread: []enroll.UnreadReport{{Line: []byte("x"), Why: "w"}}})))
	lane := b.lane(t).ID
	ok(t, b.Record(ctx, []enroll.Outcome{{Attempt: attempt(lane, 1, 1, true), Endpoint: hr}}))
	id := get2(b.Device(ctx, "S1"))(t).ID

	want := enroll.Owed{Deliveries: 2, Drafts: 1}
	_, err := b.RemoveDevice(ctx, "S1", false)
	if owed, isOwed := errors.AsType[*enroll.OwedError](err); !isOwed || owed.Owed != want {
		t.Errorf("while something waits: got %v, want an OwedError of %+v", err, want)
	}
	if lanes := get2(b.WaitingLanes(ctx, 0))(t); len(lanes) != 1 || lanes[0].Waiting() != 2 {
		t.Errorf("a refusal changed the lanes: %+v", lanes)
	}
	if got := get2(b.RemoveDevice(ctx, "S1", true))(t); got != want {
		t.Errorf("discarded %+v, want %+v", got, want)
	}
	if lanes := get2(b.WaitingLanes(ctx, 0))(t); len(lanes) != 0 {
		t.Errorf("got %d lanes waiting, want none", len(lanes))
	}
	var states []enroll.State
	for _, d := range get2(b.Deliveries(ctx, enroll.DeliveryFilter{Device: "S1", Limit: 10}))(t) {
		states = append(states, d.State)
		if d.Device != "S1" {
			t.Errorf("delivery %d is shown as of %q", d.N, d.Device)
		}
	}
	if !slices.Equal(states, []enroll.State{enroll.Delivered, enroll.Skipped, enroll.Skipped}) {
		t.Errorf("got %v, want one delivered and two skipped", states)
	}
	if page := b.page(t, lane, 0); len(page) != 3 || page[0].StgID != "stg-S1" {
		t.Errorf("the lane reads as %+v", page)
	}
	if !slices.ContainsFunc(b.told, func(c enroll.Committed) bool { return slices.Contains(c.Removed, id) }) {
		t.Error("nobody is told of the removal")
	}
	if _, err := b.RemoveDevice(ctx, "S1", true); !errors.Is(err, enroll.ErrNotFound) {
		t.Errorf("again: got %v, want ErrNotFound", err)
	}
	if list := get2(b.Devices(ctx, "", 10))(t); len(list) != 0 {
		t.Errorf("got %d devices listed, want none", len(list))
	}
	if due := get2(b.Due(ctx))(t); len(due) != 0 {
		t.Errorf("due: got %v", due)
	}
	again := get2(b.AddDevice(ctx, aDevice("S1", "hr")))(t)
	if known := b.learn(t, "S1", enroll.Needs{Users: []enroll.PIN{"1"}}); again.ID == id || len(known.Users)+len(known.Drafts) != 0 || again.UnreadRecords != 0 {
		t.Errorf("added again: got %+v with %d users", again.Device, len(known.Users))
	}
	b.accept(t, "S1", aChange("1", 10, hr))
	sameNumbers(t, numbers(b.page(t, b.lane(t).ID, 0)), upTo(1))

	ok(t, func() error { _, err := b.AddPending(ctx, "P1", enroll.Sighting{}); return err }())
	get2(b.RemoveDevice(ctx, "P1", false))(t)
	if _, err := b.Device(ctx, "P1"); !errors.Is(err, enroll.ErrNotFound) {
		t.Errorf("a pending one: got %v, want ErrNotFound", err)
	}
}

func testDeviceOrders(t *testing.T, b *bench) {
	ctx := t.Context()
	b.set(t, "S1", "hr")
	if !slices.ContainsFunc(b.told, func(c enroll.Committed) bool { return slices.Contains(c.Ordered, "S1") }) {
		t.Error("nobody is told that an added device is asked for its users")
	}
	for range 2 { // the second one waits already
		ok(t, b.AddOrder(ctx, "S1", enroll.Order{What: enroll.QueryUsers, Tell: true}))
	}
	var got []string
	for range 4 {
		o, _, err := b.HandOut(ctx, "S1")
		ok(t, err)
		if o == nil {
			break
		}
		got = append(got, fmt.Sprintf("%s %v", o.What, o.Tell))
		ok(t, b.Accept(ctx, "S1", "", enroll.Needs{Order: o.ID}, follows(enroll.Follows{Ended: []enroll.OrderID{o.ID}})))
	}
	if want := []string{"query-users false", "query-users true"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if err := b.AddOrder(ctx, "S9", enroll.Order{What: enroll.QueryUsers}); !errors.Is(err, enroll.ErrUnknownDevice) {
		t.Errorf("got %v, want ErrUnknownDevice", err)
	}
}

func testUnread(t *testing.T, b *bench) {
	ctx := t.Context()
	hr := b.set(t, "S1", "hr")
	get2(b.AddDevice(ctx, aDevice("S2", "hr")))(t)
	for i, serial := range []enroll.Serial{"S1", "S1", "S1", "S2"} {
		ok(t, b.Accept(ctx, serial, "OPERLOG", enroll.Needs{}, follows(enroll.Follows{
			Unread: []enroll.UnreadReport{{Line: fmt.Appendf(nil, "line %d", i), Why: "because"}}})))
	}
	list := get2(b.UnreadRecords(ctx, "S1", 0, 10))(t)
	if len(list) != 3 || list[0].Table != "OPERLOG" || list[0].Why != "because" || !list[0].ReceivedAt.Equal(b.at) {
		t.Fatalf("got %+v", list)
	}
	if page := get2(b.UnreadRecords(ctx, "S1", list[0].ID, 1))(t); len(page) != 1 || page[0] != list[1] {
		t.Errorf("a page: got %+v, want %+v", page, list[1])
	}
	if line := get2(b.UnreadLine(ctx, list[1].ID))(t); string(line) != "line 1" {
		t.Errorf("got %q, want the line as it came", line)
	}
	take := func(serial enroll.Serial, ids ...int64) error {
		return b.Accept(ctx, serial, "OPERLOG", enroll.Needs{Unread: ids}, follows(enroll.Follows{Changes: []enroll.NewChange{aChange("1", 10, hr)}}))
	}
	ok(t, take("S1", list[0].ID, list[1].ID))
	for name, err := range map[string]error{
		"one that was taken already": take("S1", list[2].ID, list[0].ID),
		"one of another device":      take("S2", list[2].ID),
	} {
		if !errors.Is(err, enroll.ErrNotFound) {
			t.Errorf("%s: got %v, want ErrNotFound", name, err)
		}
	}
	sameNumbers(t, numbers(b.page(t, b.lane(t).ID, 0)), upTo(1))
	if d := get2(b.Device(ctx, "S1"))(t); d.UnreadRecords != 1 {
		t.Errorf("got %d unread, want 1", d.UnreadRecords)
	}
	if _, err := b.UnreadLine(ctx, list[0].ID); !errors.Is(err, enroll.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	if n := get2(b.DismissUnread(ctx, "S1"))(t); n != 1 {
		t.Errorf("dismissed %d, want 1", n)
	}
	if left := get2(b.UnreadRecords(ctx, "S2", 0, 10))(t); len(left) != 1 {
		t.Errorf("of another device %d are left, want 1", len(left))
	}
}

func testAlarms(t *testing.T, b *bench) {
	ctx := t.Context()
	b.set(t, "S1", "hr")
	raise := func(f enroll.Follows) []enroll.Alarm {
		t.Helper()
		ok(t, b.Accept(ctx, "S1", "", enroll.Needs{}, follows(f)))
		b.pass(time.Second)
		return get2(b.Device(ctx, "S1"))(t).Alarms
	}
	at := b.at
	raise(enroll.Follows{Alarms: []enroll.Alarm{{What: "users-lost", Text: "first"}, {What: "other", Text: `say "so"`}}})
	got := raise(enroll.Follows{Alarms: []enroll.Alarm{{What: "users-lost", Text: "again"}}})
	want := []enroll.Alarm{{What: "users-lost", At: at, Text: "first"}, {What: "other", At: at, Text: `say "so"`}}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v, want each incident once: %+v", got, want)
	}
	if got := raise(enroll.Follows{Confirmed: true}); len(got) != 1 || got[0].What != "other" {
		t.Errorf("confirmed: got %+v, want only the other one open", got)
	}
	if got := raise(enroll.Follows{Alarms: []enroll.Alarm{{What: "users-lost", Text: "anew"}}}); len(got) != 2 || got[1].Text != "anew" {
		t.Errorf("a new incident: got %+v", got)
	}
}

package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

func testDevices(t *testing.T, b *bench) {
	ctx := t.Context()
	get2(b.AddEndpoint(ctx, anEndpoint("hr")))(t)
	get2(b.AddEndpoint(ctx, anEndpoint("door")))(t)
	want := aDevice("S1", "hr", "door")
	want.Compare = 24 * time.Hour
	got := get2(b.AddDevice(ctx, want))(t)
	want.ID, want.AddedAt, want.State = got.ID, b.at, enroll.Approved
	if !reflect.DeepEqual(got.Device, want) {
		t.Errorf("got %+v\nwant %+v", got.Device, want)
	}
	for name, try := range map[string]func() error{
		"an approved serial number": func() error { _, err := b.AddDevice(ctx, aDevice("S1", "hr")); return err },
		"a stgid that is taken": func() error {
			d := aDevice("S2", "hr")
			d.StgID = want.StgID
			_, err := b.AddDevice(ctx, d)
			return err
		},
	} {
		if err := try(); !errors.Is(err, enroll.ErrExists) {
			t.Errorf("%s: got %v, want ErrExists", name, err)
		}
	}
	_, err := b.AddDevice(ctx, aDevice("S2", "hr", "nobody"))
	if invalid, isInvalid := errors.AsType[*enroll.InvalidError](err); !isInvalid || invalid.Field != "endpoints" {
		t.Errorf("unknown endpoint: got %v, want an InvalidError of endpoints", err)
	}
	if _, err := b.Device(ctx, "S2"); !errors.Is(err, enroll.ErrNotFound) {
		t.Errorf("a refused device: got %v, want ErrNotFound", err)
	}
	if added, err := b.AddPending(ctx, "S3", enroll.Sighting{Address: "192.0.2.1"}); err != nil || !added {
		t.Errorf("pending: got %v, %v", added, err)
	}
	if err := b.Accept(ctx, "S3", "", enroll.Needs{}, follows(enroll.Follows{})); !errors.Is(err, enroll.ErrUnknownDevice) {
		t.Errorf("upload of a pending device: got %v, want ErrUnknownDevice", err)
	}
	approved := get2(b.AddDevice(ctx, aDevice("S3", "hr")))(t)
	if approved.State != enroll.Approved || approved.Address != "192.0.2.1" {
		t.Errorf("approved: got %v %q", approved.State, approved.Address)
	}
	list := get2(b.Devices(ctx, "S1", 10))(t)
	if len(list) != 1 || list[0].Serial != "S3" {
		t.Errorf("devices after S1: got %d", len(list))
	}
}

func testEndpoints(t *testing.T, b *bench) {
	ctx := t.Context()
	want := anEndpoint("hr")
	got := get2(b.AddEndpoint(ctx, want))(t)
	want.ID, want.AddedAt = got.ID, b.at
	if !reflect.DeepEqual(got.Endpoint, want) {
		t.Errorf("got %+v\nwant %+v", got.Endpoint, want)
	}
	served := get2(b.ServedEndpoints(ctx, got.ID))(t)
	if len(served) != 1 || served[0].Secret.Reveal() != want.Secret.Reveal() {
		t.Errorf("served: got %d endpoints or another secret", len(served))
	}
	if _, err := b.AddEndpoint(ctx, want); !errors.Is(err, enroll.ErrExists) {
		t.Errorf("the same name: got %v, want ErrExists", err)
	}
	if _, err := b.Endpoint(ctx, "nobody"); !errors.Is(err, enroll.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	if _, err := b.ResumeEndpoint(ctx, "nobody"); !errors.Is(err, enroll.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	if c := b.told[0]; len(c.Endpoints) != 1 || c.Endpoints[0] != got.ID {
		t.Errorf("told %+v, want the new endpoint", c)
	}
}

func testMirror(t *testing.T, b *bench) {
	b.set(t, "S1", "hr")
	want := enroll.Mirrored{UserID: "007", Known: true, Name: "Ali", LastName: "B", Privilege: 14,
		Hashes: map[string]enroll.Hash{"password": "h1", "fingerprint/6//": "h2"}}
	other := enroll.Mirrored{UserID: "8", Hashes: map[string]enroll.Hash{}}
	ok(t, b.Accept(t.Context(), "S1", "", enroll.Needs{}, follows(enroll.Follows{Users: []enroll.Mirrored{want, other}})))
	known := b.learn(t, "S1", enroll.Needs{Users: []enroll.PIN{"007", "8", "9"}})
	if len(known.Users) != 2 || !reflect.DeepEqual(known.Users["007"], want) || !reflect.DeepEqual(known.Users["8"], other) {
		t.Errorf("got %+v", known.Users)
	}
	if len(known.Choices) != 1 || known.Choices[0].Kinds != enroll.Updates|enroll.Punch || known.Choices[0].Faces != "auto" {
		t.Errorf("choices: got %+v", known.Choices)
	}
	want.Name = "Bo"
	punch := enroll.PunchKey{UserID: "8", Time: "2026-05-04 10:00:00", Status: 255, Verify: 15}
	ok(t, b.Accept(t.Context(), "S1", "", enroll.Needs{}, follows(enroll.Follows{Users: []enroll.Mirrored{want},
		Forget: []enroll.PIN{"8"}, Punches: []enroll.PunchKey{punch}})))
	known = b.learn(t, "S1", enroll.Needs{Users: []enroll.PIN{"007", "8"}, Punches: []enroll.PunchKey{punch, {UserID: "8"}}})
	if len(known.Users) != 1 || known.Users["007"].Name != "Bo" {
		t.Errorf("got %+v", known.Users)
	}
	if !known.Punches[punch] || known.Punches[enroll.PunchKey{UserID: "8"}] {
		t.Errorf("punches: got %v", known.Punches)
	}
}

func testOperations(t *testing.T, b *bench) {
	b.set(t, "S1", "hr")
	line := enroll.Operation{UserID: "1", Code: 6, Time: "2026-05-04 10:00:00", Explains: enroll.Fingerprint}
	ok(t, b.Accept(t.Context(), "S1", "", enroll.Needs{}, follows(enroll.Follows{Operations: []enroll.Operation{line}})))
	needs := enroll.Needs{Users: []enroll.PIN{"1"}}
	recent := b.learn(t, "S1", needs).Recent
	if len(recent) != 1 || recent[0].Code != 6 || recent[0].Explains != enroll.Fingerprint || !recent[0].ReceivedAt.Equal(b.at) {
		t.Fatalf("got %+v", recent)
	}
	recent[0].Used = enroll.Fingerprint
	ok(t, b.Accept(t.Context(), "S1", "", enroll.Needs{}, follows(enroll.Follows{Operations: recent})))
	b.pass(enroll.OperationMemory)
	if recent = b.learn(t, "S1", needs).Recent; len(recent) != 1 || recent[0].Used != enroll.Fingerprint {
		t.Errorf("two minutes later: got %+v", recent)
	}
	b.pass(time.Millisecond)
	if recent = b.learn(t, "S1", needs).Recent; len(recent) != 0 {
		t.Errorf("after that: got %+v, want none", recent)
	}
}

func testLanes(t *testing.T, b *bench) {
	hr := b.set(t, "S1", "hr")
	door := get2(b.AddEndpoint(t.Context(), anEndpoint("door")))(t).ID
	punch := aChange("1", 10, hr)
	punch.Kinds = enroll.Punch
	big := aChange("2", 50_000, hr, door)
	b.accept(t, "S1", aChange("1", 10, hr), big, punch)
	b.accept(t, "S1", aChange("3", 10, hr))

	lanes := get2(b.WaitingLanes(t.Context(), hr))(t)
	if len(lanes) != 2 || lanes[0].Class != enroll.ClassUpdates || lanes[0].Last != 3 || lanes[0].Waiting() != 3 || lanes[1].Class != enroll.ClassPunches {
		t.Fatalf("got %+v", lanes)
	}
	waiting := b.page(t, lanes[0].ID, 0)
	sameNumbers(t, numbers(waiting), upTo(3))
	sameNumbers(t, numbers(b.page(t, lanes[0].ID, 2)), []int64{3})
	d := waiting[1]
	if d.Change.UserID != "2" || d.StgID != "stg-S1" || d.Token.Reveal() != "own" || d.Kinds != enroll.Fingerprint || d.Device != d.Change.Device {
		t.Errorf("got %+v", d)
	}
	if !reflect.DeepEqual(d.Change.Content, big.Content) || !d.Change.ReceivedAt.Equal(big.ReceivedAt) {
		t.Error("the change's content is not what was committed")
	}
	told := b.deliveries()
	if len(told) != 5 {
		t.Fatalf("told %d deliveries, want 5", len(told))
	}
	if told[1].Change.OperationID != d.Change.OperationID || told[1].Change.OperationID != told[2].Change.OperationID {
		t.Error("a change has not the same operation id for all endpoints, told and read")
	}
	if !bytes.Equal(told[1].Change.Templates[0].Data.Bytes, d.Change.Templates[0].Data.Bytes) {
		t.Error("what was told differs from what is read")
	}
}

// testTwoWriters has many uploads of one device at once: numbers have no holes, and
// what is told comes in their order.
func testTwoWriters(t *testing.T, b *bench) {
	hr := b.set(t, "S1", "hr")
	const writers, each = 8, 25
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				pin := enroll.PIN(fmt.Sprintf("%d-%d", w, i))
				count := enroll.Needs{Users: []enroll.PIN{"counter"}}
				err := b.Accept(t.Context(), "S1", "", count, func(k enroll.Known) (enroll.Follows, error) {
					c := k.Users["counter"] // decided on what the upload before it committed
					c.UserID, c.Privilege = "counter", c.Privilege+1
					change := aChange(pin, 100, hr)
					change.Privilege = c.Privilege
					return enroll.Follows{Users: []enroll.Mirrored{c}, Changes: []enroll.NewChange{change}}, nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	list := b.page(t, b.lane(t).ID, 0)
	sameNumbers(t, numbers(list), upTo(writers*each))
	sameNumbers(t, numbers(b.deliveries()), upTo(writers*each))
	for i, d := range list {
		if d.Change.Privilege != i+1 {
			t.Fatalf("delivery %d was decided on knowledge %d", d.N, d.Change.Privilege)
		}
	}
}

// testOneFailureSparesTheOthers has failing uploads among good ones: a decision that
// fails, one that panics, and one whose writes spoil the transaction.
func testOneFailureSparesTheOthers(t *testing.T, b *bench) {
	hr := b.set(t, "S1", "hr")
	broken := errors.New("decision failed")
	twice := enroll.PunchKey{UserID: "1", Time: "2026-05-04 10:00:00"}
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			decide := follows(enroll.Follows{Changes: []enroll.NewChange{aChange("1", 100, hr)}})
			switch i % 5 {
			case 1:
				decide = func(enroll.Known) (enroll.Follows, error) { return enroll.Follows{}, broken }
			case 2:
				decide = func(enroll.Known) (enroll.Follows, error) { panic("broken upload") }
			case 3: // breaks a unique key after it wrote a change
				decide = follows(enroll.Follows{Punches: []enroll.PunchKey{twice, twice}, Changes: []enroll.NewChange{aChange("bad", 100, hr)}})
			}
			err := b.Accept(t.Context(), "S1", "", enroll.Needs{}, decide)
			if good := i%5 == 0 || i%5 == 4; good != (err == nil) {
				t.Errorf("upload %d: got %v", i, err)
			}
			if i%5 == 1 && !errors.Is(err, broken) {
				t.Errorf("upload %d: got %v, want its own error", i, err)
			}
		})
	}
	wg.Wait()
	sameNumbers(t, numbers(b.page(t, b.lane(t).ID, 0)), upTo(40))
	sameNumbers(t, numbers(b.deliveries()), upTo(40))
}

func testOutcomes(t *testing.T, b *bench) {
	hr := b.set(t, "S1", "hr")
	for range 5 {
		b.accept(t, "S1", aChange("1", 100, hr))
	}
	lane := b.lane(t).ID
	next := b.at.Add(2 * time.Second)
	failed := enroll.Outcome{Attempt: attempt(lane, 2, 1, false), Endpoint: hr, Failures: 1, NextAt: next,
		Health: &enroll.Health{SuspendedAt: b.at, Failures: 1, NextAt: next, Reason: "answered 500"}}
	group := []enroll.Outcome{{Attempt: attempt(lane, 1, 1, true), Endpoint: hr}, failed}
	ok(t, b.Record(t.Context(), group))
	check := func(when string) {
		t.Helper()
		l := b.lane(t)
		if l.Cursor != 1 || l.Attempts != 1 || l.Failures != 1 || !l.NextAt.Equal(next) {
			t.Errorf("%s: got %+v", when, l)
		}
		e := get2(b.Endpoint(t.Context(), "hr"))(t)
		if e.State() != enroll.Suspended || e.Failures != 1 || !e.NextAt.Equal(next) || e.Reason != "answered 500" || e.Waiting != 4 {
			t.Errorf("%s: got %v, %d failures, %d waiting", when, e.State(), e.Failures, e.Waiting)
		}
	}
	check("recorded")
	ok(t, b.Record(t.Context(), group)) // told twice: nothing changes
	check("recorded twice")
	ok(t, b.Record(t.Context(), []enroll.Outcome{
		{Attempt: attempt(lane, 2, 2, true), Endpoint: hr, Health: &enroll.Health{}},
		{Attempt: attempt(lane, 3, 1, true), Endpoint: hr}}))
	if l := b.lane(t); l.Cursor != 3 || l.Attempts != 0 || l.Failures != 0 || !l.NextAt.IsZero() {
		t.Errorf("after recovery: got %+v", l)
	}
	if e := get2(b.Endpoint(t.Context(), "hr"))(t); e.State() != enroll.Active || e.Failures != 0 {
		t.Errorf("after recovery: got %v", e.State())
	}
	shown := get2(b.Delivery(t.Context(), enroll.DeliveryID{Lane: lane, N: 2}))(t)
	if shown.Attempts != 2 || len(shown.Tries) != 2 || !reflect.DeepEqual(shown.Tries[0], failed.Attempt) || !shown.Tries[1].Acknowledged {
		t.Errorf("attempts: got %+v", shown.Tries)
	}
}

func attempt(lane enroll.LaneID, n int64, number int, acknowledged bool) enroll.Attempt {
	a := enroll.Attempt{DeliveryID: enroll.DeliveryID{Lane: lane, N: n}, Number: number, Acknowledged: acknowledged,
		StartedAt: time.UnixMilli(1700000000000).UTC(), Duration: 1500 * time.Microsecond, Status: 200, Answer: []byte(`{"status":"done"}`)}
	if !acknowledged {
		a.Status, a.Error = 500, "answered 500 without acknowledging"
	}
	return a
}

func testHealthIsTheOperatorsFirst(t *testing.T, b *bench) {
	hr := b.set(t, "S1", "hr")
	b.accept(t, "S1", aChange("1", 100, hr))
	lane := b.lane(t).ID
	suspend := func(number int, epoch int64) {
		t.Helper()
		ok(t, b.Record(t.Context(), []enroll.Outcome{{Attempt: attempt(lane, 1, number, false), Endpoint: hr, Failures: number,
			Health: &enroll.Health{SuspendedAt: b.at, Failures: number, NextAt: b.at, Epoch: epoch}}}))
	}
	suspend(1, 0)
	resumed := get2(b.ResumeEndpoint(t.Context(), "hr"))(t)
	if resumed.State() != enroll.Active || resumed.Failures != 0 || resumed.Epoch != 1 {
		t.Errorf("resumed: got %v, %d failures, epoch %d", resumed.State(), resumed.Failures, resumed.Epoch)
	}
	suspend(2, 0) // decided before the operator resumed
	if e := get2(b.Endpoint(t.Context(), "hr"))(t); e.State() != enroll.Active {
		t.Errorf("an outcome decided before the resumption made it %v", e.State())
	}
	suspend(3, 1)
	if e := get2(b.Endpoint(t.Context(), "hr"))(t); e.State() != enroll.Suspended {
		t.Errorf("an outcome decided after the resumption left it %v", e.State())
	}
}

func testPagesAreBounded(t *testing.T, b *bench) {
	hr := b.set(t, "S1", "hr")
	for range 10 {
		b.accept(t, "S1", aChange("1", 10_000, hr))
	}
	lane := b.lane(t).ID
	for _, tt := range []struct {
		n, bytes int
		want     int64
	}{{3, 1 << 30, 3}, {100, 1, 1}, {100, 25_000, 3}, {100, 1 << 30, 10}} {
		got := get2(b.Waiting(t.Context(), lane, 0, tt.n, tt.bytes))(t)
		sameNumbers(t, numbers(got), upTo(tt.want))
	}
}

func testDeliveryStates(t *testing.T, b *bench) {
	hr := b.set(t, "S1", "hr")
	get2(b.AddDevice(t.Context(), aDevice("S2", "hr")))(t)
	for _, serial := range []enroll.Serial{"S1", "S1", "S1", "S2"} {
		b.accept(t, serial, aChange("007", 100, hr))
	}
	lane := get2(b.WaitingLanes(t.Context(), 0))(t)[0].ID
	ok(t, b.Record(t.Context(), []enroll.Outcome{{Attempt: attempt(lane, 1, 1, true), Endpoint: hr}}))
	for _, tt := range []struct {
		name   string
		filter enroll.DeliveryFilter
		want   []int64
	}{
		{"all, lane by lane", enroll.DeliveryFilter{}, []int64{1, 2, 3, 1}},
		{"of a device", enroll.DeliveryFilter{Device: "S2"}, []int64{1}},
		{"of an endpoint", enroll.DeliveryFilter{Endpoint: "hr"}, []int64{1, 2, 3, 1}},
		{"of another endpoint", enroll.DeliveryFilter{Endpoint: "door"}, nil},
		{"waiting", enroll.DeliveryFilter{State: enroll.Waiting}, []int64{2, 3, 1}},
		{"delivered", enroll.DeliveryFilter{State: enroll.Delivered}, []int64{1}},
		{"parked", enroll.DeliveryFilter{State: enroll.Parked}, nil},
		{"after one", enroll.DeliveryFilter{After: enroll.DeliveryID{Lane: lane, N: 2}}, []int64{3, 1}},
	} {
		tt.filter.Limit = 100
		var got []int64
		for _, d := range get2(b.Deliveries(t.Context(), tt.filter))(t) {
			got = append(got, d.N)
			if d.UserID != "007" || d.Kinds != enroll.Fingerprint || d.OperationID == "" || d.Endpoint != "hr" {
				t.Errorf("%s: got %+v", tt.name, d)
			}
		}
		sameNumbers(t, got, tt.want)
	}
	if _, err := b.Delivery(t.Context(), enroll.DeliveryID{Lane: lane, N: 9}); !errors.Is(err, enroll.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func testCommittedSurvivesACrash(t *testing.T, b *bench) {
	hr := b.set(t, "S1", "hr")
	b.accept(t, "S1", aChange("1", 5000, hr), aChange("2", 10, hr))
	lane := b.lane(t).ID
	ok(t, b.Record(t.Context(), []enroll.Outcome{{Attempt: attempt(lane, 1, 1, true), Endpoint: hr}}))
	before := b.page(t, lane, 0)
	b.Opened = b.Reopen(t)
	if l := b.lane(t); l.Cursor != 1 || l.Last != 2 {
		t.Errorf("got %+v", l)
	}
	if after := b.page(t, lane, 0); !reflect.DeepEqual(after, before) {
		t.Error("deliveries are not the same after a crash")
	}
	b.accept(t, "S1", aChange("3", 10, hr))
	sameNumbers(t, numbers(b.page(t, lane, 0)), upTo(3))
}

func testOperationIDs(t *testing.T, b *bench) {
	hr := b.set(t, "S1", "hr")
	seen := make(map[enroll.OperationID]bool)
	for range 3 {
		for range 20 {
			b.accept(t, "S1", aChange("1", 10, hr))
		}
		b.Opened = b.Reopen(t)
	}
	for _, d := range b.page(t, b.lane(t).ID, 0) {
		if seen[d.Change.OperationID] {
			t.Errorf("operation id %q was given twice", d.Change.OperationID)
		}
		seen[d.Change.OperationID] = true
	}
	if len(seen) != 60 {
		t.Errorf("got %d operation ids, want 60", len(seen))
	}
}

func testAdminTokens(t *testing.T, b *bench) {
	ok(t, b.AddAdminToken(t.Context(), "aa"))
	ok(t, b.AddAdminToken(t.Context(), "aa"))
	for hash, want := range map[string]bool{"aa": true, "bb": false} {
		if got := get2(b.AdminToken(t.Context(), hash))(t); got != want {
			t.Errorf("token %s: got %v, want %v", hash, got, want)
		}
	}
	ok(t, b.Ready(t.Context()))
}

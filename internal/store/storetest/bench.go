package storetest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// A bench is a store under test with what it told of its commits.
type bench struct {
	Opened

	mu   sync.Mutex
	at   time.Time
	told []enroll.Committed
}

func (b *bench) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.at
}

func (b *bench) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at = b.at.Add(d)
}

func (b *bench) tell(c enroll.Committed) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.told = append(b.told, c)
}

// deliveries returns all that was told, in the order in which it was told.
func (b *bench) deliveries() []enroll.Delivery {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []enroll.Delivery
	for _, c := range b.told {
		list = append(list, c.Deliveries...)
	}
	return list
}

// ok ends the test if err is not nil.
func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// get ends the test if err is not nil.
func get[T any](t *testing.T, v T, err error) T {
	t.Helper()
	ok(t, err)
	return v
}

func anEndpoint(name string) enroll.Endpoint {
	return enroll.Endpoint{Name: name, URL: "https://example.org/" + name + "?key=1", Dialect: "niya", Kinds: enroll.Updates | enroll.Punch,
		Ack: "status", Stop: "lane", UserIDs: "documented", Times: "iso", DeviceFields: true, Faces: "auto", AppendStgID: true,
		RootCopies: true, Timeout: 7 * time.Second, MaxInFlight: 3, AuthToken: "auth-" + enroll.Secret(name), Secret: "whsec_" + enroll.Secret(name)}
}

func aDevice(serial enroll.Serial, endpoints ...string) enroll.Device {
	return enroll.Device{Serial: serial, StgID: "stg-" + enroll.StgID(serial), TimeZone: "Asia/Kolkata", Label: "Gate", Site: "North",
		Endpoints: endpoints, Settle: 5 * time.Second, Direction: enroll.DirectionIn, Poll: 10 * time.Second, Roaming: true, AuthToken: "own"}
}

// set adds an endpoint and a device, and returns the endpoint's id.
func (b *bench) set(t *testing.T, serial enroll.Serial, endpoint string) enroll.EndpointID {
	t.Helper()
	e := get2(b.AddEndpoint(t.Context(), anEndpoint(endpoint)))(t)
	get2(b.AddDevice(t.Context(), aDevice(serial, endpoint)))(t)
	return e.ID
}

// get2 is get for calls with two results.
func get2[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		return get(t, v, err)
	}
}

// aChange is a change of user pin with a template of so many bytes, for endpoints.
func aChange(pin enroll.PIN, bytes int, to ...enroll.EndpointID) enroll.NewChange {
	data := make([]byte, bytes)
	for i := range data {
		data[i] = byte(i*7 + len(pin))
	}
	n := enroll.NewChange{Change: enroll.Change{Kinds: enroll.Fingerprint, UserID: pin, ReceivedAt: time.UnixMilli(1234567890123).UTC(),
		Content: enroll.Content{Serial: "S", TimeZone: "Asia/Kolkata", Name: "Ali", Privilege: 14, OperationTime: "2026-05-04 10:00:00",
			Templates: []enroll.Template{{Kind: enroll.Fingerprint, Index: "6", Data: enroll.Data{Bytes: data}}}}}}
	for _, id := range to {
		n.To = append(n.To, enroll.Recipient{Endpoint: id, Kinds: enroll.Fingerprint})
	}
	return n
}

// accept commits changes of a device.
func (b *bench) accept(t *testing.T, serial enroll.Serial, changes ...enroll.NewChange) {
	t.Helper()
	ok(t, b.Accept(t.Context(), serial, "OPERLOG", enroll.Needs{}, follows(enroll.Follows{Changes: changes})))
}

func follows(f enroll.Follows) enroll.Decision {
	return func(enroll.Known) (enroll.Follows, error) { return f, nil }
}

// learn returns what is known of a device.
func (b *bench) learn(t *testing.T, serial enroll.Serial, needs enroll.Needs) enroll.Known {
	t.Helper()
	var known enroll.Known
	ok(t, b.Accept(t.Context(), serial, "", needs, func(k enroll.Known) (enroll.Follows, error) {
		known = k
		return enroll.Follows{}, nil
	}))
	return known
}

// lane returns the only lane with something waiting.
func (b *bench) lane(t *testing.T) enroll.Lane {
	t.Helper()
	lanes := get2(b.WaitingLanes(t.Context(), 0))(t)
	if len(lanes) != 1 {
		t.Fatalf("%d lanes wait, want 1", len(lanes))
	}
	return lanes[0]
}

func (b *bench) page(t *testing.T, lane enroll.LaneID, after int64) []enroll.Delivery {
	t.Helper()
	return get2(b.Waiting(t.Context(), lane, after, 1000, 1<<30))(t)
}

func numbers(list []enroll.Delivery) []int64 {
	var n []int64
	for _, d := range list {
		n = append(n, d.N)
	}
	return n
}

func upTo(n int64) []int64 {
	var list []int64
	for i := int64(1); i <= n; i++ {
		list = append(list, i)
	}
	return list
}

func sameNumbers(t *testing.T, got, want []int64) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got deliveries %v, want %v", got, want)
	}
}

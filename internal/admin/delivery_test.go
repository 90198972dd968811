package admin_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/admin"
	"github.com/fingerpost/fingerpost/internal/enroll"
)

// withDeliveries is a fixture in which device SN1 owes three changes to endpoint hr;
// the first is acknowledged at the second attempt.
func withDeliveries(t *testing.T) *fixture {
	t.Helper()
	f := start(t)
	f.addEndpoint(t, "hr")
	f.addEndpoint(t, "payroll")
	if _, err := f.client.AddDevice(t.Context(), admin.NewDevice{Serial: "SN1", StgID: "gate", TimeZone: "UTC", Endpoints: []string{"hr"}}); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []enroll.Kinds{enroll.User | enroll.Password, enroll.Card, enroll.Fingerprint} {
		err := f.db.Accept(t.Context(), "SN1", "OPERLOG", enroll.Needs{}, func(k enroll.Known) (enroll.Follows, error) {
			c := enroll.Change{Device: k.Device.ID, Kinds: kind, UserID: "007", ReceivedAt: k.At}
			c.Templates = []enroll.Template{{Kind: kind, Data: enroll.TextData("hidden")}}
			return enroll.Follows{Changes: []enroll.NewChange{{Change: c, To: []enroll.Recipient{{Endpoint: k.Choices[0].Endpoint, Kinds: kind}}}}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	list, err := f.db.Deliveries(t.Context(), enroll.DeliveryFilter{Limit: 10})
	if err != nil || len(list) != 3 {
		t.Fatalf("got %d deliveries, %v, want 3", len(list), err)
	}
	hr, err := f.db.Endpoint(t.Context(), "hr")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	failed := enroll.Attempt{DeliveryID: list[0].DeliveryID, Number: 1, StartedAt: at, Duration: 1234567 * time.Microsecond,
		Status: 500, Error: "status 500", Answer: []byte("broken\xff")}
	done := enroll.Attempt{DeliveryID: list[0].DeliveryID, Number: 2, StartedAt: at.Add(2 * time.Second), Status: 200,
		Duration: 20 * time.Millisecond, Acknowledged: true, Answer: []byte(`{"status":"done"}`)}
	if err := f.db.Record(t.Context(), []enroll.Outcome{{Attempt: failed, Endpoint: hr.ID, Failures: 1}}); err != nil {
		t.Fatal(err)
	}
	if err := f.db.Record(t.Context(), []enroll.Outcome{{Attempt: done, Endpoint: hr.ID}}); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestDeliveries_ListChooses(t *testing.T) {
	t.Parallel()
	f := withDeliveries(t)
	tests := []struct {
		query string
		want  []float64 // sequences
	}{
		{"", []float64{1, 2, 3}},
		{"?state=waiting", []float64{2, 3}},
		{"?state=delivered", []float64{1}},
		{"?state=parked", nil},
		{"?endpoint=hr&device=SN1", []float64{1, 2, 3}},
		{"?endpoint=payroll", nil},
		{"?device=SN2", nil},
	}
	for _, tt := range tests {
		t.Run("query "+tt.query, func(t *testing.T) {
			t.Parallel()
			_, _, body := f.send(t, "GET", "/api/v1/deliveries"+tt.query, "")
			var got []float64
			items, _ := decode(t, body)["items"].([]any)
			for _, item := range items {
				got = append(got, item.(map[string]any)["sequence"].(float64))
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %v, want %v: %s", got, tt.want, body)
			}
			if strings.Contains(body, "hidden") || strings.Contains(body, "tries") || strings.Contains(body, "broken") {
				t.Errorf("got %s, want no credential, no attempts and no answers in a list", body)
			}
		})
	}
	t.Run("pages follow one another", func(t *testing.T) {
		t.Parallel()
		first, err := f.client.Deliveries(t.Context(), admin.DeliveryQuery{Page: admin.Page{Limit: 2}, Endpoint: "hr"})
		if err != nil {
			t.Fatal(err)
		}
		rest, err := f.client.Deliveries(t.Context(), admin.DeliveryQuery{Page: admin.Page{Limit: 2, Cursor: first.NextCursor}, Endpoint: "hr"})
		if err != nil {
			t.Fatal(err)
		}
		if len(first.Items) != 2 || len(rest.Items) != 1 || rest.Items[0].Sequence != 3 || rest.NextCursor != "" {
			t.Errorf("got %v, then %v, want 1 and 2, then 3", first.Items, rest.Items)
		}
	})
}

func TestDeliveries_ShowHasEveryAttempt(t *testing.T) {
	t.Parallel()
	f := withDeliveries(t)
	list, err := f.client.Deliveries(t.Context(), admin.DeliveryQuery{State: "delivered"})
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("got %v, %v, want one delivery", list.Items, err)
	}
	_, _, body := f.send(t, "GET", "/api/v1/deliveries/"+list.Items[0].ID, "")
	got := decode(t, body)
	for _, varies := range []string{"id", "operation_id", "received_at"} {
		if text, _ := got[varies].(string); text == "" {
			t.Errorf("got no %s, want one", varies)
		}
		delete(got, varies)
	}
	want := map[string]any{
		"endpoint": "hr", "device": "SN1", "class": "updates", "state": "delivered", "sequence": 1.0,
		"kinds": []any{"user", "password"}, "user_id": "007", "attempts": 2.0,
		"tries": []any{
			map[string]any{"attempt": 1.0, "started_at": "2030-01-02T03:04:05.000Z", "duration": "1.235s", "status": 500.0,
				"acknowledged": false, "error": "status 500", "answer": "broken�"},
			map[string]any{"attempt": 2.0, "started_at": "2030-01-02T03:04:07.000Z", "duration": "20ms", "status": 200.0,
				"acknowledged": true, "error": "", "answer": `{"status":"done"}`},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestEndpoints_TellWhatTheyAreOwed(t *testing.T) {
	t.Parallel()
	f := withDeliveries(t)
	e, err := f.client.Endpoint(t.Context(), "hr")
	if err != nil {
		t.Fatal(err)
	}
	if e.Waiting != 2 {
		t.Errorf("got %d waiting, want 2", e.Waiting)
	}
}

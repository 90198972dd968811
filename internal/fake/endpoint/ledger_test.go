package endpoint_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fingerpost/fingerpost/internal/fake/endpoint"
)

// got is a callback of lane "a" whose operation id and body follow its sequence.
func got(sequence int64, status int) endpoint.Received {
	id := fmt.Sprintf("op%d", sequence)
	return endpoint.Received{Lane: "a", Sequence: sequence, Attempt: 1, OperationID: id, Body: []byte(id), Status: status}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	with := func(r endpoint.Received, change func(*endpoint.Received)) endpoint.Received {
		change(&r)
		return r
	}
	tests := []struct {
		name     string
		received []endpoint.Received
		want     []string // a part of each breach
	}{
		{"nothing", nil, nil},
		{"in order", []endpoint.Received{got(1, 200), got(2, 201), got(3, 200)}, nil},
		{"two lanes count for themselves", []endpoint.Received{got(1, 200),
			with(got(1, 200), func(r *endpoint.Received) { r.Lane = "b" }), got(2, 200)}, nil},
		{"failed ones come again", []endpoint.Received{got(1, 500), got(1, 0), got(1, 200), got(2, 200)}, nil},
		{"repeats in order after a crash", []endpoint.Received{got(1, 200), got(2, 200), got(3, 200), got(2, 200), got(3, 200), got(4, 200)}, nil},
		{"lane begins late", []endpoint.Received{got(2, 200), got(3, 200)}, []string{"sequence 2 attempt 1 operation \"op2\": sequence 1 is owed"}},
		{"hole", []endpoint.Received{got(1, 200), got(3, 200), got(4, 200)}, []string{"sequence 2 is owed"}},
		{"changed order", []endpoint.Received{got(1, 200), got(3, 200), got(2, 200)}, []string{"sequence 2 is owed", "sequence 4 is owed"}},
		{"goes on after a failure", []endpoint.Received{got(1, 500), got(2, 200)}, []string{"sequence 1 is owed"}},
		{"hole in the repeats", []endpoint.Received{got(1, 200), got(2, 200), got(3, 200), got(1, 200), got(3, 200)}, []string{"sequence 2 is owed"}},
		{"repeat with another body", []endpoint.Received{got(1, 500),
			with(got(1, 200), func(r *endpoint.Received) { r.Body = []byte("x") })}, []string{"another body"}},
		{"repeat with another operation id", []endpoint.Received{got(1, 500),
			with(got(1, 200), func(r *endpoint.Received) { r.OperationID = "x" })}, []string{"another operation id"}},
		{"operation told twice", []endpoint.Received{got(1, 200),
			with(got(2, 200), func(r *endpoint.Received) { r.OperationID = "op1" })}, []string{"at sequence 1 already"}},
		{"two in flight", []endpoint.Received{got(1, 200),
			with(got(2, 200), func(r *endpoint.Received) { r.Overlaps = true })}, []string{"in flight"}},
		{"no lane", []endpoint.Received{with(got(1, 200), func(r *endpoint.Received) { r.Lane = "" })}, []string{"missing"}},
		{"no sequence", []endpoint.Received{got(0, 200)}, []string{"missing"}},
		{"no attempt", []endpoint.Received{with(got(1, 200), func(r *endpoint.Received) { r.Attempt = 0 })}, []string{"attempt"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			breaches := endpoint.Check(tt.received)
			if len(breaches) != len(tt.want) {
				t.Fatalf("got %d breaches %q, want %d", len(breaches), breaches, len(tt.want))
			}
			for i, want := range tt.want {
				if !strings.Contains(breaches[i], want) {
					t.Errorf("got %q, want it to say %q", breaches[i], want)
				}
			}
		})
	}
}

func TestLedger_CountsAndAllows(t *testing.T) {
	t.Parallel()
	again := got(3, 200)
	again.OperationID, again.Body = "op1", []byte("op1")
	ledger := endpoint.Ledger{AllowResent: true}
	for _, r := range []endpoint.Received{got(1, 200), got(2, 200), got(2, 200), again, got(4, 500)} {
		ledger.Add(r)
	}
	if breaches := ledger.Breaches(); len(breaches) != 0 {
		t.Errorf("got breaches %q, want none", breaches)
	}
	if got, want := ledger.Repeats(), 1; got != want {
		t.Errorf("got %d repeats, want %d", got, want)
	}
	if got, want := ledger.Acknowledged()["a"], int64(3); got != want {
		t.Errorf("got %d acknowledged, want %d", got, want)
	}
}

package endpoint_test

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/fingerpost/fingerpost/callback"
	"github.com/fingerpost/fingerpost/internal/fake/endpoint"
)

// told is a callback of user 7 that was acknowledged.
func told(sequence int64, c callback.Callback) endpoint.Received {
	return endpoint.Received{StgID: "gate", Lane: "l", Sequence: sequence, OperationID: fmt.Sprint(sequence),
		Status: http.StatusOK, Callback: c}
}

func credential(of callback.Type, index, data string) callback.Callback {
	return callback.Callback{User: &callback.UserUpdated{UserID: "7", FirstName: "Asha", UserType: "User",
		Template: []callback.Template{{Type: of, Index: index, Data: callback.Masked(data)}}}}
}

func removal(of callback.Type, index string) callback.Callback {
	return callback.Callback{Removed: &callback.CredentialRemoved{UserID: "7", Type: of, Index: index}}
}

func TestPicture(t *testing.T) {
	t.Parallel()
	photo := callback.Callback{User: &callback.UserUpdated{UserID: "7", FirstName: "Asha", UserType: "Admin",
		Photo: &callback.Photo{Data: "cGhvdG8="}}}
	tests := []struct {
		name  string
		calls []callback.Callback
		want  string // facts but name and last name, as fmt prints the map; "" for no user
	}{
		{"each credential is a fact", []callback.Callback{credential(callback.Password, "", "123"), credential(callback.Card, "", "5"), credential(callback.Card, "1", "6")},
			"map[card:5 card/1:6 password:123 role:User]"},
		{"templates are known by their digest", []callback.Callback{credential(callback.Fingerprint, "6", "q"), credential(callback.Fingerprint, "6", "R")},
			"map[finger/6:" + digestOf(t, "R") + " role:User]"},
		{"a picture brings the role", []callback.Callback{photo}, "map[photo:" + digestOf(t, "cGhvdG8=") + " role:Admin]"},
		{"a removed card leaves the other", []callback.Callback{credential(callback.Card, "", "5"), credential(callback.Card, "1", "6"), removal(callback.Card, "")},
			"map[card/1:6 role:User]"},
		{"the only finger is the one that was removed", []callback.Callback{credential(callback.Fingerprint, "6", "R"), removal(callback.Fingerprint, "")},
			"map[role:User]"},
		{"one of two fingers that was removed is not known", []callback.Callback{credential(callback.Fingerprint, "6", "R"), credential(callback.Fingerprint, "7", "R"), removal(callback.Fingerprint, "")},
			"map[finger/6:? finger/7:? role:User]"},
		{"a face goes with all rows", []callback.Callback{credential(callback.Face, "0", "R"), credential(callback.Face, "1", "R"), removal(callback.Face, "")},
			"map[role:User]"},
		{"a deleted user is gone", []callback.Callback{credential(callback.Card, "", "5"), {Deleted: &callback.UserDeleted{UserID: "7"}}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p endpoint.Picture
			for i, c := range tt.calls {
				p.Add(told(int64(i+1), c))
			}
			got := ""
			if facts, known := p.Users("gate")["7"]; known {
				delete(facts, "name")
				delete(facts, "last-name")
				got = fmt.Sprint(facts)
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// digestOf returns the digest that a picture has of a template.
func digestOf(t *testing.T, data string) string {
	t.Helper()
	var p endpoint.Picture
	p.Add(told(1, credential(callback.Face, "0", data)))
	digest := p.Users("gate")["7"]["face/0"]
	if len(digest) != 16 || strings.Contains(digest, data) {
		t.Fatalf("got digest %q, want 16 digits", digest)
	}
	return digest
}

func TestPicture_CountsOnlyWhatIsNewAndAcknowledged(t *testing.T) {
	t.Parallel()
	var p endpoint.Picture
	punch := callback.Callback{Punch: &callback.PunchLog{UserID: "7"}}
	failed := told(3, credential(callback.Password, "", "no"))
	failed.Status = http.StatusInternalServerError
	for _, r := range []endpoint.Received{
		told(1, credential(callback.Password, "", "old")), told(2, credential(callback.Password, "", "new")),
		told(1, credential(callback.Password, "", "old")), failed,
	} {
		p.Add(r)
	}
	if got := p.Users("gate")["7"]["password"]; got != "new" {
		t.Error("got another password, want that of the last new callback that was acknowledged")
	}
	for range 2 {
		p.Add(told(3, punch))
	}
	if got := p.Punches("gate"); got != 1 {
		t.Errorf("got %d punches, want 1", got)
	}
	if got := p.Punches("other") + len(p.Users("other")); got != 0 {
		t.Errorf("got %d facts of a device that told nothing, want none", got)
	}
}

func TestDiff_NamesUserAndFactAndNoValue(t *testing.T) {
	t.Parallel()
	got := map[string]map[string]string{
		"1": {"name": "A", "password": "secret", "card": "5", "finger/1": endpoint.Unsure, "face/0": "x"},
		"2": {"name": "B"},
	}
	want := map[string]map[string]string{
		"1": {"name": "A", "password": "another", "photo": "p", "finger/1": "f"},
		"3": {"name": "C"},
	}
	found := endpoint.Diff(got, want, func(fact string) bool { return strings.HasPrefix(fact, "face/") })
	if expected := []string{
		`user "1": card is known and not held`,
		`user "1": password is another one`,
		`user "1": photo is held and not known`,
		`user "2" is known and not held`,
		`user "3" is held and not known`,
	}; !reflect.DeepEqual(found, expected) {
		t.Errorf("got %q, want %q", found, expected)
	}
	if found := endpoint.Diff(got, got, nil); found != nil {
		t.Errorf("got %q between equals, want nothing", found)
	}
}

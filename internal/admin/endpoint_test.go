package admin_test

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/callback"
	"github.com/fingerpost/fingerpost/internal/admin"
	"github.com/fingerpost/fingerpost/internal/enroll"
)

func enrollSerial(i int) enroll.Serial { return enroll.Serial("SN" + string(rune('0'+i))) }

func TestEndpoints_AddWithDefaults(t *testing.T) {
	t.Parallel()
	f := start(t)
	status, header, body := f.send(t, "POST", "/api/v1/endpoints", `{"name":"hr","url":"https://hr.example.com/cb?a=1&b=2"}`)
	if status != 201 || header.Get("Location") != "/api/v1/endpoints/hr" {
		t.Fatalf("got %d %q %s, want 201 and where it is", status, header.Get("Location"), body)
	}
	got := decode(t, body)
	secret, _ := got["secret"].(string)
	made, _ := got["auth_token"].(string)
	if _, err := callback.Sign(secret, "id", time.Now(), nil); err != nil {
		t.Errorf("got secret that signs nothing: %v", err)
	}
	if !regexp.MustCompile(`^[a-zA-Z0-9]{32}$`).MatchString(made) {
		t.Errorf("got token %q, want 32 letters and digits", made)
	}
	for _, once := range []string{"added_at", "secret", "auth_token"} {
		delete(got, once)
	}
	want := map[string]any{
		"name": "hr", "url": "https://hr.example.com/cb?a=1&b=2", "dialect": "niya",
		"kinds": []any{"user", "password", "card", "fingerprint", "face", "palm", "photo"},
		"ack":   "status", "stop": "lane", "timeout": "30s", "max_in_flight": 16.0, "user_id": "documented", "times": "",
		"device_fields": false, "face": "auto", "append_stgid": true, "root_copies": false,
		"state": "active", "reason": "", "suspended_at": nil, "failures": 0.0, "next_attempt_at": nil, "waiting": 0.0, "blocked_lanes": 0.0,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}

	for _, path := range []string{"/api/v1/endpoints", "/api/v1/endpoints/hr"} {
		_, _, body := f.send(t, "GET", path, "")
		if strings.Contains(body, secret) || strings.Contains(body, made) || strings.Contains(body, "auth_token") {
			t.Errorf("%s: got %s, want secret and token shown once only", path, body)
		}
	}
	again := f.addEndpoint(t, "payroll")
	if again.AuthToken == made || again.Secret == secret {
		t.Error("got the same token or secret twice, want new ones")
	}
}

func TestEndpoints_AddWithEverything(t *testing.T) {
	t.Parallel()
	f := start(t)
	_, _, body := f.send(t, "POST", "/api/v1/endpoints", `{"name":"hr","url":"http://h/","auth_token":"given-token","dialect":"niya",
		"kinds":["all"],"ack":"body","stop":"lane","timeout":"2m","max_in_flight":1,"user_id":"string","times":"iso",
		"device_fields":true,"face":"auto","append_stgid":false,"root_copies":true}`)
	got := decode(t, body)
	for field, want := range map[string]any{
		"kinds": []any{"user", "password", "card", "fingerprint", "face", "palm", "photo", "user-deleted", "punch"},
		"ack":   "body", "timeout": "2m", "max_in_flight": 1.0, "user_id": "string", "times": "iso",
		"device_fields": true, "append_stgid": false, "root_copies": true,
	} {
		if !reflect.DeepEqual(got[field], want) {
			t.Errorf("%s: got %v, want %v", field, got[field], want)
		}
	}
	if strings.Contains(body, "given-token") {
		t.Errorf("got %s, want a token that was given not to come back", body)
	}
}

func TestEndpoints_ResumeMakesActive(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.addEndpoint(t, "hr")
	e, err := f.client.ResumeEndpoint(t.Context(), "hr")
	if err != nil {
		t.Fatal(err)
	}
	if e.Name != "hr" || e.State != "active" || !e.NextAttemptAt.IsZero() {
		t.Errorf("got %+v, want it active", e)
	}
}

func TestEndpoints_ListComesInPages(t *testing.T) {
	t.Parallel()
	f := start(t)
	for _, name := range []string{"c", "a", "b"} {
		f.addEndpoint(t, name)
	}
	first, err := f.client.Endpoints(t.Context(), admin.Page{Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	rest, err := f.client.Endpoints(t.Context(), admin.Page{Limit: 2, Cursor: first.NextCursor})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range append(first.Items, rest.Items...) {
		got = append(got, e.Name)
	}
	if want := []string{"a", "b", "c"}; !reflect.DeepEqual(got, want) || rest.NextCursor != "" {
		t.Errorf("got %v and cursor %q, want %v and the end", got, rest.NextCursor, want)
	}
}

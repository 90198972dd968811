package admin_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/fingerpost/fingerpost/internal/admin"
)

func TestDevices_AddListShow(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.addEndpoint(t, "hr")
	status, header, body := f.send(t, "POST", "/api/v1/devices", `{"serial":"SN1","stgid":"gate","time_zone":"Asia/Kolkata",
		"endpoints":["hr","hr"],"label":"Main gate","site":"Pune","settle":"90s","direction":"in","poll":"20s","auth_token":"hidden"}`)
	if status != 201 || header.Get("Location") != "/api/v1/devices/SN1" {
		t.Fatalf("got %d %q %s, want 201 and where it is", status, header.Get("Location"), body)
	}
	got := decode(t, body)
	delete(got, "added_at")
	want := map[string]any{
		"serial": "SN1", "state": "approved", "stgid": "gate", "time_zone": "Asia/Kolkata", "endpoints": []any{"hr"},
		"label": "Main gate", "site": "Pune", "settle": "1m30s", "direction": "in", "poll": "20s",
		"roaming": false, "allow_from": []any{}, "compare": "0s",
		"last_seen_at": nil, "address": "", "protocol": "", "firmware": "", "unread_records": 0.0, "clock_offset": nil,
		"family": "", "late_times": 0.0, "late_settle": "0s", "alarms": []any{},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, path := range []string{"/api/v1/devices", "/api/v1/devices/SN1"} {
		if _, _, body := f.send(t, "GET", path, ""); strings.Contains(body, "hidden") || !strings.Contains(body, `"serial":"SN1"`) {
			t.Errorf("%s: got %s, want the device without its token", path, body)
		}
	}
}

func TestDevices_AddRefuses(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.addEndpoint(t, "hr")
	good := admin.NewDevice{Serial: "SN1", StgID: "gate", TimeZone: "UTC", Endpoints: []string{"hr"}}
	if _, err := f.client.AddDevice(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(*admin.NewDevice)
		status int
		field  string
		words  string
	}{
		{"a missing stgid", func(d *admin.NewDevice) { d.StgID = "" }, 422, "stgid", "want the id"},
		{"all that is missing at once", func(d *admin.NewDevice) { *d = admin.NewDevice{} }, 422, "serial", "time_zone"},
		{"a bad time zone", func(d *admin.NewDevice) { d.TimeZone = "Asia/Atlantis" }, 422, "time_zone", "Asia/Kolkata"},
		{"an unknown endpoint", func(d *admin.NewDevice) { d.Endpoints = []string{"hr", "payroll"} }, 422, "endpoints", "payroll"},
		{"what can be no endpoint", func(d *admin.NewDevice) { d.Endpoints = []string{"a b"} }, 422, "endpoints", "a b"},
		{"a bad settle", func(d *admin.NewDevice) { d.Settle = "5" }, 422, "settle", `"5s"`},
		{"a settle out of bounds", func(d *admin.NewDevice) { d.Settle = "1h" }, 422, "settle", "0s to 10m"},
		{"a bad poll", func(d *admin.NewDevice) { d.Poll = "1s" }, 422, "poll", "2s to 1m"},
		{"a bad direction", func(d *admin.NewDevice) { d.Direction = "up" }, 422, "direction", "actual, in or out"},
		{"a token too long", func(d *admin.NewDevice) { d.AuthToken = strings.Repeat("x", 4097) }, 422, "auth_token", "4096"},
		{"a device that is there", func(d *admin.NewDevice) { d.Serial = "SN1"; d.StgID = "other" }, 409, "", "approved already"},
		{"a stgid that is taken", func(d *admin.NewDevice) { d.StgID = "gate" }, 409, "", `stgid "gate"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := good
			d.Serial, d.StgID = "SN2", "door"
			tt.change(&d)
			_, err := f.client.AddDevice(t.Context(), d)
			wantProblem(t, err, tt.status, tt.field, tt.words)
		})
	}
}

func TestDevices_Approve(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.call(t, "SN1")
	f.call(t, "SN2")

	pending, err := f.client.Device(t.Context(), "SN1")
	if err != nil {
		t.Fatal(err)
	}
	if pending.State != "pending" || pending.LastSeenAt.IsZero() {
		t.Errorf("got %+v, want it pending and seen", pending)
	}
	_, err = f.client.ApproveDevice(t.Context(), admin.NewDevice{Serial: "SN1"})
	wantProblem(t, err, 422, "endpoints", "fingerpost endpoint add")

	f.addEndpoint(t, "hr")
	approved, err := f.client.ApproveDevice(t.Context(), admin.NewDevice{Serial: "SN1"})
	if err != nil {
		t.Fatal(err)
	}
	if approved.State != "approved" || approved.StgID != "SN1" || approved.TimeZone != "Europe/Vienna" ||
		!reflect.DeepEqual(approved.Endpoints, []string{"hr"}) || approved.Settle.String() != "5s" || approved.Poll.String() != "10s" {
		t.Errorf("got %+v, want the documented defaults", approved)
	}
	_, err = f.client.ApproveDevice(t.Context(), admin.NewDevice{Serial: "SN1"})
	wantProblem(t, err, 409, "", "approved already")

	f.addEndpoint(t, "payroll")
	_, err = f.client.ApproveDevice(t.Context(), admin.NewDevice{Serial: "SN2"})
	wantProblem(t, err, 422, "endpoints", "several endpoints")
	_, _, body := f.send(t, "POST", "/api/v1/devices/SN2/approve", `{"serial":"SN3","endpoints":["hr"]}`)
	if !strings.Contains(body, `"field":"serial"`) {
		t.Errorf("got %s, want the other serial refused", body)
	}
}

func TestDevices_ListComesInPages(t *testing.T) {
	t.Parallel()
	f := start(t)
	for i := range 5 {
		f.call(t, enrollSerial(i))
	}
	var got []string
	page := admin.Page{Limit: 2}
	for range 3 {
		list, err := f.client.Devices(t.Context(), page)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list.Items {
			got = append(got, d.Serial)
		}
		page.Cursor = list.NextCursor
	}
	if want := []string{"SN0", "SN1", "SN2", "SN3", "SN4"}; !reflect.DeepEqual(got, want) || page.Cursor != "" {
		t.Errorf("got %v and cursor %q, want %v and the end", got, page.Cursor, want)
	}
	if _, _, body := f.send(t, "GET", "/api/v1/devices?cursor=SN4", ""); body != `{"items":[],"next_cursor":""}`+"\n" {
		t.Errorf("got %s, want an empty list and not null", body)
	}
}

func TestDevices_WithoutAZoneOfTheGatewayOneMustBeNamed(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *admin.Config) { c.DefaultZone = "" })
	f.addEndpoint(t, "hr")
	f.call(t, "SN1")
	_, err := f.client.ApproveDevice(t.Context(), admin.NewDevice{Serial: "SN1"})
	wantProblem(t, err, 422, "time_zone", "Asia/Kolkata")
	if _, err := f.client.ApproveDevice(t.Context(), admin.NewDevice{Serial: "SN1", TimeZone: "UTC"}); err != nil {
		t.Errorf("got %v, want it approved", fmt.Sprint(err))
	}
}

package daemon_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/admin"
	"github.com/fingerpost/fingerpost/internal/enroll"
	"github.com/fingerpost/fingerpost/internal/seal"
	"github.com/fingerpost/fingerpost/internal/store/sqlite"
)

// leaveUnread makes a store with a device that has unread records, as a version left
// them that understood less.
func leaveUnread(t *testing.T, dir, key string, lines ...string) {
	t.Helper()
	box, err := seal.OpenFile(key)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir, Box: box})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- db.Run(ctx) }()
	if _, err := db.AddEndpoint(t.Context(), enroll.Endpoint{Name: "hr", URL: "http://127.0.0.1:9/", Dialect: "niya", Kinds: enroll.Updates, Ack: "status",
		Stop: "lane", UserIDs: "documented", Faces: "auto", Timeout: time.Second, MaxInFlight: 1, AuthToken: "token"}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.AddDevice(t.Context(), enroll.Device{Serial: "SN1", StgID: "1", TimeZone: "UTC", Endpoints: []string{"hr"},
		Poll: 10 * time.Second, Direction: enroll.DirectionActual}); err != nil {
		t.Fatal(err)
	}
	var unread []enroll.UnreadReport
	for _, line := range lines {
		unread = append(unread, enroll.UnreadReport{Line: []byte(line), Why: "not understood then"})
	}
	if err := db.Accept(t.Context(), "SN1", "OPERLOG", enroll.Needs{}, func(enroll.Known) (enroll.Follows, error) {
		return enroll.Follows{Unread: unread}, nil
	}); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestReread_WhatIsUnderstoodNowMakesChangesAndTheRestStays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key := filepath.Join(dir, "seal.key")
	leaveUnread(t, dir, key, "USER PIN=7\tName=Asha\tPri=0\tPasswd=\tCard=", "\x01\x02 nonsense", "USER PIN=8\tName=Ravi\tPri=0\tPasswd=\tCard=")
	_, client := start(t, dir, key)
	for _, want := range []admin.Reread{{Understood: 2, Left: 1}, {Understood: 0, Left: 1}} {
		if got, err := client.RereadDevice(t.Context(), "SN1"); err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	list, err := client.Deliveries(t.Context(), admin.DeliveryQuery{})
	if err != nil || len(list.Items) != 2 || list.Items[0].UserID != "7" || list.Items[1].UserID != "8" {
		t.Errorf("got %+v, %v, want a change of each user", list.Items, err)
	}
	unread, err := client.UnreadRecords(t.Context(), "SN1", admin.Page{})
	if err != nil || len(unread.Items) != 1 {
		t.Errorf("got %+v, %v, want the nonsense left", unread.Items, err)
	}
}

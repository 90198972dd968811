package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/admin"
)

func TestPrintDevice_SaysWhatToDo(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a := &app{out: &out}
	offset := admin.Duration(-90 * time.Second)
	if err := a.printDevice(admin.Device{Serial: "SN1", Family: "acc", ClockOffset: &offset, LateTimes: 3, LateSettle: admin.Duration(6200 * time.Millisecond),
		Alarms: []admin.Alarm{{What: "users-lost", At: admin.Time{Time: time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)}, Text: "users may be gone\x1b[2J"}}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"family          access control (PUSH 3.x)\n",
		"clock           1m30s behind ours\n",
		"late times      an operation time came too late 3 times; --settle 7s would have caught the last\n",
		"alarm           2026-05-04 10:00:00Z users may be gone�[2J\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got\n%s\nwant in it %q", &out, want)
		}
	}
}

func TestClockInWords(t *testing.T) {
	t.Parallel()
	ahead, right := admin.Duration(3*time.Second), admin.Duration(0)
	for want, offset := range map[string]*admin.Duration{"": nil, "right": &right, "3s ahead of ours": &ahead} {
		if got := clockInWords(offset); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

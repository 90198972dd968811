package zkpush_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fingerpost/fingerpost/internal/enroll"
	"github.com/fingerpost/fingerpost/internal/zkpush"
)

func TestReread(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		family enroll.Family
		table  string
		line   string
		want   string
	}{
		{"a line of the operation table", enroll.Attendance, "OPERLOG", "USER PIN=7\tName=Asha\tPri=0", "UserReport"},
		{"a line whose table names its kind", enroll.Attendance, "ATTLOG", "7\t2026-05-04 10:00:00\t0\t1", "PunchReport"},
		{"a row of an access terminal", enroll.Access, "user", "user uid=1\tcardno=\tpin=7\tpassword=\tprivilege=0", "UserReport"},
		{"nonsense", enroll.Attendance, "OPERLOG", "\x01\x02 what", "UnreadReport"},
		{"a table that is not known yet", enroll.Attendance, "RETINA", "USER PIN=7", "UnreadReport"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			device := enroll.Device{Sighting: enroll.Sighting{Family: tt.family}}
			reports := zkpush.Reread(device, tt.table, []byte(tt.line))
			if len(reports) != 1 || strings.TrimPrefix(fmt.Sprintf("%T", reports[0]), "enroll.") != tt.want {
				t.Errorf("got %T, want one %s", reports, tt.want)
			}
		})
	}
}

package intake_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// after is a step that begins so much later than the one before.
type later struct {
	after time.Duration
	step
}

func after(d time.Duration, s step) later { return later{d, s} }

// nothing is what a device says when it says nothing: what is due closes.
var nothing = does()

func TestDrafts(t *testing.T) {
	t.Parallel()
	const settle = 5 * time.Second
	known := does(user("1", "Ali", "", "")) // so that no credential waits for its user
	settled := func(steps ...later) []later {
		return append([]later{after(0, known), after(settle, nothing.makes(`user 1 "Ali"`))}, steps...)
	}
	for _, tt := range []struct {
		name  string
		steps []later
	}{
		{"a record waits for the settle time, and not longer", settled(
			after(0, does(finger("1", "6", "F")).makes()),
			after(settle-time.Millisecond, nothing.makes()),
			after(time.Millisecond, nothing.makes(`fingerprint 1 "Ali" fingerprint[6]=F`)))},
		{"its line of the operation log closes it at once", settled(
			after(0, does(finger("1", "6", "F")).makes()),
			after(time.Second, does(oplog("1", 5, enroll.Fingerprint)).makes(`fingerprint 1 "Ali" fingerprint[6]=F @10:00:05`)))},
		{"a line that came before closes it at once", settled(
			after(0, does(oplog("1", 5, enroll.Fingerprint)).makes()),
			after(time.Second, does(finger("1", "6", "F")).makes(`fingerprint 1 "Ali" fingerprint[6]=F @10:00:05`)))},
		{"a line about something else explains it when nothing better came", settled(
			after(0, does(finger("1", "6", "F")).makes()),
			after(time.Second, does(oplog("1", 5, enroll.Face)).makes()),
			after(settle, nothing.makes(`fingerprint 1 "Ali" fingerprint[6]=F @10:00:05`)))},
		{"a near-infrared face in several posts is one change", settled(
			after(0, does(oplog("1", 5, enroll.Face|enroll.Photo), face("1", "0", "A"), face("1", "1", "B")).makes()),
			after(3*time.Second, does(face("1", "2", "C")).makes()),
			after(3*time.Second, does(face("1", "3", "D")).makes()),
			after(settle, nothing.makes(`face 1 "Ali" face[0]=A face[1]=B face[2]=C face[3]=D @10:00:05`)))},
		{"a face's photo is one photo though it came twice", settled(
			after(0, does(picture("1", "P", false)).makes()),
			after(time.Second, does(face("1", "0", "A")).makes()),
			after(time.Second, does(picture("1", "P2", true)).makes()),
			after(settle, nothing.makes(`photo 1 "Ali" photo=P`)))},
		{"a face enrolled again at once is told by its last picture, in whatever order they come", settled(
			after(0, does(picture("1", "A", false)).makes()),
			after(time.Second, does(picture("1", "B", true)).makes()),
			after(time.Second, does(picture("1", "B", false)).makes()),
			after(settle, nothing.makes(`photo 1 "Ali" photo=B`)),
			after(0, does(picture("1", "B", true), picture("1", "B", false)).makes()))},
		{"the copy of a picture does not hide the picture later", settled(
			after(0, does(picture("1", "A", false)).makes()),
			after(time.Second, does(picture("1", "B", true)).makes()),
			after(settle, nothing.makes(`photo 1 "Ali" photo=A`)),
			after(time.Second, does(picture("1", "B", true)).makes()),
			after(time.Second, does(picture("1", "B", false)).makes()),
			after(settle, nothing.makes(`photo 1 "Ali" photo=B`)))},
		{"the picture that counts replaces its secondary copy that came first", settled(
			after(0, does(oplog("1", 5, enroll.Photo), picture("1", "small", true)).makes()),
			after(time.Second, does(picture("1", "P", false)).makes(`photo 1 "Ali" photo=P @10:00:05`)))},
		{"an open draft holds back what came after it", settled(
			after(0, does(finger("1", "6", "F")).makes()),
			after(time.Second, does(oplog("1", 5, enroll.Password), user("1", "Ali", "77", "")).makes()),
			after(time.Second, does(oplog("1", 9, enroll.Fingerprint)).makes(
				`fingerprint 1 "Ali" fingerprint[6]=F @10:00:09`, `password 1 "Ali" password[]=77 @10:00:05`)))},
		{"punches never wait", settled(
			after(0, does(finger("1", "6", "F"), punch("1", 1)).makes(`punch 1 "Ali" status=0 verify=1 @10:00:01`)),
			after(settle, nothing.makes(`fingerprint 1 "Ali" fingerprint[6]=F`)))},
		{"a repeat of what is in a draft makes no second change", settled(
			after(0, does(finger("1", "6", "F")).makes()),
			after(time.Second, does(finger("1", "6", "F")).makes()),
			after(settle, nothing.makes(`fingerprint 1 "Ali" fingerprint[6]=F`)),
			after(settle, does(finger("1", "6", "F")).makes()))},
		{"what comes after closing is a new change", settled(
			after(0, does(finger("1", "6", "F"), oplog("1", 5, enroll.Fingerprint)).makes(`fingerprint 1 "Ali" fingerprint[6]=F @10:00:05`)),
			after(time.Second, does(finger("1", "6", "G")).makes()),
			after(settle, nothing.makes(`fingerprint 1 "Ali" fingerprint[6]=G`)))},
		{"a credential of an unknown user waits for its user", []later{
			after(0, does(finger("1", "6", "F")).makes()),
			after(settle+time.Second, nothing.makes()),
			after(time.Second, does(user("1", "Ali", "", ""), oplog("1", 5, enroll.User)).makes(
				`fingerprint 1 "Ali" fingerprint[6]=F @10:00:05`, `user 1 "Ali" @10:00:05`))}},
		{"but at most ten seconds longer than the settle time", []later{
			after(0, does(finger("1", "6", "F")).makes()),
			after(settle+10*time.Second-time.Millisecond, nothing.makes()),
			after(time.Millisecond, nothing.makes(`fingerprint 1 "" fingerprint[6]=F`))}},
		{"a deletion keeps its place and the names of then", settled(
			after(0, does(finger("1", "6", "F")).makes()),
			after(time.Second, does(removal("1", 9, enroll.UserDeleted), user("1", "Bo", "", "")).makes(
				`fingerprint 1 "Ali" fingerprint[6]=F`, `user-deleted 1 "Ali" @10:00:09`)),
			after(settle, nothing.makes(`user 1 "Bo"`)))},
		{"a removal waits for its line", settled(
			after(0, does(user("1", "Ali", "77", "")).makes()),
			after(settle, nothing.makes(`password 1 "Ali" password[]=77`)),
			after(0, does(user("1", "Ali", "", "")).makes()),
			after(time.Second, does(func() enroll.Report {
				line := removal("1", 7, enroll.Password)
				line.Explains = enroll.CredentialRemoved
				return line
			}()).makes(`credential-removed 1 "Ali" gone=password[] @10:00:07`)))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newSettlingRig(t, "all", settle)
			for i, s := range tt.steps {
				r.pass(s.after)
				if got := r.accept(s.reports...); !slices.Equal(got, s.want) {
					t.Errorf("step %d: got\n\t%s\nwant\n\t%s", i+1, strings.Join(got, "\n\t"), strings.Join(s.want, "\n\t"))
				}
			}
		})
	}
}

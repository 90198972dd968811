package intake_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
	"github.com/fingerpost/fingerpost/internal/intake"
	"github.com/fingerpost/fingerpost/internal/seal"
	"github.com/fingerpost/fingerpost/internal/store/sqlite"
)

// A rig is an intake on a real store, with an approved device "T1" whose changes go
// to an endpoint that wants all kinds.
type rig struct {
	t      *testing.T
	db     *sqlite.DB
	intake *intake.Intake
	mu     sync.Mutex
	now    time.Time
	settle time.Duration
	bubble bool // time is that of a synctest bubble
	box    *seal.Box
	looks  atomic.Int64 // decisions of the store
	read   map[enroll.LaneID]int64
}

func newRig(t *testing.T, kinds string) *rig {
	t.Helper()
	return newSettlingRig(t, kinds, 0)
}

// newSettlingRig is newRig with a settle time.
func newSettlingRig(t *testing.T, kinds string, settle time.Duration) *rig {
	t.Helper()
	return newRigOf(t, &rig{settle: settle}, kinds)
}

func newRigOf(t *testing.T, r *rig, kinds string) *rig {
	t.Helper()
	r.t, r.now, r.read = t, time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC), make(map[enroll.LaneID]int64)
	dir := t.TempDir()
	box, err := seal.OpenFile(filepath.Join(dir, "seal.key"))
	if err != nil {
		t.Fatal(err)
	}
	r.box = box
	if r.db, err = sqlite.Open(context.Background(), sqlite.Config{Dir: dir, Box: box, Now: r.clock}); err != nil {
		t.Fatal(err)
	}
	if r.intake, err = intake.New(intake.Config{Store: counted{r.db, &r.looks}, Hash: box.Hash, Now: r.clock}); err != nil {
		t.Fatal(err)
	}
	r.db.Subscribe(r.intake.Committed)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.db.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-done, r.db.Close()); err != nil {
			t.Error(err)
		}
	})
	r.addEndpoint("hr", kinds)
	r.addDevice("T1", "hr")
	return r
}

// counted is a store that counts decisions.
type counted struct {
	*sqlite.DB
	looks *atomic.Int64
}

func (c counted) Accept(ctx context.Context, serial enroll.Serial, table string, needs enroll.Needs, decide enroll.Decision) error {
	c.looks.Add(1)
	return c.DB.Accept(ctx, serial, table, needs, decide)
}

func (r *rig) clock() time.Time {
	if r.bubble {
		return time.Now()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *rig) pass(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

func (r *rig) addEndpoint(name, kinds string) {
	r.t.Helper()
	set, err := enroll.ParseKinds(kinds)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.db.AddEndpoint(r.t.Context(), enroll.Endpoint{Name: name, URL: "http://127.0.0.1/" + name, Dialect: "niya", Kinds: set,
		Ack: "status", Stop: "lane", UserIDs: "documented", Faces: "auto", AppendStgID: true, Timeout: enroll.DefaultTimeout,
		MaxInFlight: 16, AuthToken: "token"}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) addDevice(serial enroll.Serial, endpoints ...string) {
	r.t.Helper()
	if _, err := r.db.AddDevice(r.t.Context(), enroll.Device{Serial: serial, StgID: enroll.StgID(serial), TimeZone: "Asia/Kolkata",
		Label: "Gate", Settle: r.settle, Endpoints: endpoints, Poll: enroll.DefaultPoll, Direction: enroll.DirectionActual}); err != nil {
		r.t.Fatal(err)
	}
}

// accept has T1 upload reports, and returns the changes that this made, in words.
func (r *rig) accept(reports ...enroll.Report) []string {
	r.t.Helper()
	if err := r.intake.Accept(r.t.Context(), "T1", enroll.Upload{Table: "OPERLOG", Reports: reports}); err != nil {
		r.t.Fatal(err)
	}
	return r.changes()
}

// changes returns what waits since the last call, lane by lane.
func (r *rig) changes() []string {
	r.t.Helper()
	lanes, err := r.db.WaitingLanes(r.t.Context(), 0)
	if err != nil {
		r.t.Fatal(err)
	}
	list := []string{}
	for _, l := range lanes {
		waiting, err := r.db.Waiting(r.t.Context(), l.ID, r.read[l.ID], 1000, 1<<30)
		if err != nil {
			r.t.Fatal(err)
		}
		for _, d := range waiting {
			r.read[l.ID] = d.N
			list = append(list, inWords(d))
		}
	}
	return list
}

// inWords describes a delivery: kinds, user, name, role, content, operation time.
func inWords(d enroll.Delivery) string {
	c := d.Change
	text := fmt.Sprintf("%v %s %q", d.Kinds, c.UserID, c.Name)
	if c.Privilege != 0 {
		text += fmt.Sprintf(" pri=%d", c.Privilege)
	}
	for _, t := range c.Templates {
		text += fmt.Sprintf(" %v[%s]=%s", t.Kind, t.Index, t.Data.Wire())
	}
	if c.Photo != nil {
		text += " photo=" + c.Photo.Wire()
	}
	if c.Removed != nil {
		text += fmt.Sprintf(" gone=%v[%s]", c.Removed.Kind, c.Removed.Index)
	}
	if c.Punch != nil {
		text += fmt.Sprintf(" status=%d verify=%d", c.Punch.Status, c.Punch.Verify)
	}
	if c.OperationTime != "" {
		text += " @" + string(c.OperationTime[11:])
	}
	return text
}

func user(pin enroll.PIN, name, password, card string) enroll.UserReport {
	return enroll.UserReport{UserID: pin, Name: &name, Privilege: new(0), Password: &password, Card: &card, SecondCard: new("")}
}

func finger(pin enroll.PIN, number, data string) enroll.TemplateReport {
	return enroll.TemplateReport{UserID: pin, Kind: enroll.Fingerprint, Number: number, Data: enroll.TextData(data)}
}

func face(pin enroll.PIN, row, data string) enroll.TemplateReport {
	return enroll.TemplateReport{UserID: pin, Kind: enroll.Face, Row: row, Algorithm: "12", Data: enroll.TextData(data)}
}

func picture(pin enroll.PIN, data string, secondary bool) enroll.PictureReport {
	return enroll.PictureReport{UserID: pin, Secondary: secondary, Data: enroll.TextData(data)}
}

// oplog is a line at 10:00 and so many seconds.
func oplog(pin enroll.PIN, second int, explains enroll.Kinds) enroll.OperationReport {
	return enroll.OperationReport{UserID: pin, Explains: explains, Time: enroll.WallTime(fmt.Sprintf("2026-05-04 10:00:%02d", second))}
}

func removal(pin enroll.PIN, second int, removes enroll.Kinds) enroll.OperationReport {
	r := oplog(pin, second, 0)
	r.Removes = removes
	return r
}

type step struct {
	reports []enroll.Report
	want    []string
}

func does(reports ...enroll.Report) step { return step{reports: reports} }

func (s step) makes(want ...string) step {
	s.want = want
	return s
}

func TestAccept(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		steps []step
	}{
		{"a new user without credentials is a change of its own", []step{
			does(user("1", "Ali", "", "")).makes(`user 1 "Ali"`)}},
		{"a repeat makes no callback", []step{
			does(user("1", "Ali", "77", "5"), finger("1", "6", "F"), picture("1", "P", false)).makes(
				`user,password 1 "Ali" password[]=77`, `card 1 "Ali" card[]=5`, `fingerprint 1 "Ali" fingerprint[6]=F`, `photo 1 "Ali" photo=P`),
			does(user("1", "Ali", "77", "5"), finger("1", "6", "F"), picture("1", "P", false)).makes()}},
		{"a new user rides on the first credential, password before card", []step{
			does(user("1", "Ali", "", "5")).makes(`user,card 1 "Ali" card[]=5`),
			does(user("2", "Bo", "77", "6")).makes(`user,password 2 "Bo" password[]=77`, `card 2 "Bo" card[]=6`)}},
		{"only what really changed is told", []step{
			does(user("1", "Ali", "77", "5")).makes(`user,password 1 "Ali" password[]=77`, `card 1 "Ali" card[]=5`),
			does(user("1", "Ali", "77", "6")).makes(`card 1 "Ali" card[]=6`),
			does(user("1", "Ali B", "77", "6")).makes(`user 1 "Ali B"`),
			does(enroll.UserReport{UserID: "1", Privilege: new(14)}).makes(`user 1 "Ali B" pri=14`),
			does(enroll.UserReport{UserID: "1"}).makes()}},
		{"equal credentials of two users are two changes", []step{
			does(user("1", "Ali", "77", ""), user("2", "Bo", "77", "")).makes(
				`user,password 1 "Ali" password[]=77`, `user,password 2 "Bo" password[]=77`)}},
		{"a second card is told beside the first", []step{
			does(enroll.UserReport{UserID: "1", Name: new(""), Card: new("5"), SecondCard: new("6")}).makes(
				`user,card 1 "" card[]=5`, `card 1 "" card[1]=6`)}},
		{"a credential carries the name that comes later in the same upload", []step{
			does(finger("1", "6", "F"), user("1", "Ali", "", "")).makes(`fingerprint 1 "Ali" fingerprint[6]=F`, `user 1 "Ali"`)}},
		{"a credential of an unknown user is told without a name", []step{
			does(finger("1", "6", "F")).makes(`fingerprint 1 "" fingerprint[6]=F`),
			does(user("1", "Ali", "", "")).makes(`user 1 "Ali"`)}},
		{"a near-infrared face is one change", []step{
			does(face("1", "0", "A"), face("1", "1", "B"), face("1", "2", "C")).makes(`face 1 "" face[0]=A face[1]=B face[2]=C`),
			does(face("1", "0", "A"), face("1", "1", "B"), face("1", "2", "C")).makes()}},
		{"the last record of one credential in one upload wins, in the place of the first", []step{
			does(finger("1", "6", "F"), finger("1", "7", "G"), finger("1", "6", "H")).makes(
				`fingerprint 1 "" fingerprint[6]=H`, `fingerprint 1 "" fingerprint[7]=G`),
			does(user("1", "Ali", "77", ""), user("1", "Bo", "88", "")).makes(`user,password 1 "Bo" password[]=88`)}},
		{"a picture that comes twice is one photo, whichever came first", []step{
			does(picture("1", "P", false)).makes(`photo 1 "" photo=P`),
			does(picture("1", "P", true)).makes(),
			does(picture("2", "Q", true)).makes(`photo 2 "" photo=Q`),
			does(picture("2", "Q", false)).makes(),
			does(picture("3", "small", true), picture("3", "R", false)).makes(`photo 3 "" photo=R`),
			does(picture("4", "R", false), picture("4", "small", true)).makes(`photo 4 "" photo=R`),
			does(picture("4", "R", false), picture("4", "small", true)).makes()}},
		{"a face's templates are told only where no picture came, with faces auto", []step{
			does(face("1", "0", "A")).makes(`face 1 "" face[0]=A`),
			does(picture("2", "P", false), face("2", "0", "A")).makes(`photo 2 "" photo=P`),
			does(face("3", "0", "A"), picture("3", "P", false)).makes(`photo 3 "" photo=P`)}},
		{"a password that is gone is told", []step{
			does(user("1", "Ali", "77", "5")).makes(`user,password 1 "Ali" password[]=77`, `card 1 "Ali" card[]=5`),
			does(user("1", "Ali", "", "")).makes(`credential-removed 1 "Ali" gone=password[]`, `credential-removed 1 "Ali" gone=card[]`),
			does(user("1", "Ali", "77", "5")).makes(`password 1 "Ali" password[]=77`, `card 1 "Ali" card[]=5`)}},
		{"a removal that the log tells too is told once", []step{
			does(user("1", "Ali", "77", "")).makes(`user,password 1 "Ali" password[]=77`),
			does(removal("1", 9, enroll.Password), user("1", "Ali", "", "")).makes(`credential-removed 1 "Ali" gone=password[] @10:00:09`),
			does(removal("1", 9, enroll.Password)).makes()}},
		{"a deleted user is forgotten, and new when it comes back", []step{
			does(user("1", "Ali", "77", "")).makes(`user,password 1 "Ali" password[]=77`),
			does(removal("1", 9, enroll.UserDeleted)).makes(`user-deleted 1 "Ali" @10:00:09`),
			does(removal("1", 9, enroll.UserDeleted)).makes(),
			does(user("1", "Ali", "77", "")).makes(`user,password 1 "Ali" password[]=77`)}},
		{"what comes after a deletion in the same upload is new, what came before keeps its name", []step{
			does(user("1", "Ali", "77", ""), removal("1", 9, enroll.UserDeleted), user("1", "Bo", "77", "")).makes(
				`user,password 1 "Ali" password[]=77`, `user-deleted 1 "Ali" @10:00:09`, `user,password 1 "Bo" password[]=77`)}},
		{"punches are told once, in a lane of their own", []step{
			does(punch("1", 1), punch("1", 1), punch("2", 1)).makes(
				`punch 1 "" status=0 verify=1 @10:00:01`, `punch 2 "" status=0 verify=1 @10:00:01`),
			does(punch("1", 1), punch("1", 2)).makes(`punch 1 "" status=0 verify=1 @10:00:02`)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "all")
			for i, s := range tt.steps {
				if got := r.accept(s.reports...); !slices.Equal(got, s.want) {
					t.Errorf("step %d: got\n\t%s\nwant\n\t%s", i+1, strings.Join(got, "\n\t"), strings.Join(s.want, "\n\t"))
				}
			}
		})
	}
}

func punch(pin enroll.PIN, second int) enroll.PunchReport {
	return enroll.PunchReport{PunchKey: enroll.PunchKey{UserID: pin, Verify: 1,
		Time: enroll.WallTime(fmt.Sprintf("2026-05-04 10:00:%02d", second))}}
}

func TestOperationTime(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		steps []step
	}{
		{"without a line of the log it is unknown", []step{
			does(finger("1", "6", "F")).makes(`fingerprint 1 "" fingerprint[6]=F`)}},
		{"a line before the record in the same upload", []step{
			does(oplog("1", 5, enroll.Fingerprint), finger("1", "6", "F")).makes(`fingerprint 1 "" fingerprint[6]=F @10:00:05`)}},
		{"a line after the record in the same upload", []step{
			does(finger("1", "6", "F"), oplog("1", 5, enroll.Fingerprint)).makes(`fingerprint 1 "" fingerprint[6]=F @10:00:05`)}},
		{"a line before wins over a line after", []step{
			does(oplog("1", 5, enroll.Fingerprint), finger("1", "6", "F"), oplog("1", 9, enroll.Fingerprint)).makes(
				`fingerprint 1 "" fingerprint[6]=F @10:00:05`)}},
		{"the nearest line before", []step{
			does(oplog("1", 5, enroll.Fingerprint), finger("1", "6", "F"), oplog("1", 9, enroll.Fingerprint), finger("1", "7", "G")).makes(
				`fingerprint 1 "" fingerprint[6]=F @10:00:05`, `fingerprint 1 "" fingerprint[7]=G @10:00:09`)}},
		{"a line of an earlier upload", []step{
			does(oplog("1", 5, enroll.Password)).makes(),
			does(user("1", "Ali", "77", "")).makes(`user,password 1 "Ali" password[]=77 @10:00:05`)}},
		{"a line of another user explains nothing", []step{
			does(oplog("2", 5, enroll.Fingerprint), finger("1", "6", "F")).makes(`fingerprint 1 "" fingerprint[6]=F`)}},
		{"a line about something else of the user is better than none: firmwares differ in their codes", []step{
			does(finger("1", "6", "F"), oplog("1", 5, enroll.Face|enroll.Photo)).makes(`fingerprint 1 "" fingerprint[6]=F @10:00:05`)}},
		{"a line about the kind is better than a nearer one about something else", []step{
			does(oplog("1", 5, enroll.Fingerprint), oplog("1", 9, enroll.User), finger("1", "6", "F")).makes(
				`fingerprint 1 "" fingerprint[6]=F @10:00:05`)}},
		{"one line explains all records of an action, also in several uploads", []step{
			does(oplog("1", 5, enroll.Face|enroll.Photo)).makes(),
			does(picture("1", "P", false)).makes(`photo 1 "" photo=P @10:00:05`),
			does(face("1", "0", "A")).makes()}},
		{"a line that explained a record does not explain another of that kind later", []step{
			does(oplog("1", 5, enroll.Fingerprint)).makes(),
			does(finger("1", "6", "F")).makes(`fingerprint 1 "" fingerprint[6]=F @10:00:05`),
			does(finger("1", "7", "G")).makes(`fingerprint 1 "" fingerprint[7]=G`)}},
		{"a line that is sent again stays one line", []step{
			does(oplog("1", 5, enroll.Fingerprint)).makes(),
			does(finger("1", "6", "F")).makes(`fingerprint 1 "" fingerprint[6]=F @10:00:05`),
			does(oplog("1", 5, enroll.Fingerprint)).makes(),
			does(finger("1", "7", "G")).makes(`fingerprint 1 "" fingerprint[7]=G`)}},
		{"a line that is sent again explains what comes with it", []step{
			does(oplog("1", 5, enroll.Fingerprint), finger("1", "6", "F")).makes(`fingerprint 1 "" fingerprint[6]=F @10:00:05`),
			does(oplog("1", 5, enroll.Fingerprint), finger("1", "7", "G")).makes(`fingerprint 1 "" fingerprint[7]=G @10:00:05`)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "all")
			for i, s := range tt.steps {
				if got := r.accept(s.reports...); !slices.Equal(got, s.want) {
					t.Errorf("step %d: got\n\t%s\nwant\n\t%s", i+1, strings.Join(got, "\n\t"), strings.Join(s.want, "\n\t"))
				}
			}
		})
	}
	t.Run("a line older than two minutes explains nothing", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "all")
		r.accept(oplog("1", 5, enroll.Fingerprint))
		r.pass(enroll.OperationMemory + time.Millisecond)
		want := []string{`fingerprint 1 "" fingerprint[6]=F`}
		if got := r.accept(finger("1", "6", "F")); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestChoices(t *testing.T) {
	t.Parallel()
	t.Run("an endpoint gets a change if it chose one of its kinds, without the kinds it did not choose", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "user,fingerprint")
		got := r.accept(user("1", "Ali", "77", "5"), finger("1", "6", "F"))
		want := []string{`user 1 "Ali" password[]=77`, `fingerprint 1 "Ali" fingerprint[6]=F`} // deliver leaves the password out
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
	t.Run("what no endpoint chose is kept and known", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "card")
		if got := r.accept(finger("1", "6", "F")); len(got) != 0 {
			t.Errorf("got %v, want nothing", got)
		}
	})
	t.Run("every endpoint of the device has a lane with numbers of its own", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "updates")
		r.addEndpoint("door", "card")
		r.addDevice("T2", "door", "hr")
		for _, serial := range []enroll.Serial{"T1", "T2"} {
			if err := r.intake.Accept(t.Context(), serial, enroll.Upload{Reports: []enroll.Report{user("1", "Ali", "77", "5")}}); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{`user,password 1 "Ali" password[]=77`, `card 1 "Ali" card[]=5`, // T1 to hr
			`user,password 1 "Ali" password[]=77`, `card 1 "Ali" card[]=5`, // T2 to hr
			`card 1 "Ali" card[]=5`} // T2 to door
		if got := r.changes(); !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestSeen(t *testing.T) {
	t.Parallel()
	r := newRig(t, "updates")
	ctx := t.Context()
	t.Run("an unknown serial number becomes a pending device, and nothing of it is kept", func(t *testing.T) {
		_, err := r.intake.Seen(ctx, "NEW", enroll.Sighting{Address: "192.0.2.7"})
		if !errors.Is(err, enroll.ErrUnknownDevice) {
			t.Errorf("got %v, want ErrUnknownDevice", err)
		}
		d, err := r.db.Device(ctx, "NEW")
		if err != nil || d.State != enroll.Pending || d.Address != "192.0.2.7" {
			t.Errorf("got %v %q, %v, want pending from 192.0.2.7", d.State, d.Address, err)
		}
		err = r.intake.Accept(ctx, "NEW", enroll.Upload{Reports: []enroll.Report{user("1", "Ali", "", "")}})
		if !errors.Is(err, enroll.ErrUnknownDevice) {
			t.Errorf("accepting: got %v, want ErrUnknownDevice", err)
		}
	})
	t.Run("it is known from the moment of its approval", func(t *testing.T) {
		r.addDevice("NEW", "hr")
		d, err := r.intake.Seen(ctx, "NEW", enroll.Sighting{Protocol: "2.4.1"})
		if err != nil || d.TimeZone != "Asia/Kolkata" {
			t.Errorf("got %q, %v, want Asia/Kolkata", d.TimeZone, err)
		}
	})
	t.Run("a sighting tells what it tells and keeps the rest", func(t *testing.T) {
		if _, err := r.intake.Seen(ctx, "T1", enroll.Sighting{Address: "192.0.2.8", Language: "83"}); err != nil {
			t.Fatal(err)
		}
		d, err := r.intake.Seen(ctx, "T1", enroll.Sighting{Firmware: "Ver 8"})
		if err != nil || d.Language != "83" || d.Address != "192.0.2.8" || d.Firmware != "Ver 8" {
			t.Errorf("got %+v, %v", d.Sighting, err)
		}
	})
	t.Run("sightings are in the store when intake stops", func(t *testing.T) {
		stopped, stop := context.WithCancel(ctx)
		stop()
		if err := r.intake.Run(stopped); err != nil {
			t.Fatal(err)
		}
		d, err := r.db.Device(ctx, "T1")
		if err != nil || d.Firmware != "Ver 8" || d.SeenAt.IsZero() {
			t.Errorf("got %+v, %v", d.Sighting, err)
		}
		if _, ok := r.intake.Presence("T1"); ok {
			t.Error("the sighting is still counted as younger than the store's")
		}
	})
	t.Run("at most a thousand wait for approval, and are forgotten after seven days", func(t *testing.T) {
		for i := range 1100 {
			serial := enroll.Serial(fmt.Sprintf("X%04d", i))
			if _, err := r.intake.Seen(ctx, serial, enroll.Sighting{}); !errors.Is(err, enroll.ErrUnknownDevice) {
				t.Fatalf("got %v, want ErrUnknownDevice", err)
			}
		}
		if n := r.pending(); n != 1000 {
			t.Errorf("%d wait, want 1000", n)
		}
		r.pass(7*24*time.Hour + time.Minute)
		if _, err := r.intake.Seen(ctx, "LATER", enroll.Sighting{}); !errors.Is(err, enroll.ErrUnknownDevice) {
			t.Fatalf("got %v, want ErrUnknownDevice", err)
		}
		if n := r.pending(); n != 1 {
			t.Errorf("%d wait a week later, want 1", n)
		}
	})
}

func (r *rig) pending() int {
	r.t.Helper()
	all, err := r.db.Devices(r.t.Context(), "", 10_000)
	if err != nil {
		r.t.Fatal(err)
	}
	n := 0
	for _, d := range all {
		if d.State == enroll.Pending {
			n++
		}
	}
	return n
}

func TestUnreadAndRaw(t *testing.T) {
	t.Parallel()
	r := newRig(t, "updates")
	upload := enroll.Upload{Table: "NEWTABLE", Raw: []byte("whole body"), Reports: []enroll.Report{
		enroll.UnreadReport{Line: []byte("what is this"), Why: "no such kind"},
		enroll.KeptReport{Line: []byte("FVEIN …"), Why: "finger vein"},
		user("1", "Ali", "", "")}}
	if err := r.intake.Accept(t.Context(), "T1", upload); err != nil {
		t.Fatal(err)
	}
	d, err := r.db.Device(t.Context(), "T1")
	if err != nil || d.UnreadRecords != 1 {
		t.Errorf("got %d unread records, %v, want 1", d.UnreadRecords, err)
	}
	if got := r.changes(); len(got) != 1 {
		t.Errorf("got %v: a record that makes no sense must not hold back the others", got)
	}
}

package intake_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// handOut has T1 ask for its next order.
func (r *rig) handOut() (enroll.Order, bool) {
	r.t.Helper()
	order, ok, err := r.intake.NextOrder(r.t.Context(), "T1")
	if err != nil {
		r.t.Fatal(err)
	}
	return order, ok
}

// answer has T1 answer an order, and returns the changes that this made.
func (r *rig) answer(id enroll.OrderID, code int) []string {
	r.t.Helper()
	if err := r.intake.Answered(r.t.Context(), "T1", []enroll.OrderAnswer{{ID: id, Return: code}}); err != nil {
		r.t.Fatal(err)
	}
	return r.changes()
}

// order adds an order by hand, as an operator's command does.
func (r *rig) order(o enroll.Order) {
	r.t.Helper()
	err := r.db.Accept(r.t.Context(), "T1", "", enroll.Needs{}, func(enroll.Known) (enroll.Follows, error) {
		return enroll.Follows{Orders: []enroll.Order{o}}, nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// drain hands out and answers what waits.
func (r *rig) drain() {
	r.t.Helper()
	for {
		o, ok := r.handOut()
		if !ok {
			return
		}
		r.answer(o.ID, 0)
	}
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got\n\t%s\nwant\n\t%s", what, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestOrders(t *testing.T) {
	t.Parallel()
	t.Run("one order is with a device at a time, and one that waits is not added again", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "all")
		r.drain()
		for range 2 {
			r.order(enroll.Order{What: enroll.QueryUser, UserID: "1"})
		}
		r.order(enroll.Order{What: enroll.QueryUser, UserID: "2"})
		first, ok := r.handOut()
		if !ok || first.UserID != "1" || len(first.ID) > 16 {
			t.Fatalf("got %+v, %v", first, ok)
		}
		if o, ok := r.handOut(); ok {
			t.Errorf("got %+v while one is with the device", o)
		}
		r.answer(first.ID, 0)
		second, ok := r.handOut()
		if !ok || second.UserID != "2" {
			t.Errorf("got %+v, %v, want the order about 2", second, ok)
		}
		r.answer(second.ID, 0)
		if o, ok := r.handOut(); ok {
			t.Errorf("got %+v, want nothing left", o)
		}
	})
	t.Run("an order without an answer is handed out three times, then given up", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "all")
		r.drain()
		r.order(enroll.Order{What: enroll.QueryUser, UserID: "1"})
		for try := 1; try <= 3; try++ {
			o, ok := r.handOut()
			if !ok || o.Tries != try {
				t.Fatalf("got %+v, %v, want try %d", o, ok, try)
			}
			r.pass(time.Minute + time.Second)
		}
		if o, ok := r.handOut(); ok {
			t.Errorf("got %+v a fourth time", o)
		}
	})
	t.Run("a line whose record does not come has the user queried once after 25 s", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "all")
		r.drain()
		r.accept(oplog("1", 5, enroll.Face|enroll.Photo))
		r.pass(enroll.DataWait - time.Millisecond)
		r.accept()
		if o, ok := r.handOut(); ok {
			t.Errorf("got %+v too early", o)
		}
		r.pass(time.Millisecond)
		r.accept()
		var asked []enroll.OrderKind
		for o, ok := r.handOut(); ok; o, ok = r.handOut() {
			asked = append(asked, o.What)
			got := r.accept(user("1", "Ali", "", ""), picture("1", "P", false))
			if len(asked) == 1 {
				same(t, "answer", got, `user 1 "Ali"`, `photo 1 "Ali" photo=P @10:00:05`)
			}
			r.answer(o.ID, 0)
		}
		if !slices.Equal(asked, []enroll.OrderKind{enroll.QueryUser, enroll.QueryFaces}) {
			t.Errorf("asked %v", asked)
		}
		r.pass(enroll.DataWait)
		r.accept()
		if o, ok := r.handOut(); ok {
			t.Errorf("asked again: %+v", o)
		}
	})
	t.Run("a line whose record came is not asked for", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "all")
		r.drain()
		r.accept(oplog("1", 5, enroll.Fingerprint), finger("1", "6", "F"))
		r.accept(finger("2", "6", "F"))
		r.accept(oplog("2", 5, enroll.Fingerprint))
		r.pass(enroll.DataWait)
		r.accept()
		if o, ok := r.handOut(); ok {
			t.Errorf("got %+v", o)
		}
	})
}

func TestSilentFill(t *testing.T) {
	t.Parallel()
	r := newRig(t, "all")
	r.drain()
	r.order(enroll.Order{What: enroll.QueryUsers})
	o, _ := r.handOut()
	same(t, "rows of the answer", r.accept(user("1", "Ali", "77", "5"), user("2", "Bo", "", "")))
	same(t, "an upload with a line of the log meanwhile waits behind them", r.accept(user("3", "Cy", "", ""), oplog("3", 5, enroll.User)))
	same(t, "a finger meanwhile waits too", r.accept(finger("1", "6", "F")))
	same(t, "the end: rows are known, the others are told", r.answer(o.ID, 3),
		`user 3 "Cy" @10:00:05`, `fingerprint 1 "Ali" fingerprint[6]=F`)
	same(t, "a repeat of a row later", r.accept(user("1", "Ali", "77", "5")))
	same(t, "a change later", r.accept(user("1", "Ali", "78", "5")), `password 1 "Ali" password[]=78`)

	r.order(enroll.Order{What: enroll.QueryUsers, Tell: true})
	o, _ = r.handOut()
	same(t, "rows that are to be told", r.accept(user("1", "Ali", "78", "5"), user("2", "Bo", "", "")),
		`user,password 1 "Ali" password[]=78`, `card 1 "Ali" card[]=5`, `user 2 "Bo"`)
	same(t, "the end", r.answer(o.ID, 2))
}

// TestSilentFill_WithoutAnswer: what came while a device had a query that it never
// says it answered was uploaded by itself, and is told.
func TestSilentFill_WithoutAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t, "all")
	r.drain()
	r.order(enroll.Order{What: enroll.QueryUsers})
	r.handOut()
	same(t, "a record", r.accept(user("1", "Ali", "77", "")))
	r.pass(3*time.Second - time.Millisecond)
	same(t, "before 3 s", r.accept())
	r.pass(time.Millisecond)
	same(t, "after 3 s", r.accept(), `user,password 1 "Ali" password[]=77`)
	r.pass(time.Second)

	many := []enroll.Report{user("2", "Bo", "", ""), user("3", "Cy", "", ""), user("4", "Di", "", "")}
	same(t, "many", r.accept(many...))
	r.pass(time.Minute - time.Millisecond)
	same(t, "before a minute", r.accept())
	r.pass(time.Millisecond)
	same(t, "after a minute", r.accept(), `user 2 "Bo"`, `user 3 "Cy"`, `user 4 "Di"`)
}

// TestSilentFill_Failed: nothing that came while a query was out is the answer to one
// that failed.
func TestSilentFill_Failed(t *testing.T) {
	t.Parallel()
	r := newRig(t, "all")
	r.drain()
	r.order(enroll.Order{What: enroll.QueryUsers})
	o, _ := r.handOut()
	same(t, "a record", r.accept(user("1", "Ali", "", "")))
	same(t, "the end", r.answer(o.ID, -1002), `user 1 "Ali"`)
}

// TestSilentFill_LongSettle: a settle time longer than rows wait does not hold a record
// for ever.
func TestSilentFill_LongSettle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRigOf(t, &rig{bubble: true, settle: 30 * time.Second}, "all")
		r.drain()
		stop := r.run(t)
		defer stop()
		r.order(enroll.Order{What: enroll.QueryUsers})
		r.handOut()
		same(t, "a record", r.accept(user("1", "Ali", "", "")))
		wait(31 * time.Second)
		same(t, "after the settle time", r.changes(), `user 1 "Ali"`)
	})
}

// TestSilentFill_ManyRows: so many users do not change by hand at once.
func TestSilentFill_ManyRows(t *testing.T) {
	t.Parallel()
	r := newRig(t, "all")
	r.drain()
	r.order(enroll.Order{What: enroll.QueryUsers})
	o, _ := r.handOut()
	for n := 0; n < 1000; n += 50 {
		var rows []enroll.Report
		for i := range 50 {
			rows = append(rows, user(enroll.PIN(fmt.Sprint(n+i)), "N", "77", "5"))
		}
		same(t, "rows", r.accept(rows...))
		r.pass(9 * time.Second)
	}
	same(t, "the end", r.answer(o.ID, 1000))
	r.pass(time.Hour)
	same(t, "an hour later", r.accept())
	same(t, "a repeat", r.accept(user("7", "N", "77", "5"), user("999", "N", "77", "5")))
}

func TestRemovals(t *testing.T) {
	t.Parallel()
	t.Run("a line that may mean a deletion has the device asked: the user is there", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "all")
		r.drain()
		r.accept(user("1", "Ali", "", ""))
		line := oplog("1", 5, enroll.User)
		line.MayDelete = true
		same(t, "the line", r.accept(line))
		o, _ := r.handOut()
		if o.What != enroll.CheckUser || o.UserID != "1" {
			t.Fatalf("got %+v", o)
		}
		same(t, "the row", r.accept(user("1", "Ali", "", "")))
		same(t, "the end", r.answer(o.ID, 0))
	})
	t.Run("a line that may mean a deletion has the device asked: the user is gone", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "all")
		r.drain()
		r.accept(user("1", "Ali", "", ""))
		line := oplog("1", 5, enroll.User)
		line.MayDelete = true
		r.accept(line)
		o, _ := r.handOut()
		same(t, "the end", r.answer(o.ID, -10), `user-deleted 1 "Ali" @10:00:05`)
	})
	t.Run("a device that could not look says nothing about the user", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "all")
		r.drain()
		r.accept(user("1", "Ali", "", ""))
		line := oplog("1", 5, enroll.User)
		line.MayDelete = true
		r.accept(line)
		o, _ := r.handOut()
		same(t, "the end", r.answer(o.ID, -1005))
	})
	t.Run("a finger that is gone is told once, and what is left is learned silently", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "all")
		r.drain()
		r.accept(finger("1", "6", "F"), finger("1", "7", "G"))
		same(t, "the line", r.accept(removal("1", 5, enroll.Fingerprint)), `credential-removed 1 "" gone=fingerprint[] @10:00:05`)
		same(t, "the line again", r.accept(removal("1", 5, enroll.Fingerprint)))
		o, _ := r.handOut()
		same(t, "the row", r.accept(finger("1", "7", "G")))
		same(t, "the end", r.answer(o.ID, 0))
		same(t, "a repeat later", r.accept(finger("1", "7", "G")))
		same(t, "the finger again", r.accept(finger("1", "6", "F")), `fingerprint 1 "" fingerprint[6]=F`)
	})
	t.Run("a deletion before the device was asked for its users is told if the user is known", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, "all")
		same(t, "unknown", r.accept(removal("9", 5, enroll.UserDeleted)))
	})
}

func TestCompare(t *testing.T) {
	t.Parallel()
	ask := func(r *rig, o enroll.Order, present, says int) []string {
		o.What, o.Compare = enroll.QueryUsers, true
		r.order(o)
		handed, _ := r.handOut()
		var rows []enroll.Report
		for i := range present {
			rows = append(rows, user(enroll.PIN(fmt.Sprint(i)), "N", "", ""))
		}
		same(r.t, "rows", r.accept(rows...))
		return r.answer(handed.ID, says)
	}
	fill := func(t *testing.T, users int) *rig {
		r := newRig(t, "all")
		r.drain()
		var rows []enroll.Report
		for i := range users {
			rows = append(rows, user(enroll.PIN(fmt.Sprint(i)), "N", "", ""))
		}
		r.accept(rows...)
		return r
	}
	t.Run("users that do not come are gone", func(t *testing.T) {
		t.Parallel()
		got := ask(fill(t, 12), enroll.Order{}, 10, 10)
		slices.Sort(got)
		same(t, "answer", got, `user-deleted 10 "N"`, `user-deleted 11 "N"`)
	})
	t.Run("an answer that is not complete counts for nothing", func(t *testing.T) {
		t.Parallel()
		same(t, "answer", ask(fill(t, 12), enroll.Order{}, 10, 11))
	})
	t.Run("a failed answer counts for nothing", func(t *testing.T) {
		t.Parallel()
		same(t, "answer", ask(fill(t, 12), enroll.Order{}, 0, -1004))
	})
	t.Run("more than ten and more than five percent wait for the operator, who may say so", func(t *testing.T) {
		t.Parallel()
		r := fill(t, 20)
		same(t, "answer", ask(r, enroll.Order{}, 9, 9))
		if got := ask(r, enroll.Order{Tell: true}, 9, 9); len(got) != 11 {
			t.Errorf("got %d deletions, want 11", len(got))
		}
	})
}

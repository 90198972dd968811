package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

const (
	// lazyWait is how long a lazy job may wait for others to share a commit with. Two
	// of them and two commits stay below the 50 ms of contract point 9.
	lazyWait = 15 * time.Millisecond
	// maxGroup bounds how many jobs share a transaction, so that none waits long.
	maxGroup = 256
)

// A job is one write: it is committed whole or not at all.
type job struct {
	run  func(*tx) error // may run twice
	done chan error      // gets one value; buffered
	err  error
}

// do has the writer run a function in a transaction and returns after the commit. A
// context that ends does not take back a job the writer has.
func (db *DB) do(ctx context.Context, run func(*tx) error) error {
	return db.submit(ctx, db.jobs, run)
}

// doLazily is do for what may wait a moment for a commit to ride on.
func (db *DB) doLazily(ctx context.Context, run func(*tx) error) error {
	return db.submit(ctx, db.lazy, run)
}

func (db *DB) submit(ctx context.Context, queue chan<- *job, run func(*tx) error) error {
	j := &job{run: run, done: make(chan error, 1)}
	select {
	case queue <- j: // unbuffered: the writer has it, and answers
	case <-ctx.Done():
		return ctx.Err()
	case <-db.stopped:
		return enroll.ErrStopping
	}
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run is the writer. It returns when ctx is done and everything that it had taken
// is committed or refused.
func (db *DB) Run(ctx context.Context) error {
	defer close(db.stopped)
	w, err := newWriter(db)
	if err != nil {
		return err
	}
	timer := time.NewTimer(0)
	<-timer.C
	var group, waiting []*job
	for {
		due := false
		select {
		case j := <-db.jobs:
			group, due = append(group, j), true
		case j := <-db.lazy:
			if waiting = append(waiting, j); len(waiting) == 1 {
				timer.Reset(lazyWait)
			}
		case <-timer.C:
			due = true
		case <-ctx.Done():
			w.commit(append(group, waiting...))
			return w.close()
		}
		group = db.drain(db.jobs, group)
		waiting = db.drain(db.lazy, waiting)
		if due || len(group) > 0 {
			timer.Stop()
			w.commit(append(group, waiting...))
			group, waiting = group[:0], waiting[:0]
		}
	}
}

// drain takes what is waiting on a queue, without waiting itself.
func (db *DB) drain(queue <-chan *job, into []*job) []*job {
	for len(into) < maxGroup {
		select {
		case j := <-queue:
			into = append(into, j)
		default:
			return into
		}
	}
	return into
}

// A writer owns the one connection that writes, and what it remembers of the rows
// that only it changes.
type writer struct {
	db         *DB
	conn       *sql.Conn
	statements map[string]*sql.Stmt
	devices    map[enroll.Serial]knownDevice
	lanes      map[laneKey]laneEnd
	users      map[enroll.DeviceID]int // how many the mirror has
}

// A tx is what a job works with. It ends with the job's group.
type tx struct {
	*writer
	writes    int // statements that changed something
	committed enroll.Committed
}

func newWriter(db *DB) (*writer, error) {
	conn, err := db.write.Conn(context.Background())
	if err != nil {
		return nil, fmt.Errorf("opening the writer's connection: %w", err)
	}
	w := &writer{db: db, conn: conn, statements: make(map[string]*sql.Stmt)}
	w.forget()
	return w, nil
}

func (w *writer) close() error {
	var errs []error
	for _, s := range w.statements {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, w.conn.Close())...)
}

// maxKnown bounds the rows that a writer remembers.
const maxKnown = 20_000

// forget drops what is remembered: after a rollback, and when settings changed.
func (w *writer) forget() {
	w.devices = make(map[enroll.Serial]knownDevice)
	w.lanes = make(map[laneKey]laneEnd)
	w.users = make(map[enroll.DeviceID]int)
}

// commit runs a group of jobs in one transaction, or, if one of them spoils it, each
// in its own, and answers them all.
func (w *writer) commit(group []*job) {
	if len(group) == 0 {
		return
	}
	if w.together(group) != nil && len(group) > 1 {
		for i := range group {
			_ = w.together(group[i : i+1]) // the job carries its error
		}
	}
	for _, j := range group {
		j.done <- j.err
	}
	if len(w.devices) > maxKnown || len(w.lanes) > maxKnown {
		w.forget()
	}
}

// together runs jobs in one transaction. It returns an error if nothing of it was
// kept; each job has an error then. A job that fails before it wrote anything fails
// alone.
func (w *writer) together(group []*job) error {
	t := &tx{writer: w}
	err := w.exec(`BEGIN IMMEDIATE`)
	if err == nil {
		for _, j := range group {
			before := t.writes
			j.err = t.guard(j.run)
			if j.err != nil && t.writes != before {
				err = j.err
				break
			}
		}
		if err == nil {
			err = w.exec(`COMMIT`)
		}
		if err != nil {
			w.rollback()
		}
	}
	if err != nil {
		for _, j := range group {
			if j.err == nil {
				j.err = fmt.Errorf("committing: %w", err)
			}
		}
		return err
	}
	if c := t.committed; len(c.Deliveries)+len(c.Endpoints)+len(c.Devices)+len(c.Ordered) > 0 {
		for _, tell := range w.db.told {
			tell(c)
		}
	}
	return nil
}

// guard turns a panic of a job into its error: one broken upload must not end the
// process for all devices.
func (t *tx) guard(run func(*tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			t.writes++ // whatever it did is rolled back
			err = fmt.Errorf("panic in a write: %v", p)
		}
	}()
	return run(t)
}

func (w *writer) rollback() {
	// It fails where SQLite has rolled back by itself, on a full disk for instance. Were
	// the transaction still open, the next BEGIN would fail and say so.
	if err := w.exec(`ROLLBACK`); err != nil {
		w.db.cfg.Log.Warn("nothing to roll back", "err", err)
	}
	w.forget()
}

// statement prepares text once. The writer's statements take no context: each is
// short, and a half-run one would spoil the whole group.
func (w *writer) statement(text string) (*sql.Stmt, error) {
	if s, ok := w.statements[text]; ok {
		return s, nil
	}
	s, err := w.conn.PrepareContext(context.Background(), text)
	if err != nil {
		return nil, fmt.Errorf("preparing %q: %w", firstWords(text), err)
	}
	w.statements[text] = s
	return s, nil
}

func (w *writer) exec(text string, args ...any) error {
	_, err := w.result(text, args...)
	return err
}

func (w *writer) result(text string, args ...any) (sql.Result, error) {
	s, err := w.statement(text)
	if err != nil {
		return nil, err
	}
	r, err := s.ExecContext(context.Background(), args...)
	if err != nil {
		return nil, fmt.Errorf("running %q: %w", firstWords(text), err)
	}
	return r, nil
}

// change runs a statement that writes.
func (t *tx) change(text string, args ...any) (sql.Result, error) {
	t.writes++
	return t.result(text, args...)
}

// scan runs a query that gives at most one row. It reports whether there was one.
func (w *writer) scan(text string, args []any, into ...any) (bool, error) {
	s, err := w.statement(text)
	if err != nil {
		return false, err
	}
	switch err := s.QueryRowContext(context.Background(), args...).Scan(into...); {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("running %q: %w", firstWords(text), err)
	}
	return true, nil
}

// firstWords names a statement in an error without its arguments.
func firstWords(text string) string {
	words := strings.Fields(text)
	return strings.Join(words[:min(4, len(words))], " ")
}

// Package sqlite keeps everything of one Fingerpost in one SQLite file.
//
// # Durability
//
// A method that writes returns nil only after its transaction is on disk: WAL with
// synchronous=FULL, one fsync a commit. Killed at any moment, the store holds all of
// what was reported as written and nothing by halves.
//
// # One writer
//
// All writes go through one goroutine, [DB.Run]. What waits while it commits becomes
// the next transaction, so one fsync serves many. A write that fails never fails the
// others of its group: the group is rolled back and each of it runs alone; the
// functions given to the writer may therefore run twice.
//
// # Sealed
//
// Credentials, photos, raw uploads, unread records, answers, tokens and secrets pass
// through package seal before they reach SQL.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/fingerpost/fingerpost/internal/enroll"
	"github.com/fingerpost/fingerpost/internal/seal"
)

// Config says what a DB works with. Dir and Box are required.
type Config struct {
	Dir string    // data directory; made with mode 0700 if missing
	Box *seal.Box // seals and opens
	Log *slog.Logger
	Now func() time.Time // nil means time.Now

	// MaxUsers is how many users the mirror of one device holds; 0 means 1,000,000, far
	// above what a terminal does.
	MaxUsers int
}

// A DB is the open store of one data directory.
type DB struct {
	cfg   Config
	lock  *flock.Flock
	read  *sql.DB // several connections that cannot write
	write *sql.DB // one connection, used by the writer alone
	ids   *enroll.OperationIDs

	jobs    chan *job
	lazy    chan *job
	stopped chan struct{} // closed when the writer takes nothing more
	told    []func(enroll.Committed)
}

// File is the name of the store in its data directory.
const File = "fingerpost.db"

// ErrLocked reports that another process works on the data directory.
var ErrLocked = errors.New("another fingerpost works on this data directory")

// pragmas stand in the DSN, so that every connection of a pool gets them.
var (
	writePragmas = []string{"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "busy_timeout(10000)",
		"temp_store(MEMORY)", "wal_autocheckpoint(4000)", "cache_size(-16000)"}
	readPragmas = []string{"query_only(1)", "busy_timeout(10000)", "temp_store(MEMORY)", "cache_size(-4000)"}
)

// Open locks the data directory, opens the store in it and brings its schema up to
// date. Writes wait until [DB.Run] runs. Close it after Run has returned.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.Dir == "" || cfg.Box == nil {
		return nil, errors.New("sqlite: Dir and Box are required")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.MaxUsers == 0 {
		cfg.MaxUsers = 1_000_000
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data directory: %w", err)
	}
	db := &DB{cfg: cfg, jobs: make(chan *job), lazy: make(chan *job), stopped: make(chan struct{})}
	db.lock = flock.New(filepath.Join(cfg.Dir, "lock"))
	locked, err := db.lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("locking data directory %q: %w", cfg.Dir, err)
	}
	if !locked {
		return nil, fmt.Errorf("data directory %q: %w", cfg.Dir, ErrLocked)
	}
	if err := db.open(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (db *DB) open(ctx context.Context) error {
	file := filepath.Join(db.cfg.Dir, File)
	// SQLite gives its other files the mode of this one.
	made, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("opening store: %w", err)
	}
	if err := made.Close(); err != nil {
		return fmt.Errorf("opening store: %w", err)
	}
	if db.write, err = sql.Open("sqlite", dsn(file, writePragmas)); err != nil {
		return fmt.Errorf("opening store %q: %w", file, err)
	}
	db.write.SetMaxOpenConns(1)
	if err := migrate(ctx, db.write, migrations()); err != nil {
		return fmt.Errorf("opening store %q: %w", file, err)
	}
	if db.read, err = sql.Open("sqlite", dsn(file, readPragmas)); err != nil {
		return fmt.Errorf("opening store %q: %w", file, err)
	}
	db.read.SetMaxOpenConns(4)
	db.read.SetMaxIdleConns(4)
	return db.checkKey(ctx)
}

func dsn(file string, pragmas []string) string {
	query := url.Values{"_pragma": pragmas, "_txlock": {"immediate"}}
	return (&url.URL{Scheme: "file", Opaque: url.PathEscape(file), RawQuery: query.Encode()}).String()
}

// Subscribe has tell called after each commit, in the order of commits, by the
// writer: it must return at once. Call it before Run.
func (db *DB) Subscribe(tell func(enroll.Committed)) { db.told = append(db.told, tell) }

// Close frees the files and the lock. It does not wait for [DB.Run].
func (db *DB) Close() error {
	var errs []error
	if db.read != nil {
		errs = append(errs, db.read.Close())
	}
	if db.write != nil {
		errs = append(errs, db.write.Close())
	}
	return errors.Join(append(errs, db.lock.Unlock())...)
}

// checkKey makes sure that the store was sealed with the key at hand, and loads the
// key of the operation ids. A new store gets both.
func (db *DB) checkKey(ctx context.Context) error {
	check := db.cfg.Box.Hash("key check")
	if _, err := db.write.ExecContext(ctx, insertSettingSQL, "key_check", []byte(check)); err != nil {
		return fmt.Errorf("writing the key check: %w", err)
	}
	stored, err := db.setting(ctx, "key_check")
	if err != nil {
		return err
	}
	if string(stored) != check {
		return errors.New("the sealing key is not the one this store was made with: start with --key-file and the right one")
	}
	fresh := make([]byte, 32)
	randomBytes(fresh)
	sealed, err := db.cfg.Box.Seal("operation id key", fresh)
	if err != nil {
		return err
	}
	if _, err := db.write.ExecContext(ctx, insertSettingSQL, "operation_id_key_sealed", sealed); err != nil {
		return fmt.Errorf("writing the key of the operation ids: %w", err)
	}
	if sealed, err = db.setting(ctx, "operation_id_key_sealed"); err != nil {
		return err
	}
	key, err := db.cfg.Box.Open("operation id key", sealed)
	if err != nil || len(key) != 32 {
		return fmt.Errorf("opening the key of the operation ids: %w", err)
	}
	db.ids = enroll.NewOperationIDs([32]byte(key))
	return nil
}

// insertSettingSQL keeps a value that is there. ?1 name, ?2 value.
const insertSettingSQL = `INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING`

func (db *DB) setting(ctx context.Context, name string) ([]byte, error) {
	var value []byte
	err := db.write.QueryRowContext(ctx, `SELECT value FROM setting WHERE name = ?1`, name).Scan(&value)
	if err != nil {
		return nil, fmt.Errorf("reading setting %q: %w", name, err)
	}
	return value, nil
}

// now is our clock as the store keeps it.
func (db *DB) now() time.Time { return enroll.Millis(db.cfg.Now()) }

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

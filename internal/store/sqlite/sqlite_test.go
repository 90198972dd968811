package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
	"github.com/fingerpost/fingerpost/internal/seal"
	"github.com/fingerpost/fingerpost/internal/store/sqlite"
	"github.com/fingerpost/fingerpost/internal/store/storetest"
)

var update = flag.Bool("update", false, "write schema.sql instead of comparing")

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, now func() time.Time, subscribe func(enroll.Committed)) storetest.Opened {
		return opened(t, t.TempDir(), now, subscribe)
	})
}

// opened opens the store of a directory. Reopening works on a copy of the files as
// they are, as after a crash.
func opened(t *testing.T, dir string, now func() time.Time, subscribe func(enroll.Committed)) storetest.Opened {
	t.Helper()
	db := open(t, dir, now)
	db.Subscribe(subscribe)
	run(t, db)
	return storetest.Opened{Store: db, Reopen: func(t *testing.T) storetest.Opened {
		copied := t.TempDir()
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(copied, "seal.key"), 0o600); err != nil {
			t.Fatal(err)
		}
		return opened(t, copied, now, subscribe)
	}}
}

func open(t *testing.T, dir string, now func() time.Time) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir, Box: box(t, dir), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func box(t *testing.T, dir string) *seal.Box {
	t.Helper()
	b, err := seal.OpenFile(filepath.Join(dir, "seal.key"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// run runs a store until the test ends.
func run(t *testing.T, db *sqlite.DB) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- db.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-done, db.Close()); err != nil {
			t.Error(err)
		}
	})
}

func TestOpen(t *testing.T) {
	t.Parallel()
	t.Run("a second process is refused", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		first := open(t, dir, nil)
		if _, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir, Box: box(t, dir)}); !errors.Is(err, sqlite.ErrLocked) {
			t.Errorf("got %v, want ErrLocked", err)
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		if err := open(t, dir, nil).Close(); err != nil {
			t.Errorf("after the first has closed: %v", err)
		}
	})
	t.Run("another sealing key is refused", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		if err := open(t, dir, nil).Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir, Box: box(t, t.TempDir())}); err == nil || !strings.Contains(err.Error(), "sealing key") {
			t.Errorf("got %v, want words about the sealing key", err)
		}
	})
	t.Run("a schema from far in the future is refused, the next one is not", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		if err := open(t, dir, nil).Close(); err != nil {
			t.Fatal(err)
		}
		steps, err := filepath.Glob("migrations/*.sql")
		if err != nil || len(steps) == 0 {
			t.Fatalf("no migrations: %v", err)
		}
		for ahead, wantError := range map[int]bool{1: false, 2: true} {
			sqlExec(t, dir, fmt.Sprintf("PRAGMA user_version = %d", len(steps)+ahead))
			db, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir, Box: box(t, dir)})
			if (err != nil) != wantError {
				t.Errorf("%d ahead: got %v", ahead, err)
			}
			if err == nil {
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
	t.Run("only the owner may read the files", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "data")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		db := open(t, dir, nil)
		defer db.Close()
		for _, name := range []string{"fingerpost.db", "fingerpost.db-wal", "seal.key"} {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil || info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s: got %v, %v", name, info.Mode(), err)
			}
		}
	})
	t.Run("migrations are numbered without holes", func(t *testing.T) {
		t.Parallel()
		names, err := fs.Glob(os.DirFS("migrations"), "*.sql")
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range names {
			if want := fmt.Sprintf("%04d_", i+1); !strings.HasPrefix(name, want) {
				t.Errorf("migration %d is %q, want %swhat.sql", i+1, name, want)
			}
		}
	})
}

func sqlExec(t *testing.T, dir, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "fingerpost.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

// TestSchema keeps schema.sql, the schema as a whole for readers, equal to what the
// migrations make.
func TestSchema(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := open(t, dir, nil).Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "fingerpost.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got := "-- The schema after all migrations. Written by go test -run TestSchema -update.\n"
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		got += "\n" + text + ";\n"
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("schema.sql", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("schema.sql")
	if err != nil || string(want) != got {
		t.Errorf("schema.sql is not what the migrations make (%v): run go test ./internal/store/sqlite -run TestSchema -update", err)
	}
}

// TestNothingLiesOpen greps the files of a store for what must be sealed.
func TestNothingLiesOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := func() time.Time { return time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC) }
	db := open(t, dir, now)
	run(t, db)
	ctx := t.Context()
	endpoint, err := db.AddEndpoint(ctx, enroll.Endpoint{Name: "hr", URL: "http://127.0.0.1/", Dialect: "niya", Kinds: enroll.Updates, Ack: "status",
		Stop: "lane", UserIDs: "documented", Faces: "auto", Timeout: time.Second, MaxInFlight: 1, AuthToken: "OPEN-endpoint-token", Secret: "OPEN-secret"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.AddDevice(ctx, enroll.Device{Serial: "S", StgID: "S", TimeZone: "UTC", Endpoints: []string{"hr"}, Poll: 10 * time.Second,
		Direction: enroll.DirectionActual, AuthToken: "OPEN-device-token"}); err != nil {
		t.Fatal(err)
	}
	photo := enroll.TextData(strings.Repeat("OPEN-photo", 1000))
	change := enroll.Change{Kinds: enroll.Password, UserID: "1", ReceivedAt: now(), Content: enroll.Content{Photo: &photo,
		Templates: []enroll.Template{{Kind: enroll.Password, Data: enroll.TextData("OPEN-password")}}}}
	small := enroll.Change{Kinds: enroll.Card, UserID: "1", ReceivedAt: now(), Content: enroll.Content{
		Templates: []enroll.Template{{Kind: enroll.Card, Data: enroll.TextData("OPEN-card")}}}}
	to := []enroll.Recipient{{Endpoint: endpoint.ID, Kinds: enroll.Updates}}
	err = db.Accept(ctx, "S", "OPERLOG", enroll.Needs{}, func(enroll.Known) (enroll.Follows, error) {
		return enroll.Follows{Changes: []enroll.NewChange{{Change: change, To: to}, {Change: small, To: to}},
			Unread: []enroll.UnreadReport{{Line: []byte("OPEN-line"), Why: "why"}},
			Kept:   []enroll.KeptReport{{Line: []byte("OPEN-kept"), Why: "why"}}, Raw: []byte("OPEN-body")}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Record(ctx, []enroll.Outcome{{Endpoint: endpoint.ID, Attempt: enroll.Attempt{DeliveryID: enroll.DeliveryID{Lane: 1, N: 1},
		Number: 1, StartedAt: now(), Answer: []byte("OPEN-answer")}}}); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) < 3 {
		t.Fatalf("got files %v, %v", files, err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if at := strings.Index(string(content), "OPEN-"); at >= 0 {
			t.Errorf("%s holds %q in the open", filepath.Base(name), content[at:min(at+24, len(content))])
		}
	}
}

// TestStopping: what the writer has taken is committed, what comes later is refused.
func TestStopping(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), nil)
	defer db.Close()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- db.Run(ctx) }()
	if err := db.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := db.Ready(t.Context()); !errors.Is(err, enroll.ErrStopping) {
		t.Errorf("got %v, want ErrStopping", err)
	}
}

// TestMaxUsers: a broken or hostile terminal does not fill the store with users.
func TestMaxUsers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir, Box: box(t, dir), MaxUsers: 3})
	if err != nil {
		t.Fatal(err)
	}
	run(t, db)
	if _, err := db.AddDevice(t.Context(), enroll.Device{Serial: "S", StgID: "S", TimeZone: "UTC", Poll: 10 * time.Second,
		Direction: enroll.DirectionActual}); err != nil {
		t.Fatal(err)
	}
	accept := func(f enroll.Follows, pins ...enroll.PIN) error {
		return db.Accept(t.Context(), "S", "", enroll.Needs{Users: pins}, func(enroll.Known) (enroll.Follows, error) {
			for _, pin := range pins {
				f.Users = append(f.Users, enroll.Mirrored{UserID: pin, Known: true})
			}
			return f, nil
		})
	}
	for i, tt := range []struct {
		follows enroll.Follows
		pins    []enroll.PIN
		refused bool
	}{
		{pins: []enroll.PIN{"1", "2"}},
		{pins: []enroll.PIN{"3", "4"}, refused: true},
		{pins: []enroll.PIN{"1", "2", "3"}}, // two of them are known
		{pins: []enroll.PIN{"4"}, refused: true},
		{follows: enroll.Follows{Forget: []enroll.PIN{"1"}}},
		{pins: []enroll.PIN{"4"}},
	} {
		if err := accept(tt.follows, tt.pins...); errors.Is(err, enroll.ErrTooManyUsers) != tt.refused || !tt.refused && err != nil {
			t.Errorf("upload %d: got %v, want refused %v", i+1, err, tt.refused)
		}
	}
}

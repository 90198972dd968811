package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// A migration is one step of the schema, forward only; number 1 is the first.
type migration struct {
	name string
	text string
}

// migrations returns the steps in order. Their names begin with their numbers, and a
// test checks that these have no holes.
func migrations() []migration {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql") // sorted
	if err != nil {
		panic(err) // the pattern is a constant
	}
	steps := make([]migration, len(names))
	for i, name := range names {
		text, err := migrationFiles.ReadFile(name)
		if err != nil {
			panic(err) // embedded
		}
		steps[i] = migration{strings.TrimPrefix(name, "migrations/"), string(text)}
	}
	return steps
}

// migrate runs the steps that the database does not have, each in a transaction
// together with its number (PRAGMA user_version). A database one step ahead is used
// as it is: the new schema must serve the old code one version long.
func migrate(ctx context.Context, db *sql.DB, steps []migration) error {
	var version int
	if err := db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return fmt.Errorf("reading the schema's version: %w", err)
	}
	if version > len(steps)+1 {
		return fmt.Errorf("its schema has version %d, this program knows %d: use a newer fingerpost", version, len(steps))
	}
	for i := version; i < len(steps); i++ {
		if err := step(ctx, db, i+1, steps[i]); err != nil {
			return fmt.Errorf("migration %s: %w", steps[i].name, err)
		}
	}
	return nil
}

func step(ctx context.Context, db *sql.DB, number int, m migration) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, m.text); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf(`PRAGMA user_version = %d`, number)); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// randomBytes fills b; crypto/rand does not fail on the systems we run on, and ends
// the program where it does.
func randomBytes(b []byte) { _, _ = rand.Read(b) }

package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// endpointColumns are read by scanEndpoint in this order.
const endpointColumns = `e.id, e.name, e.url, e.dialect, e.kinds, e.ack, e.stop, e.user_ids, e.times, e.device_fields, e.faces,
	e.append_stg_id, e.root_copies, e.timeout_ms, e.max_in_flight, e.auth_token, e.secret, e.added_ms,
	e.paused_ms, e.suspended_ms, e.failures, e.next_at_ms, e.reason, e.epoch`

// waitingColumn counts what is owed to an endpoint, from its lanes alone.
const waitingColumn = `coalesce((SELECT sum(l.last - l.cursor) FROM lane l WHERE l.endpoint_id = e.id), 0)`

// scanEndpoint reads endpointColumns, and what more a query asks for.
func (db *DB) scanEndpoint(row scanner, more ...any) (enroll.Endpoint, error) {
	var e enroll.Endpoint
	var kinds string
	var timeout, added, paused, suspended, next int64
	var token, secret []byte
	into := []any{&e.ID, &e.Name, &e.URL, &e.Dialect, &kinds, &e.Ack, &e.Stop, &e.UserIDs, &e.Times, &e.DeviceFields, &e.Faces,
		&e.AppendStgID, &e.RootCopies, &timeout, &e.MaxInFlight, &token, &secret, &added,
		&paused, &suspended, &e.Failures, &next, &e.Reason, &e.Epoch}
	if err := row.Scan(append(into, more...)...); err != nil {
		return e, err
	}
	var err error
	if e.Kinds, err = enroll.ParseKinds(kinds); err != nil {
		return e, err
	}
	e.Timeout = time.Duration(timeout) * time.Millisecond
	e.AddedAt, e.PausedAt, e.SuspendedAt, e.NextAt = fromMillis(added), fromMillis(paused), fromMillis(suspended), fromMillis(next)
	if token, err = db.cfg.Box.Open("endpoint.auth_token", token); err != nil {
		return e, err
	}
	if secret, err = db.cfg.Box.Open("endpoint.secret", secret); err != nil {
		return e, err
	}
	e.AuthToken, e.Secret = enroll.Secret(token), enroll.Secret(secret)
	return e, nil
}

// endpointSQL: ?1 name.
const endpointSQL = `SELECT ` + endpointColumns + `, ` + waitingColumn + ` FROM endpoint e WHERE e.name = ?1`

// Endpoint returns one endpoint, or an error that wraps [enroll.ErrNotFound].
func (db *DB) Endpoint(ctx context.Context, name string) (enroll.EndpointStatus, error) {
	var s enroll.EndpointStatus
	var err error
	s.Endpoint, err = db.scanEndpoint(db.read.QueryRowContext(ctx, endpointSQL, name), &s.Waiting)
	return s, notFound(err, "endpoint", name)
}

// endpointsSQL: ?1 the name before the first, ?2 how many.
const endpointsSQL = `SELECT ` + endpointColumns + `, ` + waitingColumn + ` FROM endpoint e WHERE e.name > ?1 ORDER BY e.name LIMIT ?2`

// Endpoints returns up to limit endpoints in the order of their names.
func (db *DB) Endpoints(ctx context.Context, after string, limit int) ([]enroll.EndpointStatus, error) {
	rows, err := db.read.QueryContext(ctx, endpointsSQL, after, limit)
	if err != nil {
		return nil, fmt.Errorf("listing endpoints: %w", err)
	}
	defer rows.Close()
	var list []enroll.EndpointStatus
	for rows.Next() {
		var s enroll.EndpointStatus
		if s.Endpoint, err = db.scanEndpoint(rows, &s.Waiting); err != nil {
			return nil, fmt.Errorf("listing endpoints: %w", err)
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

// endpointsByIDSQL: ?1 id; 0 is all.
const endpointsByIDSQL = `SELECT ` + endpointColumns + ` FROM endpoint e WHERE ?1 = 0 OR e.id = ?1 ORDER BY e.id`

// ServedEndpoints returns the endpoint of an id, or all of them for id 0, with their
// settings as they are now; none if there is none.
func (db *DB) ServedEndpoints(ctx context.Context, id enroll.EndpointID) ([]enroll.Endpoint, error) {
	rows, err := db.read.QueryContext(ctx, endpointsByIDSQL, int64(id))
	if err != nil {
		return nil, fmt.Errorf("reading endpoints: %w", err)
	}
	defer rows.Close()
	var list []enroll.Endpoint
	for rows.Next() {
		e, err := db.scanEndpoint(rows)
		if err != nil {
			return nil, fmt.Errorf("reading endpoints: %w", err)
		}
		list = append(list, e)
	}
	return list, rows.Err()
}

const insertEndpointSQL = `
INSERT INTO endpoint (name, url, dialect, kinds, ack, stop, user_ids, times, device_fields, faces,
                      append_stg_id, root_copies, timeout_ms, max_in_flight, auth_token, secret, added_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
ON CONFLICT DO NOTHING
RETURNING id`

// AddEndpoint makes an endpoint. The error wraps [enroll.ErrExists] if the name is taken.
func (db *DB) AddEndpoint(ctx context.Context, e enroll.Endpoint) (enroll.EndpointStatus, error) {
	if err := e.Check(); err != nil {
		return enroll.EndpointStatus{}, err
	}
	token, err := db.cfg.Box.Seal("endpoint.auth_token", []byte(e.AuthToken.Reveal()))
	if err != nil {
		return enroll.EndpointStatus{}, err
	}
	secret, err := db.cfg.Box.Seal("endpoint.secret", []byte(e.Secret.Reveal()))
	if err != nil {
		return enroll.EndpointStatus{}, err
	}
	err = db.do(ctx, func(t *tx) error {
		t.writes++
		var id enroll.EndpointID
		made, err := t.scan(insertEndpointSQL, []any{e.Name, e.URL, e.Dialect, e.Kinds.String(), e.Ack, e.Stop, e.UserIDs, e.Times,
			e.DeviceFields, e.Faces, e.AppendStgID, e.RootCopies, e.Timeout.Milliseconds(), e.MaxInFlight, token, secret,
			millis(t.db.now())}, &id)
		if err != nil {
			return err
		}
		if !made {
			return enroll.ErrExists
		}
		t.committed.Endpoints = append(t.committed.Endpoints, id)
		return nil
	})
	if err != nil {
		return enroll.EndpointStatus{}, fmt.Errorf("adding endpoint %q: %w", e.Name, err)
	}
	return db.Endpoint(ctx, e.Name)
}

const resumeEndpointSQL = `
UPDATE endpoint
   SET paused_ms = 0, suspended_ms = 0, failures = 0, next_at_ms = 0, reason = '', epoch = epoch + 1
 WHERE name = ?1
RETURNING id`

// ResumeEndpoint ends a pause or a suspension: the next attempt leaves at once. It
// costs one row, whatever waits.
func (db *DB) ResumeEndpoint(ctx context.Context, name string) (enroll.EndpointStatus, error) {
	err := db.do(ctx, func(t *tx) error {
		t.writes++
		var id enroll.EndpointID
		found, err := t.scan(resumeEndpointSQL, []any{name}, &id)
		if err != nil {
			return err
		}
		if !found {
			return enroll.ErrNotFound
		}
		t.committed.Endpoints = append(t.committed.Endpoints, id)
		return nil
	})
	if err != nil {
		return enroll.EndpointStatus{}, fmt.Errorf("resuming endpoint %q: %w", name, err)
	}
	return db.Endpoint(ctx, name)
}

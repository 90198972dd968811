package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// deliveryColumns are read by scanDelivery in this order.
const deliveryColumns = `d.lane_id, d.n, e.name, coalesce(nullif(v.removed_serial, ''), v.serial), l.class,
	CASE WHEN d.n > l.cursor THEN 'waiting' ELSE coalesce(x.state, 'delivered') END,
	c.id, d.kinds, c.user_id, c.received_ms,
	(SELECT count(*) FROM attempt a WHERE a.lane_id = d.lane_id AND a.n = d.n)`

const deliveryFrom = ` FROM lane l
	JOIN endpoint e ON e.id = l.endpoint_id
	JOIN device v ON v.id = l.device_id
	JOIN delivery d ON d.lane_id = l.id
	JOIN change c ON c.id = d.change_id
	LEFT JOIN delivery_exception x ON x.lane_id = d.lane_id AND x.n = d.n`

func (db *DB) scanDelivery(row scanner) (enroll.DeliveryStatus, error) {
	var s enroll.DeliveryStatus
	var change enroll.ChangeID
	var kinds string
	var received int64
	if err := row.Scan(&s.Lane, &s.N, &s.Endpoint, &s.Device, &s.Class, &s.State,
		&change, &kinds, &s.UserID, &received, &s.Attempts); err != nil {
		return s, err
	}
	var err error
	s.Kinds, err = enroll.ParseKinds(kinds)
	s.OperationID, s.ReceivedAt = db.ids.Of(change), fromMillis(received)
	return s, err
}

// deliveriesSQL: ?1 endpoint name and ?2 serial number, "" for all; ?3 state, "" for
// all; ?4, ?5 the delivery before the first; ?6 how many.
const deliveriesSQL = `SELECT ` + deliveryColumns + deliveryFrom + `
 WHERE (?1 = '' OR e.name = ?1)
   AND (?2 = '' OR v.serial = ?2 OR v.removed_serial = ?2)
   AND (d.lane_id, d.n) > (?4, ?5)
   AND (?3 = ''
     OR ?3 = 'waiting'   AND d.n > l.cursor
     OR ?3 = 'delivered' AND d.n <= l.cursor AND x.state IS NULL
     OR ?3 = x.state     AND d.n <= l.cursor)
 ORDER BY d.lane_id, d.n
 LIMIT ?6`

// Deliveries returns the deliveries that a filter chooses, lane by lane, in order.
func (db *DB) Deliveries(ctx context.Context, f enroll.DeliveryFilter) ([]enroll.DeliveryStatus, error) {
	rows, err := db.read.QueryContext(ctx, deliveriesSQL, f.Endpoint, string(f.Device), string(f.State), int64(f.After.Lane), f.After.N, f.Limit)
	if err != nil {
		return nil, fmt.Errorf("listing deliveries: %w", err)
	}
	defer rows.Close()
	var list []enroll.DeliveryStatus
	for rows.Next() {
		s, err := db.scanDelivery(rows)
		if err != nil {
			return nil, fmt.Errorf("listing deliveries: %w", err)
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

// Delivery returns one delivery with its attempts, or an error that wraps
// [enroll.ErrNotFound].
func (db *DB) Delivery(ctx context.Context, id enroll.DeliveryID) (enroll.DeliveryStatus, error) {
	row := db.read.QueryRowContext(ctx, `SELECT `+deliveryColumns+deliveryFrom+` WHERE l.id = ?1 AND d.n = ?2`, int64(id.Lane), id.N)
	s, err := db.scanDelivery(row)
	if err = notFound(err, "delivery", id.String()); err != nil {
		return s, err
	}
	s.Tries, err = db.attempts(ctx, id)
	return s, err
}

func (db *DB) attempts(ctx context.Context, id enroll.DeliveryID) ([]enroll.Attempt, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT number, started_ms, duration_us, status, acknowledged, error, answer
		FROM attempt WHERE lane_id = ?1 AND n = ?2 ORDER BY number`, int64(id.Lane), id.N)
	if err != nil {
		return nil, fmt.Errorf("reading attempts of %v: %w", id, err)
	}
	defer rows.Close()
	var list []enroll.Attempt
	for rows.Next() {
		a := enroll.Attempt{DeliveryID: id}
		var started, micros int64
		var answer []byte
		if err := rows.Scan(&a.Number, &started, &micros, &a.Status, &a.Acknowledged, &a.Error, &answer); err != nil {
			return nil, fmt.Errorf("reading attempts of %v: %w", id, err)
		}
		a.StartedAt, a.Duration = fromMillis(started), time.Duration(micros)*time.Microsecond
		if a.Answer, err = db.cfg.Box.Open("attempt.answer", answer); err != nil {
			return nil, fmt.Errorf("reading attempts of %v: %w", id, err)
		}
		list = append(list, a)
	}
	return list, rows.Err()
}

// AddAdminToken has the admin API accept the token with this hash.
func (db *DB) AddAdminToken(ctx context.Context, hash string) error {
	return db.do(ctx, func(t *tx) error {
		_, err := t.change(`INSERT INTO admin_token (hash, added_ms) VALUES (?1, ?2) ON CONFLICT DO NOTHING`, hash, millis(t.db.now()))
		return err
	})
}

// AdminToken reports whether the token with this hash is accepted.
func (db *DB) AdminToken(ctx context.Context, hash string) (bool, error) {
	var one int
	switch err := db.read.QueryRowContext(ctx, `SELECT 1 FROM admin_token WHERE hash = ?1`, hash).Scan(&one); err {
	case nil:
		return true, nil
	case sql.ErrNoRows:
		return false, nil
	default:
		return false, fmt.Errorf("checking the admin token: %w", err)
	}
}

// Ready reports whether the store can be written to right now.
func (db *DB) Ready(ctx context.Context) error {
	return db.do(ctx, func(t *tx) error {
		_, err := t.change(`INSERT INTO setting (name, value) VALUES ('ready', x'01')
			ON CONFLICT DO UPDATE SET value = excluded.value`)
		return err
	})
}

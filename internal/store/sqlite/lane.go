package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// waitingLanesSQL: ?1 endpoint; 0 is all.
const waitingLanesSQL = `
SELECT id, endpoint_id, device_id, class, last, cursor, attempts, failures, next_at_ms
  FROM lane
 WHERE last > cursor AND (?1 = 0 OR endpoint_id = ?1)
 ORDER BY id`

// WaitingLanes returns the lanes of an endpoint, or of all for id 0, that have
// something waiting.
func (db *DB) WaitingLanes(ctx context.Context, endpoint enroll.EndpointID) ([]enroll.Lane, error) {
	rows, err := db.read.QueryContext(ctx, waitingLanesSQL, int64(endpoint))
	if err != nil {
		return nil, fmt.Errorf("reading waiting lanes: %w", err)
	}
	defer rows.Close()
	var lanes []enroll.Lane
	for rows.Next() {
		var l enroll.Lane
		var next int64
		if err := rows.Scan(&l.ID, &l.Endpoint, &l.Device, &l.Class, &l.Last, &l.Cursor, &l.Attempts, &l.Failures, &next); err != nil {
			return nil, fmt.Errorf("reading waiting lanes: %w", err)
		}
		l.NextAt = fromMillis(next)
		lanes = append(lanes, l)
	}
	return lanes, rows.Err()
}

// waitingSQL: ?1 lane, ?2 the number before the first, ?3 how many.
const waitingSQL = `
SELECT d.n, d.kinds, l.endpoint_id, l.class, coalesce(v.stg_id, v.removed_stg_id), v.auth_token,
       c.id, c.device_id, c.kinds, c.user_id, c.received_ms, coalesce(c.content, p.content)
  FROM delivery d
  JOIN lane l ON l.id = d.lane_id
  JOIN change c ON c.id = d.change_id
  JOIN device v ON v.id = c.device_id
  LEFT JOIN payload p ON p.change_id = c.id
 WHERE d.lane_id = ?1 AND d.n > ?2
 ORDER BY d.n
 LIMIT ?3`

// Waiting returns the deliveries of a lane after number after, in order: at most n,
// and no more after their changes take maxBytes of memory. It returns at least one if
// there is one.
func (db *DB) Waiting(ctx context.Context, lane enroll.LaneID, after int64, n, maxBytes int) ([]enroll.Delivery, error) {
	rows, err := db.read.QueryContext(ctx, waitingSQL, int64(lane), after, n)
	if err != nil {
		return nil, fmt.Errorf("reading lane %d: %w", lane, err)
	}
	defer rows.Close()
	var list []enroll.Delivery
	for size := 0; size < maxBytes && rows.Next(); {
		d := enroll.Delivery{DeliveryID: enroll.DeliveryID{Lane: lane}, Change: &enroll.Change{}}
		var chosen, kinds string
		var received int64
		var content, token []byte
		if err := rows.Scan(&d.N, &chosen, &d.Endpoint, &d.Class, &d.StgID, &token,
			&d.Change.ID, &d.Change.Device, &kinds, &d.Change.UserID, &received, &content); err != nil {
			return nil, fmt.Errorf("reading lane %d: %w", lane, err)
		}
		if d.Kinds, err = enroll.ParseKinds(chosen); err != nil {
			return nil, fmt.Errorf("reading delivery %v: %w", d.DeliveryID, err)
		}
		if err := db.fill(&d, kinds, received, content, token); err != nil {
			return nil, fmt.Errorf("reading delivery %v: %w", d.DeliveryID, err)
		}
		list = append(list, d)
		size += d.Change.Size()
	}
	return list, rows.Err()
}

func (db *DB) fill(d *enroll.Delivery, kinds string, received int64, content, token []byte) error {
	var err error
	if d.Change.Kinds, err = enroll.ParseKinds(kinds); err != nil {
		return err
	}
	if token, err = db.cfg.Box.Open("device.auth_token", token); err != nil {
		return err
	}
	if content, err = db.cfg.Box.Open("change.content", content); err != nil {
		return err
	}
	d.Device, d.Token = d.Change.Device, enroll.Secret(token)
	d.Change.ReceivedAt = fromMillis(received)
	d.Change.OperationID = db.ids.Of(d.Change.ID)
	return d.Change.Content.UnmarshalBinary(content)
}

const (
	insertAttemptSQL = `
INSERT INTO attempt (lane_id, n, number, started_ms, duration_us, status, acknowledged, error, answer)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
ON CONFLICT DO NOTHING`

	// advanceSQL moves a cursor past an acknowledged delivery; never back.
	advanceSQL = `UPDATE lane SET cursor = ?2, attempts = 0, failures = 0, next_at_ms = 0 WHERE id = ?1 AND cursor < ?2`

	// failSQL notes a failed attempt of the head. ?1 lane, ?2 n.
	failSQL = `UPDATE lane SET attempts = ?3, failures = ?4, next_at_ms = ?5 WHERE id = ?1 AND cursor = ?2 - 1`

	// healthSQL does nothing if an operator has paused or resumed since.
	healthSQL = `UPDATE endpoint SET suspended_ms = ?2, failures = ?3, next_at_ms = ?4, reason = ?5 WHERE id = ?1 AND epoch = ?6`
)

// Record stores outcomes and what they do to lanes and endpoints, all or none, on the
// next commit or 15 ms later. Telling an outcome twice changes nothing.
func (db *DB) Record(ctx context.Context, outcomes []enroll.Outcome) error {
	answers := make([][]byte, len(outcomes))
	for i, o := range outcomes {
		sealed, err := db.cfg.Box.Seal("attempt.answer", o.Answer)
		if err != nil {
			return fmt.Errorf("recording outcomes: %w", err)
		}
		answers[i] = sealed
	}
	err := db.doLazily(ctx, func(t *tx) error {
		cursors := make(map[enroll.LaneID]int64)
		health := make(map[enroll.EndpointID]*enroll.Health)
		for i, o := range outcomes {
			if _, err := t.change(insertAttemptSQL, int64(o.Lane), o.N, o.Number, millis(o.StartedAt),
				o.Duration/time.Microsecond, o.Status, o.Acknowledged, o.Error, answers[i]); err != nil {
				return err
			}
			if o.Health != nil {
				health[o.Endpoint] = o.Health // the last one counts
			}
			if o.Acknowledged {
				cursors[o.Lane] = max(cursors[o.Lane], o.N)
				continue
			}
			// A failure after acknowledgements of the same lane needs the cursor in place.
			if err := t.advance(cursors, o.Lane); err != nil {
				return err
			}
			if _, err := t.change(failSQL, int64(o.Lane), o.N, o.Number, o.Failures, millis(o.NextAt)); err != nil {
				return err
			}
		}
		for lane := range cursors {
			if err := t.advance(cursors, lane); err != nil {
				return err
			}
		}
		for id, h := range health {
			if _, err := t.change(healthSQL, int64(id), millis(h.SuspendedAt), h.Failures, millis(h.NextAt), h.Reason, h.Epoch); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("recording outcomes: %w", err)
	}
	return nil
}

// advance writes the new cursor of a lane, if it has one.
func (t *tx) advance(cursors map[enroll.LaneID]int64, lane enroll.LaneID) error {
	n, moved := cursors[lane]
	if !moved {
		return nil
	}
	delete(cursors, lane)
	_, err := t.change(advanceSQL, int64(lane), n)
	return err
}

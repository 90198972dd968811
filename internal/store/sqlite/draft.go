package sqlite

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// draftsOf reads the drafts of a device, and adds their users to those wanted.
func (t *tx) draftsOf(device enroll.DeviceID, users []enroll.PIN) ([]enroll.Draft, []enroll.PIN, error) {
	stmt, err := t.statement(`SELECT id, due_ms, body FROM draft WHERE device_id = ?1 ORDER BY id`)
	if err != nil {
		return nil, nil, err
	}
	rows, err := stmt.QueryContext(context.Background(), int64(device))
	if err != nil {
		return nil, nil, fmt.Errorf("reading drafts: %w", err)
	}
	defer rows.Close()
	var list []enroll.Draft
	users = slices.Clone(users)
	for rows.Next() {
		var id, due int64
		var body []byte
		if err := rows.Scan(&id, &due, &body); err != nil {
			return nil, nil, fmt.Errorf("reading drafts: %w", err)
		}
		if body, err = t.db.cfg.Box.Open("draft.body", body); err != nil {
			return nil, nil, fmt.Errorf("reading drafts: %w", err)
		}
		var d enroll.Draft
		if err := d.UnmarshalBinary(body); err != nil {
			return nil, nil, fmt.Errorf("reading drafts: %w", err)
		}
		d.ID, d.Device, d.DueAt = id, device, fromMillis(due)
		list = append(list, d)
		if !slices.Contains(users, d.UserID) {
			users = append(users, d.UserID)
		}
	}
	return list, users, rows.Err()
}

// untimed reads which changes of users were told without an operation time.
func (t *tx) untimed(device enroll.DeviceID, users []enroll.PIN, at time.Time) ([]enroll.Untimed, error) {
	var list []enroll.Untimed
	for _, user := range users {
		var err error
		if list, err = t.appendUntimed(list, device, user, millis(at.Add(-enroll.OperationMemory))); err != nil {
			return nil, fmt.Errorf("reading changes without a time: %w", err)
		}
	}
	return list, nil
}

func (t *tx) appendUntimed(list []enroll.Untimed, device enroll.DeviceID, user enroll.PIN, since int64) ([]enroll.Untimed, error) {
	stmt, err := t.statement(`SELECT kinds, received_ms FROM untimed WHERE device_id = ?1 AND user_id = ?2 AND received_ms >= ?3 ORDER BY rowid`)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(context.Background(), int64(device), string(user), since)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		u := enroll.Untimed{UserID: user}
		var kinds string
		var received int64
		if err := rows.Scan(&kinds, &received); err != nil {
			return nil, err
		}
		if u.Kinds, err = enroll.ParseKinds(kinds); err != nil {
			return nil, err
		}
		u.ReceivedAt = fromMillis(received)
		list = append(list, u)
	}
	return list, rows.Err()
}

// keepDrafts writes what became of the drafts, and what is remembered of those that
// were told without a time.
func (t *tx) keepDrafts(known enroll.Known, f enroll.Follows) error {
	device := int64(known.Device.ID)
	for _, id := range f.Done {
		if _, err := t.change(`DELETE FROM draft WHERE id = ?1`, id); err != nil {
			return err
		}
	}
	for _, d := range f.Drafts {
		body, err := d.MarshalBinary()
		if err != nil {
			return err
		}
		if body, err = t.db.cfg.Box.Seal("draft.body", body); err != nil {
			return err
		}
		if d.ID != 0 {
			_, err = t.change(`UPDATE draft SET due_ms = ?2, body = ?3 WHERE id = ?1`, d.ID, millis(d.DueAt), body)
		} else {
			_, err = t.change(`INSERT INTO draft (device_id, due_ms, body) VALUES (?1, ?2, ?3)`, device, millis(d.DueAt), body)
		}
		if err != nil {
			return err
		}
	}
	if len(f.Untimed) > 0 {
		if _, err := t.change(`DELETE FROM untimed WHERE device_id = ?1 AND received_ms < ?2`,
			device, millis(known.At.Add(-enroll.OperationMemory))); err != nil {
			return err
		}
	}
	for _, u := range f.Untimed {
		if _, err := t.change(`INSERT INTO untimed (device_id, user_id, kinds, received_ms) VALUES (?1, ?2, ?3, ?4)`,
			device, string(u.UserID), u.Kinds.String(), millis(u.ReceivedAt)); err != nil {
			return err
		}
	}
	if f.Late == 0 {
		return nil
	}
	_, err := t.change(`UPDATE device SET late_times = late_times + 1, late_settle_ms = ?2 WHERE id = ?1`, device, f.Late.Milliseconds())
	return err
}

// dueSQL: ?1 how long a line of the operation log waits for its record, in ms.
const dueSQL = `
SELECT v.serial, min(w.at_ms)
  FROM (SELECT device_id, due_ms AS at_ms FROM draft
        UNION ALL
        SELECT device_id, received_ms + ?1 FROM operation WHERE answered = 0) w
  JOIN device v ON v.id = w.device_id
 WHERE v.state = 'approved'
 GROUP BY v.id`

// Due returns when each device with drafts or unanswered lines of the operation log
// needs another look, read once at start.
func (db *DB) Due(ctx context.Context) (map[enroll.Serial]time.Time, error) {
	rows, err := db.read.QueryContext(ctx, dueSQL, enroll.DataWait.Milliseconds())
	if err != nil {
		return nil, fmt.Errorf("reading what is due: %w", err)
	}
	defer rows.Close()
	due := make(map[enroll.Serial]time.Time)
	for rows.Next() {
		var serial enroll.Serial
		var at int64
		if err := rows.Scan(&serial, &at); err != nil {
			return nil, fmt.Errorf("reading what is due: %w", err)
		}
		due[serial] = fromMillis(at)
	}
	return due, rows.Err()
}

// Newest returns the newest time of ours in the store; zero if it has none.
func (db *DB) Newest(ctx context.Context) (time.Time, error) {
	var ms int64
	err := db.read.QueryRowContext(ctx, `SELECT max(
		coalesce((SELECT received_ms FROM change ORDER BY id DESC LIMIT 1), 0),
		coalesce((SELECT max(seen_ms) FROM device), 0))`).Scan(&ms)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the newest time: %w", err)
	}
	return fromMillis(ms), nil
}

// Moved returns the approved devices that were told another offset from UTC than is in
// force in their zone at a time.
func (db *DB) Moved(ctx context.Context, at time.Time) ([]enroll.Serial, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT serial, time_zone, told_offset_s FROM device WHERE state = 'approved' AND told_ms > 0`)
	if err != nil {
		return nil, fmt.Errorf("reading offsets: %w", err)
	}
	defer rows.Close()
	offsets := make(map[string]int64) // by zone
	var list []enroll.Serial
	for rows.Next() {
		var serial enroll.Serial
		var name string
		var told int64
		if err := rows.Scan(&serial, &name, &told); err != nil {
			return nil, fmt.Errorf("reading offsets: %w", err)
		}
		now, known := offsets[name]
		if !known {
			zone, err := enroll.ParseZone(name)
			if err != nil {
				return nil, fmt.Errorf("reading offsets: %w", err)
			}
			_, seconds := at.In(zone).Zone()
			now = int64(seconds)
			offsets[name] = now
		}
		if now != told {
			list = append(list, serial)
		}
	}
	return list, rows.Err()
}

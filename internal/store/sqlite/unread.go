package sqlite

import (
	"context"
	"fmt"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// unreadSQL: ?1 serial number, ?2 the record before the first, ?3 how many.
const unreadSQL = `
SELECT u.id, u.received_ms, u.table_name, u.why
  FROM unread_record u
  JOIN device d ON d.id = u.device_id
 WHERE d.serial = ?1 AND u.id > ?2
 ORDER BY u.id
 LIMIT ?3`

// UnreadRecords returns up to limit records of a device that were not understood, in
// the order in which they came, without their content.
func (db *DB) UnreadRecords(ctx context.Context, serial enroll.Serial, after int64, limit int) ([]enroll.UnreadRecord, error) {
	rows, err := db.read.QueryContext(ctx, unreadSQL, string(serial), after, limit)
	if err != nil {
		return nil, fmt.Errorf("listing unread records: %w", err)
	}
	defer rows.Close()
	var list []enroll.UnreadRecord
	for rows.Next() {
		var u enroll.UnreadRecord
		var received int64
		if err := rows.Scan(&u.ID, &received, &u.Table, &u.Why); err != nil {
			return nil, fmt.Errorf("listing unread records: %w", err)
		}
		u.ReceivedAt = fromMillis(received)
		list = append(list, u)
	}
	return list, rows.Err()
}

// UnreadLine returns the content of an unread record, as it came. The error wraps
// [enroll.ErrNotFound] if there is none of this id.
func (db *DB) UnreadLine(ctx context.Context, id int64) ([]byte, error) {
	var line []byte
	err := db.read.QueryRowContext(ctx, `SELECT line FROM unread_record WHERE id = ?1`, id).Scan(&line)
	if err = notFound(err, "unread record", fmt.Sprint(id)); err != nil {
		return nil, err
	}
	return db.cfg.Box.Open("unread_record.line", line)
}

// DismissUnread deletes the unread records of a device, and returns how many there were.
func (db *DB) DismissUnread(ctx context.Context, serial enroll.Serial) (int64, error) {
	var n int64
	err := db.do(ctx, func(t *tx) error {
		result, err := t.change(`DELETE FROM unread_record WHERE device_id = (SELECT id FROM device WHERE serial = ?1)`, string(serial))
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("dismissing unread records of device %q: %w", serial, err)
	}
	return n, nil
}

// dropUnread deletes unread records that are understood now. One that is gone was taken
// in by somebody else, and must not be again.
func (t *tx) dropUnread(device enroll.Device, ids []int64) error {
	for _, id := range ids {
		result, err := t.change(`DELETE FROM unread_record WHERE id = ?1 AND device_id = ?2`, id, int64(device.ID))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return fmt.Errorf("unread record %d: %w", id, enroll.ErrNotFound)
		}
	}
	return nil
}

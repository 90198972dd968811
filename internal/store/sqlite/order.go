package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

const (
	// orderTries is how often an order is handed out before it is given up.
	orderTries = 3
	// orderWait is how long a device has for an order, from the last row that came for it.
	orderWait = time.Minute
)

// orderColumns are read by scanOrder in this order.
const orderColumns = `id, what, user_id, tell, added_ms, handed_ms, tries, compare, time, rows`

func scanOrder(into *enroll.Order, id, added, handed *int64) []any {
	return []any{id, &into.What, &into.UserID, &into.Tell, added, handed, &into.Tries, &into.Compare, &into.Time, &into.Rows}
}

// order reads at most one order.
func (t *tx) order(where string, device enroll.DeviceID, more ...any) (*enroll.Order, int64, error) {
	var o enroll.Order
	var id, added, handed int64
	found, err := t.scan(`SELECT `+orderColumns+` FROM device_order WHERE device_id = ?1 AND `+where+` ORDER BY id LIMIT 1`,
		append([]any{int64(device)}, more...), scanOrder(&o, &id, &added, &handed)...)
	if err != nil || !found {
		return nil, 0, err
	}
	o.ID, o.AddedAt, o.HandedAt = orderID(id), fromMillis(added), fromMillis(handed)
	return &o, id, nil
}

// orderID names an order to a device: at most 16 letters and digits.
func orderID(id int64) enroll.OrderID { return enroll.OrderID("f" + strconv.FormatInt(id, 36)) }

func orderNumber(id enroll.OrderID) (int64, bool) {
	digits, ours := strings.CutPrefix(string(id), "f")
	n, err := strconv.ParseInt(digits, 36, 64)
	return n, ours && err == nil
}

// current returns the order that a decision is about: the one of this id, or, for "",
// the one that the device has been handed and did not answer in time; nil for none.
func (t *tx) current(device enroll.DeviceID, id enroll.OrderID) (*enroll.Order, error) {
	if id == "" {
		return t.handed(device)
	}
	n, ours := orderNumber(id)
	if !ours {
		return nil, nil
	}
	o, _, err := t.order(`handed_ms > 0 AND id = ?2`, device, n)
	return o, err
}

// handed returns the order that a device has been handed and did not answer in time,
// nil for none.
func (t *tx) handed(device enroll.DeviceID) (*enroll.Order, error) {
	o, _, err := t.order(`handed_ms > 0`, device)
	if err != nil || o == nil || isOver(*o, t.db.now()) {
		return nil, err
	}
	return o, nil
}

func isOver(o enroll.Order, now time.Time) bool { return now.Sub(o.HandedAt) > orderWait }

// addOrders has a device do something when it asks next. What waits already is not
// added again.
func (t *tx) addOrders(device enroll.Device, orders []enroll.Order) error {
	for _, o := range orders {
		_, err := t.change(`INSERT INTO device_order (device_id, what, user_id, tell, added_ms, compare, time)
			SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
			 WHERE NOT EXISTS (SELECT 1 FROM device_order WHERE device_id = ?1 AND what = ?2 AND user_id = ?3
			                      AND tell = ?4 AND compare = ?6 AND handed_ms = 0)`,
			int64(device.ID), string(o.What), string(o.UserID), o.Tell, millis(t.db.now()), o.Compare, string(o.Time))
		if err != nil {
			return err
		}
	}
	if len(orders) > 0 {
		t.committed.Ordered = append(t.committed.Ordered, device.Serial)
	}
	return nil
}

// HandOut returns the order that a device is to carry out now, and notes that it has
// it. There is none while an order is with the device; one that it did not answer in
// time is handed out again, three times in all. more tells that orders are left.
func (db *DB) HandOut(ctx context.Context, serial enroll.Serial) (*enroll.Order, bool, error) {
	var out *enroll.Order
	var more bool
	err := db.do(ctx, func(t *tx) error {
		out, more = nil, false
		d, err := t.device(serial)
		if err != nil {
			return err
		}
		now := t.db.now()
		current, id, err := t.order(`handed_ms > 0`, d.device.ID)
		if err != nil {
			return err
		}
		if current != nil && !isOver(*current, now) {
			more = true
			return nil
		}
		if current != nil && current.Tries >= orderTries {
			if err := t.endOrder(d.device.ID, current.ID); err != nil {
				return err
			}
			t.db.cfg.Log.Warn("device did not answer an order", "serial", serial, "order", current.What, "tries", current.Tries)
			current = nil
		}
		if current == nil {
			if current, id, err = t.order(`handed_ms = 0`, d.device.ID); err != nil || current == nil {
				return err
			}
		}
		if current.Tries > 0 { // what came for the last try is no part of this one
			if err := t.forgetAnswer(d.device.ID, id, current.ID); err != nil {
				return err
			}
		}
		current.HandedAt, current.Tries = now, current.Tries+1
		out, more = current, true
		_, err = t.change(`UPDATE device_order SET handed_ms = ?2, tries = ?3 WHERE id = ?1`, id, millis(now), current.Tries)
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("handing out orders to device %q: %w", serial, err)
	}
	return out, more, nil
}

// keepOrders writes what came for the order that is with a device, and ends orders.
func (t *tx) keepOrders(known enroll.Known, f enroll.Follows) error {
	if known.Order != nil && len(f.Came) > 0 {
		id, _ := orderNumber(known.Order.ID)
		rows := int64(len(f.Came))
		if known.Order.Compare { // a body that came twice must not make an answer complete
			rows = 0
			for _, pin := range f.Came {
				result, err := t.change(`INSERT INTO order_user (order_id, user_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING`, id, string(pin))
				if err != nil {
					return err
				}
				added, err := result.RowsAffected()
				if err != nil {
					return err
				}
				rows += added
			}
		}
		// Rows that come give the device more time for the rest.
		if _, err := t.change(`UPDATE device_order SET rows = rows + ?2, handed_ms = ?3 WHERE id = ?1`, id, rows, millis(known.At)); err != nil {
			return err
		}
	}
	for _, id := range f.Ended {
		if err := t.endOrder(known.Device.ID, id); err != nil {
			return err
		}
	}
	return t.addOrders(known.Device, f.Orders)
}

func (t *tx) endOrder(device enroll.DeviceID, id enroll.OrderID) error {
	n, ours := orderNumber(id)
	if !ours {
		return nil
	}
	if _, err := t.change(`DELETE FROM device_order WHERE id = ?1 AND device_id = ?2 AND handed_ms > 0`, n, int64(device)); err != nil {
		return err
	}
	return t.forgetAnswer(device, n, id)
}

// forgetAnswer drops what came for an order so far.
func (t *tx) forgetAnswer(device enroll.DeviceID, n int64, id enroll.OrderID) error {
	if _, err := t.change(`DELETE FROM order_user WHERE order_id = ?1`, n); err != nil {
		return err
	}
	if _, err := t.change(`UPDATE device_order SET rows = 0 WHERE id = ?1`, n); err != nil {
		return err
	}
	_, err := t.change(`DELETE FROM part WHERE device_id = ?1 AND order_id = ?2`, int64(device), string(id))
	return err
}

// missingSQL: ?1 device, ?2 order.
const missingSQL = `
SELECT user_id FROM mirror
 WHERE device_id = ?1 AND user_id NOT IN (SELECT user_id FROM order_user WHERE order_id = ?2)`

// missing reads the users of the mirror that did not come for an order, and how many
// the mirror has.
func (t *tx) missing(device enroll.DeviceID, id enroll.OrderID) ([]enroll.PIN, int, error) {
	var users int
	if _, err := t.scan(`SELECT count(*) FROM mirror WHERE device_id = ?1`, []any{int64(device)}, &users); err != nil {
		return nil, 0, err
	}
	stmt, err := t.statement(missingSQL)
	if err != nil {
		return nil, 0, err
	}
	n, _ := orderNumber(id)
	rows, err := stmt.QueryContext(context.Background(), int64(device), n)
	if err != nil {
		return nil, 0, fmt.Errorf("reading missing users: %w", err)
	}
	defer rows.Close()
	var list []enroll.PIN
	for rows.Next() {
		var pin enroll.PIN
		if err := rows.Scan(&pin); err != nil {
			return nil, 0, fmt.Errorf("reading missing users: %w", err)
		}
		list = append(list, pin)
	}
	return list, users, rows.Err()
}

// Ordered returns the devices that orders wait for or are with, read once at start.
func (db *DB) Ordered(ctx context.Context) ([]enroll.Serial, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT DISTINCT v.serial FROM device_order o JOIN device v ON v.id = o.device_id`)
	if err != nil {
		return nil, fmt.Errorf("reading orders: %w", err)
	}
	defer rows.Close()
	var list []enroll.Serial
	for rows.Next() {
		var serial enroll.Serial
		if err := rows.Scan(&serial); err != nil {
			return nil, fmt.Errorf("reading orders: %w", err)
		}
		list = append(list, serial)
	}
	return list, rows.Err()
}

const (
	keepPartSQL = `
INSERT INTO part (device_id, order_id, table_name, place, received_ms, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT DO UPDATE SET received_ms = excluded.received_ms, body = excluded.body`

	readPartsSQL = `SELECT place, body FROM part WHERE device_id = ?1 AND order_id = ?2 AND table_name = ?3 ORDER BY place`
)

// Join keeps a part of an answer. Once all have come it returns the whole body; the
// parts stay until the order is answered, so that a repeat of the last one gives the
// same again.
func (db *DB) Join(ctx context.Context, serial enroll.Serial, p enroll.Part) ([]byte, bool, error) {
	sealed, err := db.cfg.Box.Seal("part.body", append([]byte{0}, p.Body...)) // a part may be empty
	if err != nil {
		return nil, false, err
	}
	var whole []byte
	var complete bool
	err = db.do(ctx, func(t *tx) error {
		whole, complete = nil, false
		d, err := t.device(serial)
		if err != nil {
			return err
		}
		device := int64(d.device.ID)
		if _, err := t.change(`DELETE FROM part WHERE device_id = ?1 AND received_ms < ?2`, device, millis(t.db.now().Add(-time.Hour))); err != nil {
			return err
		}
		if _, err := t.change(keepPartSQL, device, string(p.Order), p.Table, p.Index, millis(t.db.now()), sealed); err != nil {
			return err
		}
		whole, complete, err = t.parts(device, p)
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("keeping a part of an answer of device %q: %w", serial, err)
	}
	return whole, complete, nil
}

func (t *tx) parts(device int64, p enroll.Part) ([]byte, bool, error) {
	stmt, err := t.statement(readPartsSQL)
	if err != nil {
		return nil, false, err
	}
	rows, err := stmt.QueryContext(context.Background(), device, string(p.Order), p.Table)
	if err != nil {
		return nil, false, fmt.Errorf("reading parts: %w", err)
	}
	defer rows.Close()
	var whole bytes.Buffer
	next := 1
	for rows.Next() {
		var place int
		var body []byte
		if err := rows.Scan(&place, &body); err != nil {
			return nil, false, fmt.Errorf("reading parts: %w", err)
		}
		if place != next {
			return nil, false, nil
		}
		if body, err = t.db.cfg.Box.Open("part.body", body); err != nil {
			return nil, false, err
		}
		whole.Write(body[1:])
		next++
	}
	return whole.Bytes(), next > p.Count, rows.Err()
}

// comparableSQL: ?1 now.
const comparableSQL = `
SELECT serial FROM device
 WHERE state = 'approved' AND family = 'acc' AND compare_ms > 0 AND compared_ms + compare_ms <= ?1
 LIMIT 1000`

// OrderComparisons has the access control terminals whose time has come asked for all
// their users, to be compared with the mirror.
func (db *DB) OrderComparisons(ctx context.Context) error {
	err := db.do(ctx, func(t *tx) error {
		now := t.db.now()
		serials, err := t.serials(comparableSQL, millis(now))
		if err != nil {
			return err
		}
		for _, serial := range serials {
			d, err := t.device(serial)
			if err != nil {
				return err
			}
			if err := t.addOrders(d.device, []enroll.Order{{What: enroll.QueryUsers, Compare: true}}); err != nil {
				return err
			}
			if _, err := t.change(`UPDATE device SET compared_ms = ?2 WHERE id = ?1`, int64(d.device.ID), millis(now)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("ordering comparisons: %w", err)
	}
	return nil
}

func (t *tx) serials(query string, args ...any) ([]enroll.Serial, error) {
	stmt, err := t.statement(query)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(context.Background(), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []enroll.Serial
	for rows.Next() {
		var serial enroll.Serial
		if err := rows.Scan(&serial); err != nil {
			return nil, err
		}
		list = append(list, serial)
	}
	return list, rows.Err()
}

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
	// orderWait is how long a device has for an order, listWait for a list of users.
	orderWait = time.Minute
	listWait  = 10 * time.Minute
)

// orderColumns are read by scanOrder in this order.
const orderColumns = `id, what, user_id, tell, added_ms, handed_ms, tries`

func scanOrder(into *enroll.Order, id, added, handed *int64) []any {
	return []any{id, &into.What, &into.UserID, &into.Tell, added, handed, &into.Tries}
}

// order reads at most one order.
func (t *tx) order(where string, device enroll.DeviceID) (*enroll.Order, int64, error) {
	var o enroll.Order
	var id, added, handed int64
	found, err := t.scan(`SELECT `+orderColumns+` FROM device_order WHERE device_id = ?1 AND `+where+` ORDER BY id LIMIT 1`,
		[]any{int64(device)}, scanOrder(&o, &id, &added, &handed)...)
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

// handed returns the order that a device has been handed and did not answer in time,
// nil for none.
func (t *tx) handed(device enroll.DeviceID) (*enroll.Order, error) {
	o, _, err := t.order(`handed_ms > 0`, device)
	if err != nil || o == nil || isOver(*o, t.db.now()) {
		return nil, err
	}
	return o, nil
}

func isOver(o enroll.Order, now time.Time) bool {
	wait := orderWait
	if o.What == enroll.QueryUsers {
		wait = listWait
	}
	return now.Sub(o.HandedAt) > wait
}

// addOrders has a device do something when it asks next. What waits already is not
// added again.
func (t *tx) addOrders(device enroll.Device, orders []enroll.Order) error {
	for _, o := range orders {
		_, err := t.change(`INSERT INTO device_order (device_id, what, user_id, tell, added_ms)
			SELECT ?1, ?2, ?3, ?4, ?5
			 WHERE NOT EXISTS (SELECT 1 FROM device_order WHERE device_id = ?1 AND what = ?2 AND user_id = ?3 AND handed_ms = 0)`,
			int64(device.ID), string(o.What), string(o.UserID), o.Tell, millis(t.db.now()))
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
			if _, err := t.change(`DELETE FROM device_order WHERE id = ?1`, id); err != nil {
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

// Answered ends orders that a device has answered. Ids that are not known are ignored.
func (db *DB) Answered(ctx context.Context, serial enroll.Serial, ids []enroll.OrderID) error {
	err := db.do(ctx, func(t *tx) error {
		d, err := t.device(serial)
		if err != nil {
			return err
		}
		for _, id := range ids {
			n, ours := orderNumber(id)
			if !ours {
				continue
			}
			if _, err := t.change(`DELETE FROM device_order WHERE id = ?1 AND device_id = ?2 AND handed_ms > 0`, n, int64(d.device.ID)); err != nil {
				return err
			}
			if _, err := t.change(`DELETE FROM part WHERE device_id = ?1 AND order_id = ?2`, int64(d.device.ID), string(id)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("noting answers of device %q: %w", serial, err)
	}
	return nil
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
	rows, err := stmt.Query(device, string(p.Order), p.Table)
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

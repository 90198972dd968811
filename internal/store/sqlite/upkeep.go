package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// updateDeviceSQL takes what deviceSettings returns.
const updateDeviceSQL = `
UPDATE device
   SET stg_id = ?2, time_zone = ?3, label = ?4, site = ?5, settle_ms = ?6, direction = ?7, poll_ms = ?8, compare_ms = ?9,
       roaming = ?10, allow_from = ?11, auth_token = ?12
 WHERE serial = ?1`

// SetDevice changes settings of an approved device. change gets them as they are when
// it is committed; it may be called twice, and cannot change the serial number. What
// waits in lanes stays as it is; endpoints that are new get later changes only. A new
// zone or poll interval has the device asked to load its options again. The error wraps
// what change returns, [enroll.ErrUnknownDevice] or [enroll.ErrExists] for a stgid that
// is taken, and is an [enroll.InvalidError] for a setting that is out of bounds.
func (db *DB) SetDevice(ctx context.Context, serial enroll.Serial, change func(*enroll.Device) error) (enroll.DeviceStatus, error) {
	err := db.do(ctx, func(t *tx) error {
		known, err := t.device(serial)
		if err != nil {
			return err
		}
		d := known.device
		d.Endpoints, d.AllowFrom = slices.Clone(d.Endpoints), slices.Clone(d.AllowFrom)
		if err := change(&d); err != nil {
			return err
		}
		d.ID, d.Serial = known.device.ID, serial
		return t.setDevice(known.device, d)
	})
	if err != nil {
		return enroll.DeviceStatus{}, fmt.Errorf("changing device %q: %w", serial, err)
	}
	return db.Device(ctx, serial)
}

func (t *tx) setDevice(old, d enroll.Device) error {
	if err := d.Check(); err != nil {
		return err
	}
	endpoints, err := t.endpointIDs(d.Endpoints)
	if err != nil {
		return err
	}
	if err := t.freeStgID(d); err != nil {
		return err
	}
	settings, err := t.deviceSettings(d)
	if err != nil {
		return err
	}
	if _, err := t.change(updateDeviceSQL, settings...); err != nil {
		return err
	}
	if err := t.keepEndpoints(d.ID, endpoints); err != nil {
		return err
	}
	t.forget()
	t.committed.Devices = append(t.committed.Devices, d.ID)
	if d.TimeZone == old.TimeZone && d.Poll == old.Poll {
		return nil
	}
	return t.addOrders(d, []enroll.Order{{What: enroll.ReloadOptions}})
}

// AddOrder has an approved device do something when it asks next. One that waits and
// asks the same is not added again. The error wraps [enroll.ErrUnknownDevice].
func (db *DB) AddOrder(ctx context.Context, serial enroll.Serial, o enroll.Order) error {
	err := db.do(ctx, func(t *tx) error {
		d, err := t.device(serial)
		if err != nil {
			return err
		}
		return t.addOrders(d.device, []enroll.Order{o})
	})
	if err != nil {
		return fmt.Errorf("ordering something of device %q: %w", serial, err)
	}
	return nil
}

const (
	// takeSightingSQL gives a device the sighting of another. ?1 to, ?2 from.
	takeSightingSQL = `
UPDATE device
   SET (seen_ms, address, protocol, language, firmware, family, clock_offset_ms, measured_ms) =
       (SELECT seen_ms, address, protocol, language, firmware, family, clock_offset_ms, measured_ms FROM device WHERE id = ?2)
 WHERE id = ?1`

	// unseenSQL makes a device one that has never called.
	unseenSQL = `
UPDATE device
   SET seen_ms = 0, address = '', protocol = '', language = '', firmware = '', family = '', clock_offset_ms = 0, measured_ms = 0
 WHERE id = ?1`

	renameSQL = `UPDATE device SET serial = ?2, late_times = 0, late_settle_ms = 0, told_offset_s = 0, told_ms = 0 WHERE id = ?1`
)

// ReplaceDevice puts a new terminal into the place of an approved one: settings, stgid,
// mirror, lanes and their numbers stay, under the new serial number. That may be unknown
// or pending. What was wanted of the old terminal is dropped, and the new one is asked
// for its users, silently. The error wraps [enroll.ErrUnknownDevice], or
// [enroll.ErrExists] if the new one is approved.
func (db *DB) ReplaceDevice(ctx context.Context, old, serial enroll.Serial) (enroll.DeviceStatus, error) {
	err := db.do(ctx, func(t *tx) error {
		known, err := t.device(old)
		if err != nil {
			return err
		}
		return t.replaceDevice(known.device, serial)
	})
	if err != nil {
		return enroll.DeviceStatus{}, fmt.Errorf("replacing device %q: %w", old, err)
	}
	return db.Device(ctx, serial)
}

func (t *tx) replaceDevice(d enroll.Device, serial enroll.Serial) error {
	id := int64(d.ID)
	var pending int64
	var state enroll.DeviceState
	called, err := t.scan(`SELECT id, state FROM device WHERE serial = ?1`, []any{string(serial)}, &pending, &state)
	switch {
	case err != nil:
		return err
	case called && state != enroll.Pending:
		return fmt.Errorf("device %q is approved: %w", serial, enroll.ErrExists)
	case called:
		if _, err := t.change(takeSightingSQL, id, pending); err != nil {
			return err
		}
		if _, err := t.change(`DELETE FROM device WHERE id = ?1`, pending); err != nil {
			return err
		}
	default:
		if _, err := t.change(unseenSQL, id); err != nil {
			return err
		}
	}
	if err := t.dropFor(id, "order_user", "device_order", "part", "operation", "untimed"); err != nil {
		return err
	}
	if _, err := t.change(renameSQL, id, string(serial)); err != nil {
		return err
	}
	if err := t.endAlarms(d); err != nil {
		return err
	}
	t.forget()
	d.Serial = serial
	t.committed.Devices = append(t.committed.Devices, d.ID)
	t.committed.Due = append(t.committed.Due, serial) // of its drafts, which stay
	return t.addOrders(d, []enroll.Order{{What: enroll.QueryUsers}})
}

// dropFor deletes the rows of a device from tables.
func (t *tx) dropFor(device int64, tables ...string) error {
	for _, table := range tables {
		where := `device_id = ?1`
		if table == "order_user" {
			where = `order_id IN (SELECT id FROM device_order WHERE device_id = ?1)`
		}
		if _, err := t.change(`DELETE FROM `+table+` WHERE `+where, device); err != nil {
			return err
		}
	}
	return nil
}

const (
	owedSQL = `
SELECT (SELECT coalesce(sum(last - cursor), 0) FROM lane WHERE device_id = ?1),
       (SELECT count(*) FROM draft WHERE device_id = ?1)`

	skipAllSQL = `
INSERT INTO delivery_exception (lane_id, n, state, why, at_ms)
SELECT d.lane_id, d.n, 'skipped', 'the device was removed', ?2
  FROM lane l
  JOIN delivery d ON d.lane_id = l.id AND d.n > l.cursor
 WHERE l.device_id = ?1
ON CONFLICT DO NOTHING`

	endLanesSQL = `UPDATE lane SET cursor = last, attempts = 0, failures = 0, next_at_ms = 0 WHERE device_id = ?1`

	// hideSQL: no serial number has a blank.
	hideSQL = `
UPDATE device
   SET removed_ms = ?2, removed_serial = serial, removed_stg_id = coalesce(stg_id, ''), serial = 'removed ' || id,
       stg_id = NULL, told_ms = 0
 WHERE id = ?1`
)

// RemoveDevice removes a device, pending or approved, and returns what was discarded.
// While something of it waits that is an [enroll.OwedError], unless discard: then what
// waits is recorded as skipped, and drafts go. Its deliveries stay to be read; all else
// of it goes, and its serial number and stgid may be used again, by a device whose lanes
// begin with 1. The error wraps [enroll.ErrNotFound].
func (db *DB) RemoveDevice(ctx context.Context, serial enroll.Serial, discard bool) (enroll.Owed, error) {
	var owed enroll.Owed
	err := db.do(ctx, func(t *tx) error {
		owed = enroll.Owed{}
		var id int64
		found, err := t.scan(`SELECT id FROM device WHERE serial = ?1`, []any{string(serial)}, &id)
		if err == nil && !found {
			err = enroll.ErrNotFound
		}
		if err != nil {
			return err
		}
		if _, err := t.scan(owedSQL, []any{id}, &owed.Deliveries, &owed.Drafts); err != nil {
			return err
		}
		if owed != (enroll.Owed{}) && !discard {
			return &enroll.OwedError{Owed: owed}
		}
		return t.removeDevice(id)
	})
	if err != nil {
		return enroll.Owed{}, fmt.Errorf("removing device %q: %w", serial, err)
	}
	return owed, nil
}

func (t *tx) removeDevice(id int64) error {
	now := millis(t.db.now())
	_, err := t.change(skipAllSQL, id, now)
	_, err2 := t.change(endLanesSQL, id)
	_, err3 := t.change(hideSQL, id, now)
	if err := errors.Join(err, err2, err3); err != nil {
		return err
	}
	if err := t.dropFor(id, "draft", "untimed", "operation", "order_user", "device_order", "part",
		"mirror", "punch", "unread_record", "upload", "alarm", "device_endpoint"); err != nil {
		return err
	}
	// A device that was only pending has no history.
	if _, err := t.change(`DELETE FROM device WHERE id = ?1 AND state = 'pending'`, id); err != nil {
		return err
	}
	t.forget()
	t.committed.Devices = append(t.committed.Devices, enroll.DeviceID(id))
	t.committed.Removed = append(t.committed.Removed, enroll.DeviceID(id))
	return nil
}

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// deviceColumns are read by scanDevice in this order.
const deviceColumns = `d.id, d.serial, d.state, coalesce(d.stg_id, ''), d.time_zone, d.label, d.site, d.settle_ms,
	d.direction, d.poll_ms, d.compare_ms, d.roaming, d.allow_from, d.auth_token, d.added_ms,
	d.seen_ms, d.address, d.protocol, d.language, d.firmware, d.family, d.clock_offset_ms, d.measured_ms, d.told_offset_s, d.told_ms,
	d.late_times, d.late_settle_ms,
	coalesce((SELECT group_concat(e.name, ',' ORDER BY de.place) FROM device_endpoint de
	           JOIN endpoint e ON e.id = de.endpoint_id WHERE de.device_id = d.id), ''),
	(SELECT count(*) FROM unread_record u WHERE u.device_id = d.id),
	(SELECT json_group_array(json_object('what', a.what, 'at', a.at_ms, 'text', a.text) ORDER BY a.id) FROM alarm a
	  WHERE a.device_id = d.id AND a.ended_ms = 0)`

// A scanner is a row: *sql.Row or *sql.Rows.
type scanner interface{ Scan(into ...any) error }

func (db *DB) scanDevice(row scanner) (enroll.DeviceStatus, error) {
	var d enroll.DeviceStatus
	var settle, poll, compare, added, seen, offset, measured, told, toldAt, late int64
	var allow, endpoints, alarms string
	var token []byte
	if err := row.Scan(&d.ID, &d.Serial, &d.State, &d.StgID, &d.TimeZone, &d.Label, &d.Site, &settle,
		&d.Direction, &poll, &compare, &d.Roaming, &allow, &token, &added,
		&seen, &d.Address, &d.Protocol, &d.Language, &d.Firmware, &d.Family, &offset, &measured, &told, &toldAt,
		&d.LateTimes, &late, &endpoints, &d.UnreadRecords, &alarms); err != nil {
		return d, err
	}
	d.Settle, d.Poll, d.Compare = time.Duration(settle)*time.Millisecond, time.Duration(poll)*time.Millisecond, time.Duration(compare)*time.Millisecond
	d.AddedAt, d.SeenAt, d.MeasuredAt = fromMillis(added), fromMillis(seen), fromMillis(measured)
	d.ToldOffset, d.ToldAt = time.Duration(told)*time.Second, fromMillis(toldAt)
	d.ClockOffset, d.LateSettle = time.Duration(offset)*time.Millisecond, time.Duration(late)*time.Millisecond
	if endpoints != "" {
		d.Endpoints = strings.Split(endpoints, ",") // names have no commas
	}
	for text := range strings.SplitSeq(allow, ",") {
		if text == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return d, fmt.Errorf("reading device %q: %w", d.Serial, err)
		}
		d.AllowFrom = append(d.AllowFrom, prefix)
	}
	plain, err := db.cfg.Box.Open("device.auth_token", token)
	if err != nil {
		return d, fmt.Errorf("reading device %q: %w", d.Serial, err)
	}
	if d.Alarms, err = readAlarms(alarms); err != nil {
		return d, fmt.Errorf("reading device %q: %w", d.Serial, err)
	}
	d.AuthToken = enroll.Secret(plain)
	return d, nil
}

// deviceSQL: ?1 serial number.
const deviceSQL = `SELECT ` + deviceColumns + ` FROM device d WHERE d.serial = ?1`

// Device returns one device, pending or approved, or an error that wraps [enroll.ErrNotFound].
func (db *DB) Device(ctx context.Context, serial enroll.Serial) (enroll.DeviceStatus, error) {
	d, err := db.scanDevice(db.read.QueryRowContext(ctx, deviceSQL, string(serial)))
	return d, notFound(err, "device", string(serial))
}

// devicesSQL: ?1 the serial number before the first, ?2 how many.
const devicesSQL = `SELECT ` + deviceColumns + ` FROM device d WHERE d.serial > ?1 AND d.removed_ms = 0 ORDER BY d.serial LIMIT ?2`

// Devices returns up to limit devices in the order of their serial numbers.
func (db *DB) Devices(ctx context.Context, after enroll.Serial, limit int) ([]enroll.DeviceStatus, error) {
	rows, err := db.read.QueryContext(ctx, devicesSQL, string(after), limit)
	if err != nil {
		return nil, fmt.Errorf("listing devices: %w", err)
	}
	defer rows.Close()
	var list []enroll.DeviceStatus
	for rows.Next() {
		d, err := db.scanDevice(rows)
		if err != nil {
			return nil, fmt.Errorf("listing devices: %w", err)
		}
		list = append(list, d)
	}
	return list, rows.Err()
}

// insertDeviceSQL also turns a pending device into an approved one; an approved one
// stays as it is, and nothing is returned.
const insertDeviceSQL = `
INSERT INTO device (serial, state, stg_id, time_zone, label, site, settle_ms, direction, poll_ms, compare_ms,
                    roaming, allow_from, auth_token, added_ms)
VALUES (?1, 'approved', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
ON CONFLICT (serial) DO UPDATE
   SET state = 'approved', stg_id = excluded.stg_id, time_zone = excluded.time_zone, label = excluded.label,
       site = excluded.site, settle_ms = excluded.settle_ms, direction = excluded.direction,
       poll_ms = excluded.poll_ms, compare_ms = excluded.compare_ms, roaming = excluded.roaming,
       allow_from = excluded.allow_from, auth_token = excluded.auth_token, added_ms = excluded.added_ms
 WHERE state = 'pending'
RETURNING id`

// AddDevice makes an approved device, or approves a pending one of that serial
// number, with these settings, and has it asked for its users, which fills the mirror
// silently. The error wraps [enroll.ErrExists] if the device is approved already or the
// stgid is taken, and is an [enroll.InvalidError] for an endpoint that does not exist.
func (db *DB) AddDevice(ctx context.Context, d enroll.Device) (enroll.DeviceStatus, error) {
	if err := d.Check(); err != nil {
		return enroll.DeviceStatus{}, err
	}
	if err := db.do(ctx, func(t *tx) error { return t.addDevice(d) }); err != nil {
		return enroll.DeviceStatus{}, fmt.Errorf("adding device %q: %w", d.Serial, err)
	}
	return db.Device(ctx, d.Serial)
}

// AddDevices is [DB.AddDevice] for many: all of them are added in one commit, or none.
// The error is then an [enroll.ItemError] that says which one could not be.
func (db *DB) AddDevices(ctx context.Context, list []enroll.Device) error {
	for i, d := range list {
		if err := d.Check(); err != nil {
			return &enroll.ItemError{Item: i, Err: err}
		}
	}
	err := db.do(ctx, func(t *tx) error {
		for i, d := range list {
			if err := t.addDevice(d); err != nil {
				return &enroll.ItemError{Item: i, Err: err}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("adding %d devices: %w", len(list), err)
	}
	return nil
}

func (t *tx) addDevice(d enroll.Device) error {
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
	t.writes++
	made, err := t.scan(insertDeviceSQL, append(settings, millis(t.db.now())), &d.ID)
	if err != nil {
		return err
	}
	if !made {
		return enroll.ErrExists
	}
	if err := t.keepEndpoints(d.ID, endpoints); err != nil {
		return err
	}
	t.forget()
	t.committed.Devices = append(t.committed.Devices, d.ID)
	return t.addOrders(d, []enroll.Order{{What: enroll.QueryUsers}})
}

// deviceSettings returns the values of the columns from serial to auth_token, in the
// order of insertDeviceSQL.
func (t *tx) deviceSettings(d enroll.Device) ([]any, error) {
	token, err := t.db.cfg.Box.Seal("device.auth_token", []byte(d.AuthToken.Reveal()))
	if err != nil {
		return nil, err
	}
	prefixes := make([]string, len(d.AllowFrom))
	for i, p := range d.AllowFrom {
		prefixes[i] = p.String()
	}
	return []any{string(d.Serial), string(d.StgID), d.TimeZone, d.Label, d.Site, d.Settle.Milliseconds(), string(d.Direction),
		d.Poll.Milliseconds(), d.Compare.Milliseconds(), d.Roaming, strings.Join(prefixes, ","), token}, nil
}

func (t *tx) endpointIDs(names []string) ([]enroll.EndpointID, error) {
	ids := make([]enroll.EndpointID, len(names))
	for i, name := range names {
		found, err := t.scan(`SELECT id FROM endpoint WHERE name = ?1`, []any{name}, &ids[i])
		if err != nil {
			return nil, err
		}
		if !found {
			return nil, enroll.Invalid("endpoints", name, "the name of an endpoint; add it first with: fingerpost endpoint add "+name)
		}
	}
	return ids, nil
}

// freeStgID reports a stgid that another device has.
func (t *tx) freeStgID(d enroll.Device) error {
	var other string
	taken, err := t.scan(`SELECT serial FROM device WHERE stg_id = ?1 AND serial <> ?2`, []any{string(d.StgID), string(d.Serial)}, &other)
	if err == nil && taken {
		return fmt.Errorf("stgid %q is the one of device %q: %w", d.StgID, other, enroll.ErrExists)
	}
	return err
}

func (t *tx) keepEndpoints(device enroll.DeviceID, endpoints []enroll.EndpointID) error {
	if _, err := t.change(`DELETE FROM device_endpoint WHERE device_id = ?1`, int64(device)); err != nil {
		return err
	}
	for i, endpoint := range endpoints {
		if _, err := t.change(`INSERT INTO device_endpoint (device_id, place, endpoint_id) VALUES (?1, ?2, ?3)`,
			int64(device), i, int64(endpoint)); err != nil {
			return err
		}
	}
	return nil
}

// Bounds of the quarantine, product.md section 5.
const (
	maxPending = 1000
	pendingFor = 7 * 24 * time.Hour
)

// AddPending notes a serial number that nobody approved. It reports false, and keeps
// nothing, when as many wait as may.
func (db *DB) AddPending(ctx context.Context, serial enroll.Serial, s enroll.Sighting) (bool, error) {
	added := false
	err := db.do(ctx, func(t *tx) error {
		added = false
		now := t.db.now()
		gone, err := t.change(`DELETE FROM device WHERE state = 'pending' AND max(added_ms, seen_ms) < ?1`, millis(now.Add(-pendingFor)))
		if err != nil {
			return err
		}
		if n, err := gone.RowsAffected(); err != nil {
			return err
		} else if n > 0 {
			t.committed.Devices = append(t.committed.Devices, 0) // whoever remembers devices reads them again
		}
		var n int
		if _, err := t.scan(`SELECT count(*) FROM device WHERE state = 'pending'`, nil, &n); err != nil {
			return err
		}
		if n >= maxPending {
			return nil
		}
		_, err = t.change(`INSERT INTO device (serial, state, added_ms, seen_ms, address) VALUES (?1, 'pending', ?2, ?2, ?3)
			ON CONFLICT DO NOTHING`, string(serial), millis(now), s.Address)
		added = err == nil
		return err
	})
	if err != nil {
		return false, fmt.Errorf("noting device %q: %w", serial, err)
	}
	return added, nil
}

// sawSQL keeps what a sighting does not tell.
const sawSQL = `
UPDATE device
   SET seen_ms  = max(seen_ms, ?2),
       address  = CASE ?3 WHEN '' THEN address ELSE ?3 END,
       protocol = CASE ?4 WHEN '' THEN protocol ELSE ?4 END,
       language = CASE ?5 WHEN '' THEN language ELSE ?5 END,
       firmware = CASE ?6 WHEN '' THEN firmware ELSE ?6 END,
       family   = CASE ?7 WHEN '' THEN family ELSE ?7 END,
       clock_offset_ms = CASE ?9 WHEN 0 THEN clock_offset_ms ELSE ?8 END,
       measured_ms     = CASE ?9 WHEN 0 THEN measured_ms ELSE ?9 END,
       told_offset_s   = CASE ?11 WHEN 0 THEN told_offset_s ELSE ?10 END,
       told_ms         = CASE ?11 WHEN 0 THEN told_ms ELSE ?11 END
 WHERE serial = ?1`

// Saw keeps the last that was seen of devices.
func (db *DB) Saw(ctx context.Context, seen map[enroll.Serial]enroll.Sighting) error {
	if len(seen) == 0 {
		return nil
	}
	err := db.do(ctx, func(t *tx) error {
		for serial, s := range seen {
			if _, err := t.change(sawSQL, string(serial), millis(s.SeenAt), s.Address, s.Protocol, s.Language, s.Firmware,
				string(s.Family), s.ClockOffset.Milliseconds(), millis(s.MeasuredAt),
				int64(s.ToldOffset/time.Second), millis(s.ToldAt)); err != nil {
				return err
			}
			delete(t.devices, serial) // decisions look at what was told
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keeping sightings: %w", err)
	}
	return nil
}

// notFound maps the absence of a row to [enroll.ErrNotFound], at this one place.
func notFound(err error, what, name string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%s %q: %w", what, name, enroll.ErrNotFound)
	}
	return fmt.Errorf("reading %s %q: %w", what, name, err)
}

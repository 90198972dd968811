package sqlite

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// payloadOver is from how many bytes on content has a row of its own.
const payloadOver = 1 << 10

// A knownDevice is what the writer remembers of a device and its endpoints.
type knownDevice struct {
	device  enroll.Device
	choices []enroll.Choice
}

type laneKey struct {
	endpoint enroll.EndpointID
	device   enroll.DeviceID
	class    enroll.Class
}

type laneEnd struct {
	id   enroll.LaneID
	last int64
}

// Accept commits what follows from an upload, decided with the device locked: the one
// writer calls decide between reading what is known and writing what follows. The
// error wraps [enroll.ErrUnknownDevice] if no approved device has this serial number.
func (db *DB) Accept(ctx context.Context, serial enroll.Serial, table string, needs enroll.Needs, decide enroll.Decision) error {
	err := db.do(ctx, func(t *tx) error {
		known, err := t.known(serial, needs)
		if err != nil {
			return err
		}
		if err := t.dropUnread(known.Device, needs.Unread); err != nil {
			return err
		}
		follows, err := decide(known)
		if err != nil {
			return err
		}
		return t.keep(known, table, follows)
	})
	if err != nil {
		return fmt.Errorf("accepting an upload of device %q: %w", serial, err)
	}
	return nil
}

// known reads what a decision wants to know.
func (t *tx) known(serial enroll.Serial, needs enroll.Needs) (enroll.Known, error) {
	d, err := t.device(serial)
	if err != nil {
		return enroll.Known{}, err
	}
	known := enroll.Known{At: t.db.now(), Device: d.device, Choices: d.choices,
		Users: make(map[enroll.PIN]enroll.Mirrored, len(needs.Users)), Punches: make(map[enroll.PunchKey]bool)}
	if known.Order, err = t.current(d.device.ID, needs.Order); err != nil {
		return known, err
	}
	wanted := needs.Users
	if needs.Order != "" && known.Order != nil {
		wanted = append(slices.Clone(wanted), known.Order.UserID)
		if known.Order.Compare {
			if known.Missing, known.Mirrors, err = t.missing(d.device.ID, needs.Order); err != nil {
				return known, err
			}
			wanted = append(wanted, known.Missing...)
		}
	}
	var users []enroll.PIN
	if known.Drafts, users, err = t.draftsOf(d.device.ID, wanted); err != nil {
		return known, err
	}
	for _, pin := range users {
		user, found, err := t.mirrored(d.device.ID, pin)
		if err != nil {
			return known, err
		}
		if found {
			known.Users[pin] = user
		}
	}
	if known.Recent, err = t.recent(d.device.ID, users, known.At); err != nil {
		return known, err
	}
	if known.NextLine, err = t.nextUnanswered(d.device.ID, known.At); err != nil {
		return known, err
	}
	if known.Untimed, err = t.untimed(d.device.ID, users, known.At); err != nil {
		return known, err
	}
	for _, p := range needs.Punches {
		var one int
		found, err := t.scan(`SELECT 1 FROM punch WHERE device_id = ?1 AND time = ?2 AND user_id = ?3 AND status = ?4 AND verify = ?5 AND place = ?6`,
			[]any{int64(d.device.ID), string(p.Time), string(p.UserID), p.Status, p.Verify, p.Index}, &one)
		if err != nil {
			return known, err
		}
		known.Punches[p] = found
	}
	return known, nil
}

// device reads a device and the endpoints of its changes, or remembers them.
func (t *tx) device(serial enroll.Serial) (knownDevice, error) {
	if d, ok := t.devices[serial]; ok {
		return d, nil
	}
	stmt, err := t.statement(deviceSQL)
	if err != nil {
		return knownDevice{}, err
	}
	status, err := t.db.scanDevice(stmt.QueryRowContext(context.Background(), string(serial)))
	if err = notFound(err, "device", string(serial)); err != nil {
		return knownDevice{}, fmt.Errorf("%w: %w", enroll.ErrUnknownDevice, err)
	}
	if status.State != enroll.Approved {
		return knownDevice{}, enroll.ErrUnknownDevice
	}
	d := knownDevice{device: status.Device}
	for _, name := range status.Endpoints {
		var c enroll.Choice
		var kinds string
		if _, err := t.scan(`SELECT id, kinds, faces FROM endpoint WHERE name = ?1`, []any{name}, &c.Endpoint, &kinds, &c.Faces); err != nil {
			return d, err
		}
		if c.Kinds, err = enroll.ParseKinds(kinds); err != nil {
			return d, err
		}
		d.choices = append(d.choices, c)
	}
	t.devices[serial] = d
	return d, nil
}

func (t *tx) mirrored(device enroll.DeviceID, pin enroll.PIN) (enroll.Mirrored, bool, error) {
	user := enroll.Mirrored{UserID: pin}
	var hashes string
	found, err := t.scan(`SELECT known, name, last_name, privilege, hashes FROM mirror WHERE device_id = ?1 AND user_id = ?2`,
		[]any{int64(device), string(pin)}, &user.Known, &user.Name, &user.LastName, &user.Privilege, &hashes)
	if err != nil || !found {
		return user, false, err
	}
	if err := json.Unmarshal([]byte(hashes), &user.Hashes); err != nil {
		return user, false, fmt.Errorf("reading the mirror: %w", err)
	}
	return user, true, nil
}

const operationColumns = `id, received_ms, user_id, code, time, explains, used, answered`

const (
	// recentSQL: ?1 device, ?2 user, ?3 not older than.
	recentSQL = `SELECT ` + operationColumns + ` FROM operation
	WHERE device_id = ?1 AND user_id = ?2 AND received_ms >= ?3 ORDER BY id`

	// unansweredSQL: ?1 device, ?2 not younger than, ?3 not older than.
	unansweredSQL = `SELECT ` + operationColumns + ` FROM operation
	WHERE device_id = ?1 AND answered = 0 AND received_ms <= ?2 AND received_ms >= ?3 ORDER BY id LIMIT 10000`
)

// recent reads the remembered lines of the operation log about users, and those whose
// record did not come in time, oldest first.
func (t *tx) recent(device enroll.DeviceID, users []enroll.PIN, at time.Time) ([]enroll.Operation, error) {
	since := millis(at.Add(-enroll.OperationMemory))
	list, err := t.operations(nil, unansweredSQL, int64(device), millis(at.Add(-enroll.DataWait)), since)
	if err != nil {
		return nil, err
	}
	for _, user := range users {
		if list, err = t.operations(list, recentSQL, int64(device), string(user), since); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b enroll.Operation) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(list, func(a, b enroll.Operation) bool { return a.ID == b.ID }), nil
}

// operations appends what a query of operationColumns gives.
func (t *tx) operations(list []enroll.Operation, query string, args ...any) ([]enroll.Operation, error) {
	stmt, err := t.statement(query)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(context.Background(), args...)
	if err != nil {
		return nil, fmt.Errorf("reading recent operations: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var o enroll.Operation
		var received int64
		var explains, used string
		if err := rows.Scan(&o.ID, &received, &o.UserID, &o.Code, &o.Time, &explains, &used, &o.Answered); err != nil {
			return nil, fmt.Errorf("reading recent operations: %w", err)
		}
		o.ReceivedAt = fromMillis(received)
		if o.Explains, err = enroll.ParseKinds(explains); err != nil {
			return nil, err
		}
		if o.Used, err = enroll.ParseKinds(used); err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, rows.Err()
}

// nextUnanswered returns when the next line of the operation log has waited long
// enough for its record; zero if none waits.
func (t *tx) nextUnanswered(device enroll.DeviceID, at time.Time) (time.Time, error) {
	var received int64
	found, err := t.scan(`SELECT received_ms FROM operation WHERE device_id = ?1 AND answered = 0 AND received_ms > ?2 ORDER BY received_ms LIMIT 1`,
		[]any{int64(device), millis(at.Add(-enroll.DataWait))}, &received)
	if err != nil || !found {
		return time.Time{}, err
	}
	return fromMillis(received).Add(enroll.DataWait), nil
}

// keep writes what follows.
func (t *tx) keep(known enroll.Known, table string, f enroll.Follows) error {
	device := int64(known.Device.ID)
	if err := t.countUsers(known, f); err != nil {
		return err
	}
	for _, user := range f.Users {
		if err := t.keepMirrored(device, user); err != nil {
			return err
		}
	}
	for _, pin := range f.Forget {
		if _, err := t.change(`DELETE FROM mirror WHERE device_id = ?1 AND user_id = ?2`, device, string(pin)); err != nil {
			return err
		}
	}
	if err := t.keepOperations(known, f.Operations); err != nil {
		return err
	}
	for _, p := range f.Punches {
		if _, err := t.change(`INSERT INTO punch (device_id, time, user_id, status, verify, place) VALUES (?1, ?2, ?3, ?4, ?5, ?6)`,
			device, string(p.Time), string(p.UserID), p.Status, p.Verify, p.Index); err != nil {
			return err
		}
	}
	if err := t.keepDrafts(known, f); err != nil {
		return err
	}
	if err := t.keepOrders(known, f); err != nil {
		return err
	}
	if err := t.keepState(known, f); err != nil {
		return err
	}
	for i := range f.Changes {
		if err := t.keepChange(known, f.Changes[i]); err != nil {
			return err
		}
	}
	for _, u := range f.Unread {
		if err := t.keepRaw(`INSERT INTO unread_record (device_id, received_ms, table_name, why, line) VALUES (?1, ?2, ?3, ?4, ?5)`,
			"unread_record.line", known, table, u.Why, u.Line); err != nil {
			return err
		}
	}
	for _, k := range f.Kept {
		if err := t.keepUpload(known, table, k.Why, k.Line); err != nil {
			return err
		}
	}
	if len(f.Raw) > 0 {
		return t.keepUpload(known, table, "whole body", f.Raw)
	}
	return nil
}

func (t *tx) keepUpload(known enroll.Known, table, why string, body []byte) error {
	return t.keepRaw(`INSERT INTO upload (device_id, received_ms, table_name, why, body) VALUES (?1, ?2, ?3, ?4, ?5)`,
		"upload.body", known, table, why, body)
}

func (t *tx) keepRaw(insert, purpose string, known enroll.Known, table, why string, raw []byte) error {
	sealed, err := t.db.cfg.Box.Seal(purpose, raw)
	if err != nil || sealed == nil {
		return err // an empty line is nothing to keep
	}
	_, err = t.change(insert, int64(known.Device.ID), millis(known.At), table, why, sealed)
	return err
}

const keepMirroredSQL = `
INSERT INTO mirror (device_id, user_id, known, name, last_name, privilege, hashes)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (device_id, user_id) DO UPDATE
   SET known = excluded.known, name = excluded.name, last_name = excluded.last_name,
       privilege = excluded.privilege, hashes = excluded.hashes`

func (t *tx) keepMirrored(device int64, user enroll.Mirrored) error {
	hashes, err := json.Marshal(user.Hashes)
	if err != nil {
		return fmt.Errorf("writing the mirror: %w", err)
	}
	if user.Hashes == nil {
		hashes = []byte("{}")
	}
	_, err = t.change(keepMirroredSQL, device, string(user.UserID), user.Known, user.Name, user.LastName, user.Privilege, string(hashes))
	return err
}

func (t *tx) keepOperations(known enroll.Known, list []enroll.Operation) error {
	added := false
	for _, o := range list {
		var err error
		if o.ID != 0 {
			_, err = t.change(`UPDATE operation SET used = ?2, answered = ?3 WHERE id = ?1`, o.ID, o.Used.String(), o.Answered)
		} else {
			added = true
			_, err = t.change(`INSERT INTO operation (device_id, received_ms, user_id, code, time, explains, used, answered) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`,
				int64(known.Device.ID), millis(known.At), string(o.UserID), o.Code, string(o.Time), o.Explains.String(), o.Used.String(), o.Answered)
		}
		if err != nil {
			return err
		}
	}
	if !added {
		return nil
	}
	_, err := t.change(`DELETE FROM operation WHERE device_id = ?1 AND received_ms < ?2`,
		int64(known.Device.ID), millis(known.At.Add(-enroll.OperationMemory)))
	return err
}

// keepChange stores a change once and appends a delivery of it to the lane of each
// endpoint that gets it.
func (t *tx) keepChange(known enroll.Known, n enroll.NewChange) error {
	c := n.Change
	c.Device = known.Device.ID
	content, err := c.Content.MarshalBinary()
	if err != nil {
		return err
	}
	if content, err = t.db.cfg.Box.Seal("change.content", content); err != nil {
		return err
	}
	inline, apart := content, []byte(nil)
	if len(content) > payloadOver {
		inline, apart = nil, content
	}
	result, err := t.change(`INSERT INTO change (device_id, kinds, user_id, received_ms, content) VALUES (?1, ?2, ?3, ?4, ?5)`,
		int64(c.Device), c.Kinds.String(), string(c.UserID), millis(c.ReceivedAt), inline)
	if err != nil {
		return err
	}
	id, err := result.LastInsertId()
	if err != nil {
		return err
	}
	if apart != nil {
		if _, err := t.change(`INSERT INTO payload (change_id, content) VALUES (?1, ?2)`, id, apart); err != nil {
			return err
		}
	}
	c.ID, c.OperationID = enroll.ChangeID(id), t.db.ids.Of(enroll.ChangeID(id))
	for _, to := range n.To {
		if err := t.deliver(known.Device, to, &c); err != nil {
			return err
		}
	}
	return nil
}

// nextPlaceSQL draws the next number of a lane, and makes the lane with the first.
// ?1 endpoint, ?2 device, ?3 class.
const nextPlaceSQL = `
INSERT INTO lane (endpoint_id, device_id, class, last) VALUES (?1, ?2, ?3, 1)
ON CONFLICT (endpoint_id, device_id, class) DO UPDATE SET last = last + 1
RETURNING id, last`

func (t *tx) deliver(device enroll.Device, to enroll.Recipient, c *enroll.Change) error {
	key := laneKey{to.Endpoint, c.Device, c.Class()}
	t.writes++
	lane, remembered := t.lanes[key]
	if remembered {
		lane.last++
		if _, err := t.change(`UPDATE lane SET last = ?2 WHERE id = ?1`, int64(lane.id), lane.last); err != nil {
			return err
		}
	} else if _, err := t.scan(nextPlaceSQL, []any{int64(to.Endpoint), int64(c.Device), string(key.class)}, &lane.id, &lane.last); err != nil {
		return err
	}
	t.lanes[key] = lane
	if _, err := t.change(`INSERT INTO delivery (lane_id, n, change_id, kinds) VALUES (?1, ?2, ?3, ?4)`,
		int64(lane.id), lane.last, int64(c.ID), to.Kinds.String()); err != nil {
		return err
	}
	t.committed.Deliveries = append(t.committed.Deliveries, enroll.Delivery{
		DeliveryID: enroll.DeliveryID{Lane: lane.id, N: lane.last}, Endpoint: to.Endpoint, Device: c.Device, Class: key.class, Kinds: to.Kinds,
		StgID: device.StgID, Token: device.AuthToken, Change: c})
	return nil
}

// countUsers refuses an upload that would give a device more users than it may have:
// a broken or hostile one must not fill the store.
func (t *tx) countUsers(known enroll.Known, f enroll.Follows) error {
	added := -len(f.Forget)
	for _, user := range f.Users {
		if _, old := known.Users[user.UserID]; !old {
			added++
		}
	}
	if added == 0 {
		return nil
	}
	users, counted := t.users[known.Device.ID]
	if !counted {
		if _, err := t.scan(`SELECT count(*) FROM mirror WHERE device_id = ?1`, []any{int64(known.Device.ID)}, &users); err != nil {
			return err
		}
	}
	if added > 0 && users+added > t.db.cfg.MaxUsers {
		return fmt.Errorf("%d users and %d more: %w", users, added, enroll.ErrTooManyUsers)
	}
	t.users[known.Device.ID] = users + added
	return nil
}

// keepState writes what is known of the mirror as a whole.
func (t *tx) keepState(known enroll.Known, f enroll.Follows) error {
	if f.Confirmed {
		if err := t.endAlarms(known.Device, "users-lost", "users-missing"); err != nil {
			return err
		}
	}
	for _, a := range f.Alarms {
		if err := t.alarm(known.Device, a.What, a.Text); err != nil {
			return err
		}
	}
	at := int64(0)
	switch {
	case f.Unconfirmed:
		at = millis(known.At)
	case !f.Confirmed:
		return nil
	}
	_, err := t.change(`UPDATE device SET unconfirmed_ms = ?2 WHERE id = ?1`, int64(known.Device.ID), at)
	return err
}

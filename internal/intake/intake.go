// Package intake decides what it means that a device reported something: whether it
// is new or a repeat, which changes it makes, and which endpoints get them.
//
// # What it promises
//
//   - [Intake.Accept] returns nil only after what follows from the upload is committed:
//     the store calls the decision with the device locked, inside the transaction that
//     commits. Two uploads of a device never decide on the same old knowledge.
//   - A report that says what the mirror knows already makes no change, whatever its stamp.
//   - A change carries one credential. A user's record makes one change for the password
//     and one for each card that really changed, in this order; a new or renamed user rides
//     on the first of them, or is a change of its own.
//   - Records of one user and credential join in a draft, placed by the first of them and
//     committed before the device ack. It becomes a change when its line of the operation
//     log has come or the device's settle time is over; until then it holds back what
//     came after it. With a settle time of 0 records join within one upload only.
//   - A line of the operation log whose record does not come within 25 s has the device
//     asked for the user, once.
//   - The operation time is that of the nearest line of the operation log about the same
//     user: one that came before the record wins over one that came after it in the same
//     upload. Without such a line it is unknown; none is invented.
//   - Uploads of a device are committed in the order of their arrival. At most 16 wait.
//
// # What it remembers
//
// Device settings, so that a heartbeat costs no query, and sightings that are younger
// than the store's; both are bounded by the number of devices in the store.
package intake

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// Store is what intake asks of storage. sqlite.DB implements it, and package
// storetest holds it to this.
type Store interface {
	// Device returns a device, pending or approved, or an error that wraps
	// [enroll.ErrNotFound].
	Device(ctx context.Context, serial enroll.Serial) (enroll.DeviceStatus, error)

	// AddPending notes an unknown serial number. It reports false if as many as may
	// are noted already.
	AddPending(ctx context.Context, serial enroll.Serial, s enroll.Sighting) (bool, error)

	// Saw keeps sightings; their empty fields change nothing.
	Saw(ctx context.Context, seen map[enroll.Serial]enroll.Sighting) error

	// Due returns when each device with drafts or unanswered lines of the operation log
	// needs another look.
	Due(ctx context.Context) (map[enroll.Serial]time.Time, error)

	// OrderComparisons has the terminals whose time has come asked for all their users,
	// to be compared with the mirror.
	OrderComparisons(ctx context.Context) error

	// Newest returns the newest time of ours in the store; zero if it has none.
	Newest(ctx context.Context) (time.Time, error)

	// Moved returns the approved devices that were told another offset from UTC than is
	// in force in their zone at a time.
	Moved(ctx context.Context, at time.Time) ([]enroll.Serial, error)

	// Ordered returns the devices that orders wait for or are with.
	Ordered(ctx context.Context) ([]enroll.Serial, error)

	// HandOut returns the order that a device is to carry out now, nil for none, and
	// whether it has any left, waiting or with it.
	HandOut(ctx context.Context, serial enroll.Serial) (*enroll.Order, bool, error)

	// Join keeps a part of an answer and returns the whole once all have come.
	Join(ctx context.Context, serial enroll.Serial, p enroll.Part) ([]byte, bool, error)

	// Accept locks the device, reads what needs names, calls decide, and commits what
	// follows: all of it is on disk when Accept returns nil, and nothing if it returns
	// an error. decide may be called twice. The error wraps [enroll.ErrUnknownDevice]
	// for a device that is not approved.
	Accept(ctx context.Context, serial enroll.Serial, table string, needs enroll.Needs, decide enroll.Decision) error
}

// Config says what an Intake works with. Store and Hash are required.
type Config struct {
	Store Store
	Hash  func(parts ...string) string // keyed; equal parts give equal hashes
	Log   *slog.Logger
	Now   func() time.Time
}

const (
	// maxWaiting is how many uploads of one device may wait for their commit.
	maxWaiting = 16
	// flushEvery is how old a sighting in the store may be.
	flushEvery = 30 * time.Second
	// fullFor is how long unknown devices are not noted after the store had no room.
	fullFor = time.Minute
)

// An Intake takes uploads of all devices.
type Intake struct {
	cfg Config

	mu      sync.Mutex
	devices map[enroll.Serial]enroll.Device
	version int // grows when devices may be out of date
	seen    map[enroll.Serial]enroll.Sighting
	waiting map[enroll.Serial]int
	full    time.Time                   // when the store had no room for unknown devices
	due     map[enroll.Serial]time.Time // when to look at its drafts again
	ordered map[enroll.Serial]bool      // orders wait for it or are with it
	rouse   chan struct{}               // something is due earlier than it was
	newest  time.Time                   // of our times; see checkClock
	twice   map[enroll.Serial]time.Time // when two addresses of it were told
}

// New returns an Intake.
func New(c Config) (*Intake, error) {
	if c.Store == nil || c.Hash == nil {
		return nil, errors.New("intake: Store and Hash are required")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Intake{cfg: c, devices: make(map[enroll.Serial]enroll.Device),
		seen: make(map[enroll.Serial]enroll.Sighting), waiting: make(map[enroll.Serial]int),
		due: make(map[enroll.Serial]time.Time), ordered: make(map[enroll.Serial]bool), rouse: make(chan struct{}, 1),
		twice: make(map[enroll.Serial]time.Time)}, nil
}

// Run closes drafts when they are due, and keeps sightings in the store every 30 s and
// once more when ctx is done. It begins with what the store holds from before.
func (in *Intake) Run(ctx context.Context) error {
	if err := in.load(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	timer := time.NewTimer(0)
	defer timer.Stop()
	zones := time.NewTicker(lookAtZones)
	defer zones.Stop()
	for {
		select {
		case <-ticker.C:
			in.flush(ctx)
		case <-zones.C:
			in.lookAtZones(ctx)
			if err := in.cfg.Store.OrderComparisons(ctx); err != nil && ctx.Err() == nil {
				in.cfg.Log.Error("ordering comparisons", "err", err)
			}
		case <-timer.C:
			timer.Reset(in.closeDue(ctx))
		case <-in.rouse:
			timer.Reset(in.closeDue(ctx))
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			in.flush(last)
			return nil
		}
	}
}

// flush hands the sightings over. If that fails they wait for the next time, unless
// younger ones came.
func (in *Intake) flush(ctx context.Context) {
	in.mu.Lock()
	seen := in.seen
	in.seen = make(map[enroll.Serial]enroll.Sighting)
	for serial, s := range seen { // what is in memory must not be older than the store
		if d, ok := in.devices[serial]; ok {
			d.Sighting = merge(d.Sighting, s)
			in.devices[serial] = d
		}
	}
	in.mu.Unlock()
	err := in.cfg.Store.Saw(ctx, seen)
	if err == nil {
		return
	}
	in.cfg.Log.Error("keeping sightings of devices", "err", err)
	in.mu.Lock()
	defer in.mu.Unlock()
	for serial, s := range seen {
		in.seen[serial] = merge(s, in.seen[serial])
	}
}

// Committed drops what a commit may have made untrue. The store calls it.
func (in *Intake) Committed(c enroll.Committed) {
	if len(c.Devices)+len(c.Endpoints)+len(c.Ordered) == 0 {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, serial := range c.Ordered {
		in.ordered[serial] = true
	}
	for _, serial := range c.Due {
		in.due[serial] = in.cfg.Now()
		in.wake()
	}
	if len(c.Devices)+len(c.Endpoints) == 0 {
		return
	}
	in.version++
	clear(in.devices)
}

// Seen notes a request of a device and returns its settings. A serial number that
// nobody approved becomes a pending device; the error wraps
// [enroll.ErrUnknownDevice] then.
func (in *Intake) Seen(ctx context.Context, serial enroll.Serial, s enroll.Sighting) (enroll.Device, error) {
	s.SeenAt = enroll.Millis(in.cfg.Now())
	if err := in.checkClock(s.SeenAt); err != nil {
		return enroll.Device{}, err
	}
	d, err := in.device(ctx, serial)
	if errors.Is(err, enroll.ErrNotFound) {
		return d, in.addPending(ctx, serial, s)
	}
	if err != nil {
		return d, err
	}
	in.mu.Lock()
	before := merge(d.Sighting, in.seen[serial])
	in.seen[serial] = merge(in.seen[serial], s)
	d.Sighting = merge(before, s)
	in.mu.Unlock()
	if d.State != enroll.Approved {
		return d, enroll.ErrUnknownDevice
	}
	return d, in.checkAddress(ctx, d, before, s)
}

// Presence returns the last sighting of a device if it is younger than the store's.
func (in *Intake) Presence(serial enroll.Serial) (enroll.Sighting, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	s, ok := in.seen[serial]
	return s, ok
}

// device returns a device from memory, or reads it.
func (in *Intake) device(ctx context.Context, serial enroll.Serial) (enroll.Device, error) {
	in.mu.Lock()
	d, ok := in.devices[serial]
	version := in.version
	in.mu.Unlock()
	if ok {
		return d, nil
	}
	status, err := in.cfg.Store.Device(ctx, serial)
	if err != nil {
		return enroll.Device{}, err
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.version == version { // else it may have changed while it was read
		in.devices[serial] = status.Device
	}
	return status.Device, nil
}

func (in *Intake) addPending(ctx context.Context, serial enroll.Serial, s enroll.Sighting) error {
	in.mu.Lock()
	full := s.SeenAt.Sub(in.full) < fullFor
	in.mu.Unlock()
	if full {
		return enroll.ErrUnknownDevice
	}
	added, err := in.cfg.Store.AddPending(ctx, serial, s)
	if err != nil {
		return err
	}
	if added {
		in.cfg.Log.Warn("unknown device waits for approval", "serial", serial, "address", s.Address)
	} else {
		in.cfg.Log.Warn("too many unknown devices wait for approval; new ones are not noted", "serial", serial)
		in.mu.Lock()
		in.full = s.SeenAt
		in.mu.Unlock()
	}
	return enroll.ErrUnknownDevice
}

// merge returns old with what s tells.
func merge(old, s enroll.Sighting) enroll.Sighting {
	if s.SeenAt.After(old.SeenAt) {
		old.SeenAt = s.SeenAt
	}
	for _, field := range []struct{ into, from *string }{
		{&old.Address, &s.Address}, {&old.Protocol, &s.Protocol}, {&old.Language, &s.Language}, {&old.Firmware, &s.Firmware},
		{(*string)(&old.Family), (*string)(&s.Family)},
	} {
		if *field.from != "" {
			*field.into = *field.from
		}
	}
	if s.MeasuredAt.After(old.MeasuredAt) {
		old.ClockOffset, old.MeasuredAt = s.ClockOffset, s.MeasuredAt
	}
	if s.ToldAt.After(old.ToldAt) {
		old.ToldOffset, old.ToldAt = s.ToldOffset, s.ToldAt
	}
	return old
}

// Accept commits what an upload means and returns nil only then. The error wraps
// [enroll.ErrUnknownDevice] for a device that is not approved, and [enroll.ErrBusy]
// if 16 uploads of the device wait already.
func (in *Intake) Accept(ctx context.Context, serial enroll.Serial, upload enroll.Upload) error {
	in.mu.Lock()
	if in.waiting[serial] >= maxWaiting {
		in.mu.Unlock()
		return enroll.ErrBusy
	}
	in.waiting[serial]++
	in.mu.Unlock()
	defer func() {
		in.mu.Lock()
		defer in.mu.Unlock()
		if in.waiting[serial]--; in.waiting[serial] == 0 {
			delete(in.waiting, serial)
		}
	}()
	hashed := in.hash(serial, upload)
	return in.decide(ctx, serial, hashed)
}

// decide commits what follows from an upload. When the device needs another look is
// noted inside the decision, in the order of commits.
func (in *Intake) decide(ctx context.Context, serial enroll.Serial, upload hashedUpload) error {
	return in.cfg.Store.Accept(ctx, serial, upload.Table, needs(upload.Upload), func(known enroll.Known) (enroll.Follows, error) {
		follows, at := decide(known, upload)
		in.lookAt(serial, at)
		return follows, nil
	})
}

// lookAt notes when a device needs another look, if that is sooner than was noted: a
// look too many costs one empty transaction, one too few holds back a change.
func (in *Intake) lookAt(serial enroll.Serial, at time.Time) {
	if at.IsZero() {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if due, ok := in.due[serial]; !ok || at.Before(due) {
		in.due[serial] = at
		in.wake()
	}
}

// wake has Run look at what is due.
func (in *Intake) wake() {
	select {
	case in.rouse <- struct{}{}:
	default: // it will look anyway
	}
}

package deliver

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

const (
	// readAgain is the wait after the store could not be read.
	readAgain = time.Second
	// pageLength and pageBytes bound what is read ahead of one lane.
	pageLength = 128
	pageBytes  = 256 << 10
)

// A server serves the lanes of one endpoint. Its goroutine, run, is the only one that
// touches its state; all others leave news.
type server struct {
	*Sender
	id enroll.EndpointID

	inbox sync.Mutex
	news  []news
	woken chan struct{}

	endpoint enroll.Endpoint
	known    bool // endpoint has been read
	health   health
	lanes    map[enroll.LaneID]*lane // those with something waiting, or not yet stored as done
	ready    []*lane                 // those not in flight, the one not attempted for longest first
	inFlight int
	readAt   time.Time // no attempt before: the store could not be read
}

// news is what others tell a server. The zero value just wakes it.
type news struct {
	delivery enroll.Delivery   // N not 0: just committed
	result   *result           // an attempt ended
	stored   *lane             // an outcome of this lane is stored
	storedN  int64             // its delivery
	devices  []enroll.DeviceID // changed: what was read ahead of them is out of date
	removed  []enroll.DeviceID // nothing of these waits any more
	reload   bool              // settings or state changed
}

// A result is how an attempt ended.
type result struct {
	lane     *lane
	ticket   ticket
	dropped  int // the lane's, when the attempt began
	attempt  enroll.Attempt
	more     []enroll.Delivery // read ahead, with room in the buffer
	asked    time.Duration     // Retry-After
	cut      bool              // by our own stop: it never was
	readFail error             // the store could not be read: nothing was sent
}

func newServer(s *Sender, id enroll.EndpointID) *server {
	return &server{Sender: s, id: id, woken: make(chan struct{}, 1), lanes: make(map[enroll.LaneID]*lane)}
}

// settings takes over the endpoint as it is in the store.
func (e *server) settings(endpoint enroll.Endpoint) {
	e.endpoint, e.known = endpoint, true
	e.health.load(endpoint.Health)
	e.dropUnlessActive()
}

// addLane takes over a lane of the store that has something waiting.
func (e *server) addLane(l enroll.Lane) {
	if _, ok := e.lanes[l.ID]; ok {
		return
	}
	mine := &lane{Lane: l}
	e.lanes[l.ID] = mine
	if mine.Waiting() > 0 {
		e.ready = append(e.ready, mine)
	}
}

// tell leaves news. It does not wait.
func (e *server) tell(n news) {
	e.inbox.Lock()
	e.news = append(e.news, n)
	e.inbox.Unlock()
	select {
	case e.woken <- struct{}{}:
	default: // it will look anyway
	}
}

// run serves until stop is done, then waits for the attempts in flight, whose context
// is attempts.
func (e *server) run(stop, attempts context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	stopping := stop.Done()
	for {
		e.readNews(stop)
		next := time.Time{}
		if stop.Err() == nil { // not stopping: news and the stop may come together
			next = e.beginAttempts(attempts)
		} else if e.inFlight == 0 {
			return
		}
		if next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(max(next.Sub(e.cfg.Now()), time.Millisecond))
		}
		select {
		case <-e.woken:
		case <-timer.C:
		case <-stopping:
			stopping = nil
		}
	}
}

// readNews takes in what others told.
func (e *server) readNews(ctx context.Context) {
	e.inbox.Lock()
	list := e.news
	e.news = nil
	e.inbox.Unlock()
	reload := !e.known
	for _, n := range list {
		switch {
		case n.delivery.N != 0:
			e.takeDelivery(n.delivery)
		case n.result != nil:
			e.finish(n.result)
		case n.stored != nil:
			e.outcomeStored(n.stored, n.storedN)
		}
		for _, device := range n.devices {
			e.dropAhead(device)
		}
		for _, device := range n.removed {
			e.discard(device)
		}
		reload = reload || n.reload
	}
	if reload {
		e.reload(ctx)
	}
}

// reload reads the endpoint again, and the first time also what waits.
func (e *server) reload(ctx context.Context) {
	first := !e.known
	endpoints, err := e.cfg.Store.ServedEndpoints(ctx, e.id)
	if err == nil && len(endpoints) == 1 {
		e.settings(endpoints[0])
	}
	if err == nil && first {
		var lanes []enroll.Lane
		if lanes, err = e.cfg.Store.WaitingLanes(ctx, e.id); err == nil {
			for _, l := range lanes {
				e.addLane(l)
			}
		}
	}
	if err != nil && ctx.Err() == nil {
		e.cfg.Log.Error("reading an endpoint", "endpoint", e.id, "err", err)
		e.readAt = e.cfg.Now().Add(readAgain)
		e.known = false
	}
}

// takeDelivery takes a delivery that was just committed. Its change has room in the
// buffer, which goes back if it is not kept.
func (e *server) takeDelivery(d enroll.Delivery) {
	if e.health.State() != enroll.Active {
		e.buffer.give(d.Change)
		d.Change = nil
	}
	l, ok := e.lanes[d.Lane]
	if !ok {
		e.addLane(enroll.Lane{ID: d.Lane, Endpoint: e.id, Device: d.Device, Class: d.Class, Last: d.N - 1, Cursor: d.N - 1})
		l = e.lanes[d.Lane]
	}
	idle := !l.busy && l.Waiting() == 0
	if !l.take(d) {
		e.buffer.give(d.Change)
	}
	if idle && l.Waiting() > 0 {
		e.ready = append(e.ready, l)
	}
}

// dropAhead forgets what is in memory of a device's lanes: it names the device as it
// was. An attempt in flight goes on as it is.
func (e *server) dropAhead(device enroll.DeviceID) {
	for _, l := range e.lanes {
		if l.Device == device {
			e.free(l.drop())
		}
	}
}

// discard forgets the lanes of a device that is removed. An attempt in flight ends as
// it may; it is not tried again.
func (e *server) discard(device enroll.DeviceID) {
	for id, l := range e.lanes {
		if l.Device != device {
			continue
		}
		e.free(l.drop())
		l.removed = true
		if !l.busy {
			delete(e.lanes, id)
			e.ready = slices.DeleteFunc(e.ready, func(other *lane) bool { return other == l })
		}
	}
}

// dropUnlessActive forgets what is in memory of an endpoint that gets nothing now: dead
// for days, it must not keep room in the buffer from the others.
func (e *server) dropUnlessActive() {
	if e.health.State() == enroll.Active {
		return
	}
	for _, l := range e.lanes {
		e.free(l.drop())
	}
}

func (e *server) free(deliveries []enroll.Delivery) {
	for _, d := range deliveries {
		e.buffer.give(d.Change)
	}
}

// beginAttempts begins as many attempts as may begin now. It returns when to look
// again, zero if news will come first.
func (e *server) beginAttempts(ctx context.Context) time.Time {
	now := e.cfg.Now()
	if now.Before(e.readAt) {
		return e.readAt
	}
	if !e.known || e.record.stuck.Load() {
		return time.Time{} // the recorder wakes us
	}
	for len(e.ready) > 0 && e.inFlight < e.endpoint.MaxInFlight {
		may, when := e.health.mayBegin(now)
		if !may {
			return when
		}
		l := e.ready[0]
		e.ready = e.ready[1:]
		l.busy = true
		e.inFlight++
		work := e.work(l)
		go func() { e.tell(news{result: work.do(ctx)}) }()
	}
	return time.Time{}
}

// work gathers all that an attempt needs, so that its goroutine touches no state.
func (e *server) work(l *lane) work {
	w := work{Sender: e.Sender, lane: l, laneID: l.ID, after: l.Cursor, number: l.Attempts + 1, dropped: l.dropped,
		more: l.Waiting() > 1 && e.health.State() == enroll.Active, endpoint: e.endpoint, ticket: e.health.begin()}
	w.head, w.inMemory = l.head()
	return w
}

// finish takes in the end of an attempt.
func (e *server) finish(r *result) {
	l, now := r.lane, e.cfg.Now()
	e.inFlight--
	e.readAhead(r)
	if r.cut || r.readFail != nil {
		e.health.drop(r.ticket)
		if r.readFail != nil {
			e.cfg.Log.Error("reading what waits", "endpoint", e.endpoint.Name, "err", r.readFail)
			e.readAt = now.Add(readAgain)
		}
		e.again(l)
		return
	}
	outcome := enroll.Outcome{Attempt: r.attempt, Endpoint: e.id}
	var changed bool
	if r.attempt.Acknowledged {
		changed = e.health.acknowledged(r.ticket)
		e.buffer.give(l.advance())
	} else {
		l.Attempts++
		l.Failures++
		outcome.Failures = l.Failures
		changed = e.health.failed(r.ticket, now, r.attempt.Error, func(failures int) time.Duration {
			return backoff(failures, r.asked, e.cfg.Jitter())
		})
	}
	if changed {
		state := e.health.Health
		outcome.Health = &state
		e.dropUnlessActive()
		e.cfg.Log.Info("endpoint", "name", e.endpoint.Name, "state", state.State(), "failures", state.Failures, "reason", state.Reason)
	}
	if r.attempt.Acknowledged && l.Waiting() > 0 {
		e.record.add(outcome, nil)
		e.again(l)
		return
	}
	l.busy = !r.attempt.Acknowledged
	e.record.add(outcome, func() { e.tell(news{stored: l, storedN: r.attempt.N}) })
}

// outcomeStored lines a lane up again after its failure, and forgets a lane in which
// nothing waits. Not before: the store would still call its last delivery waiting, and
// who reads the store again would repeat it.
func (e *server) outcomeStored(l *lane, n int64) {
	switch {
	case n > l.Cursor:
		e.again(l)
	case n == l.Cursor && l.Waiting() == 0:
		delete(e.lanes, l.ID)
	}
}

// readAhead keeps what an attempt read from the store, unless the device has changed
// in the meantime.
func (e *server) readAhead(r *result) {
	if r.dropped != r.lane.dropped {
		e.free(r.more)
		return
	}
	r.lane.ahead = append(r.lane.ahead, r.more...)
}

// again lines a lane up for its next attempt, unless its device is removed.
func (e *server) again(l *lane) {
	l.busy = false
	if l.removed {
		delete(e.lanes, l.ID)
		return
	}
	e.ready = append(e.ready, l)
}

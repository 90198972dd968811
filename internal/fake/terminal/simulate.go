package terminal

import (
	"context"
	"errors"
	"strconv"
	"time"
)

// SimulateConfig says what a simulated terminal does. The fields of Config are those
// of the terminal.
type SimulateConfig struct {
	Config
	Users    int     // users to enrol; 0 only connects and polls
	FirstPIN int     // the others follow it; 0 means 1
	Rate     float64 // changes a second; 0: as fast as they are acknowledged
	Face     bool    // enrol a face instead of taking a photo
	Stay     bool    // go on polling after the last change until ctx ends

	// For is how long actions are drawn after the users are enrolled; Draw says which.
	For  time.Duration
	Draw Choice

	Started  func(*Terminal) // called once, before the terminal connects; nil does nothing
	Progress func(Progress)  // called from the goroutine of Simulate; nil does nothing
}

// Progress tells how far a simulation is.
type Progress struct {
	State   ProgressState
	Users   int   // users enrolled with everything
	Changes int   // changes acknowledged
	Err     error // why it waits; only with Waiting
}

// A ProgressState is what happened last.
type ProgressState string

// The states.
const (
	Waiting   ProgressState = "waiting"   // after a failure, at any time: [ErrNotApproved], unreachable, refused
	Connected ProgressState = "connected" // the gateway gave its init block
	Changed   ProgressState = "changed"   // one more change was acknowledged
	Finished  ProgressState = "finished"  // all users are enrolled, and all drawn actions done
)

// Simulate connects a terminal, enrols users with a name, a password, a card, a
// finger and a photo each, draws actions for a while if it is asked to, and polls in
// between. It returns nil when all is acknowledged; with Stay, or without anything to do,
// it returns nil when ctx ends after that. A terminal with the habit [Resends] also
// connects again now and then.
func Simulate(ctx context.Context, c SimulateConfig) error {
	if c.Users < 0 || c.FirstPIN < 0 || c.Rate < 0 || c.For < 0 {
		return errors.New("simulating a terminal: users, first PIN, rate and time must not be negative")
	}
	if c.FirstPIN == 0 {
		c.FirstPIN = 1
	}
	if c.Started == nil {
		c.Started = func(*Terminal) {}
	}
	if c.Progress == nil {
		c.Progress = func(Progress) {}
	}
	s := simulation{SimulateConfig: c}
	s.Config.OnWait = func(why error) {
		s.tell(Waiting, why)
		if c.OnWait != nil {
			c.OnWait(why)
		}
	}
	t, err := New(s.Config)
	if err != nil {
		return err
	}
	defer t.Close()
	c.Started(t)
	if err := t.Connect(ctx); err != nil {
		return err
	}
	s.terminal, s.begun = t, time.Now()
	s.polled = s.begun
	s.tell(Connected, nil)
	return s.run(ctx)
}

// A simulation is a terminal at work.
type simulation struct {
	SimulateConfig
	terminal *Terminal
	begun    time.Time
	polled   time.Time
	users    int // enrolled with everything
	changes  int // acknowledged
}

func (s *simulation) run(ctx context.Context) error {
	for i := range s.Users {
		pin := strconv.Itoa(s.FirstPIN + i)
		for _, step := range s.terminal.steps(pin, s.Face) {
			if err := s.change(ctx, step); err != nil {
				return err
			}
		}
		s.users++
	}
	if err := s.drawActions(ctx); err != nil {
		return err
	}
	if s.Users > 0 || s.For > 0 {
		s.tell(Finished, nil)
	}
	for s.Stay || s.Users == 0 && s.For == 0 {
		if s.pollUntil(ctx, time.Now().Add(s.terminal.pollWait())) != nil {
			return nil // being stopped is how a terminal that stays ends
		}
	}
	return nil
}

// change makes the next change when it is due.
func (s *simulation) change(ctx context.Context, step func(context.Context) error) error {
	if err := s.pollUntil(ctx, s.nextChange()); err != nil {
		return err
	}
	const often = 50 // changes between two times that it connects again, about
	if habits := s.terminal.cfg.Habits; habits.has(Resends) && s.terminal.draw("reconnect").IntN(often) == 0 {
		if err := s.terminal.Connect(ctx); err != nil {
			return err
		}
	}
	if err := step(ctx); err != nil {
		return err
	}
	s.changes++
	s.tell(Changed, nil)
	return nil
}

// drawActions acts for a while, and leaves no line of the operation log behind.
func (s *simulation) drawActions(ctx context.Context) error {
	end := time.Now().Add(s.For)
	for s.For > 0 && s.nextChange().Before(end) && time.Now().Before(end) {
		if err := s.change(ctx, func(ctx context.Context) error {
			_, err := s.terminal.Draw(ctx, s.SimulateConfig.Draw)
			return err
		}); err != nil {
			return err
		}
	}
	return s.terminal.pushLate(ctx)
}

func (s *simulation) tell(state ProgressState, why error) {
	s.Progress(Progress{State: state, Users: s.users, Changes: s.changes, Err: why})
}

// nextChange returns when the next change is due by the rate.
func (s *simulation) nextChange() time.Time {
	if s.Rate == 0 {
		return s.begun
	}
	return s.begun.Add(time.Duration(float64(s.changes) / s.Rate * float64(time.Second)))
}

// pollUntil polls as often as the gateway wants until due; if that is past it polls
// only when a poll is due itself. A failed poll is not told: the next one follows.
func (s *simulation) pollUntil(ctx context.Context, due time.Time) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		now := time.Now()
		nextPoll := s.polled.Add(s.terminal.pollWait())
		if !nextPoll.After(now) {
			s.polled = now
			if err := errors.Join(s.terminal.Heartbeat(ctx), s.terminal.Poll(ctx)); err != nil {
				s.terminal.cfg.Log.Debug("poll failed", "serial", s.Serial, "err", err)
			}
			continue
		}
		if !due.After(now) {
			return nil
		}
		next := due
		if nextPoll.Before(due) {
			next = nextPoll
		}
		if err := wait(ctx, next.Sub(now)); err != nil {
			return err
		}
	}
}

// EnrollAll adds a user with a drawn name and enrols one of each credential:
// password, card, right index finger, photo. Each is an action of its own.
func (t *Terminal) EnrollAll(ctx context.Context, pin string) error {
	for _, step := range t.steps(pin, false) {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// steps are the actions that enrol one user with everything.
func (t *Terminal) steps(pin string, face bool) []func(context.Context) error {
	const rightIndex = 6 // the finger that devices offer first
	picture := t.TakePhoto
	if face {
		picture = t.EnrollFace
	}
	return []func(context.Context) error{
		func(ctx context.Context) error { return t.AddUser(ctx, User{PIN: pin, Name: t.NewName(pin)}) },
		func(ctx context.Context) error { return t.SetPassword(ctx, pin, t.NewPassword(pin)) },
		func(ctx context.Context) error { return t.SetCard(ctx, pin, t.NewCard(pin)) },
		func(ctx context.Context) error { return t.EnrollFinger(ctx, pin, rightIndex) },
		func(ctx context.Context) error { return picture(ctx, pin) },
	}
}

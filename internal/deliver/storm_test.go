package deliver

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
	"github.com/fingerpost/fingerpost/internal/fake/endpoint"
)

// Whatever comes together (failures, timeouts, resumes, changed devices, restarts, a
// store that refuses), every change arrives in order, and once acknowledged not again.
func TestStorm(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 7))
			room := []int64{1, 4 << 10, 300 << 10, 32 << 20}[seed%4]
			f := &faulty{}
			inBubble(t, func(c *Config) { f.Store, c.Store, c.BufferBytes = c.Store, f, room }, func(s *stand) {
				for _, h := range storm(s, f, random) {
					s.inside(h, func(e *server) {
						if len(e.lanes) != 0 || len(e.ready) != 0 || e.inFlight != 0 {
							t.Errorf("got %d lanes, %d of them ready, %d attempts, want none", len(e.lanes), len(e.ready), e.inFlight)
						}
					})
				}
				if got := s.free(); got != room {
					t.Errorf("got %d bytes free at the end, want %d", got, room)
				}
			})
		})
	}
}

// storm does random things for a while, then lets all be well and checks. It returns
// the endpoints.
func storm(s *stand, f *faulty, random *rand.Rand) []*hook {
	var mu sync.Mutex // guards bad and dice, which endpoints use too
	bad, dice := true, rand.New(rand.NewPCG(random.Uint64(), 7))
	behave := func(endpoint.Received) endpoint.Answer {
		mu.Lock()
		defer mu.Unlock()
		answer := endpoint.Answer{Delay: time.Duration(dice.IntN(3)*dice.IntN(400)) * time.Millisecond}
		if bad && dice.IntN(8) == 0 {
			answer.Status = 500
		}
		if bad && dice.IntN(40) == 0 {
			answer.Hang = true
		}
		return answer
	}
	var hooks []*hook
	owed := make(map[*hook]int)
	for _, inFlight := range []int{1, 3, 16} {
		h := s.hook(fmt.Sprintf("h%d", inFlight), func(e *enroll.Endpoint) { e.MaxInFlight, e.Timeout = inFlight, 5*time.Second })
		h.SetBehaviour(behave)
		hooks = append(hooks, h)
	}
	devices := s.devices(4)
	resume := func() { must(s.db.ResumeEndpoint(context.Background(), hooks[random.IntN(3)].name))(s.T) }
	s.deliver()
	synctest.Wait()
	for range 120 {
		switch n := random.IntN(100); {
		case n < 50:
			to := hooks[random.IntN(3):]
			size := 1 + random.IntN(6)
			s.commit(devices[random.IntN(4)], size, to...)
			for _, h := range to {
				owed[h] += size
			}
		case n < 60:
			resume()
		case n < 65:
			s.sender.Committed(enroll.Committed{Devices: []enroll.DeviceID{enroll.DeviceID(1 + random.IntN(4))}})
		case n < 70:
			f.noRecord.Store(!f.noRecord.Load())
		case n < 74:
			f.noWaiting.Store(!f.noWaiting.Load())
		case n < 78:
			f.noEndpoints.Store(!f.noEndpoints.Load())
			resume()
		case n < 80:
			f.heal() // or the Sender could not begin, and what it did not store would be repeated
			s.restart()
			synctest.Wait()
		default:
			s.pass(time.Duration(random.IntN(4)*random.IntN(1000)) * time.Millisecond)
		}
	}
	f.heal()
	mu.Lock()
	bad = false
	mu.Unlock()
	for range 1000 {
		s.pass(time.Minute)
		if len(s.lanes()) == 0 {
			break
		}
	}
	synctest.Wait()
	s.delivered(0, hooks...)
	for _, h := range hooks {
		if got := acknowledged(h.Received()); got != owed[h] {
			s.Errorf("%s: got %d acknowledged, want %d", h.name, got, owed[h])
		}
		s.wantState(h, enroll.Active, 0)
	}
	return hooks
}

func (f *faulty) heal() {
	f.noRecord.Store(false)
	f.noWaiting.Store(false)
	f.noEndpoints.Store(false)
}

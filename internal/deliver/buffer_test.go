package deliver

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
	"github.com/fingerpost/fingerpost/internal/fake/endpoint"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	for _, room := range []int64{1, 4 << 10, 300 << 10, 32 << 20} {
		t.Run(fmt.Sprintf("with a buffer of %d bytes all is delivered in order, and all room comes back", room), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(c *Config) { c.BufferBytes = room }, func(s *stand) {
				h := s.hook("h", func(e *enroll.Endpoint) { e.MaxInFlight = 3 })
				var failed atomic.Int64
				h.SetBehaviour(func(r endpoint.Received) endpoint.Answer {
					if r.Sequence%50 == 0 && r.Attempt == 1 {
						failed.Add(1)
						return endpoint.Status(500)
					}
					return endpoint.Done()
				})
				devices := s.devices(5)
				for _, d := range devices {
					s.commit(d, 100, h)
				}
				s.deliver()
				for range 4 { // comes while the backlog leaves
					for _, d := range devices {
						s.commit(d, 5, h)
					}
				}
				s.wait(h, 600)
				s.pass(5 * time.Minute)
				s.delivered(600+10, h)
				if got := failed.Load(); got != 10 {
					t.Errorf("got %d failures, want 10", got)
				}
				if got := s.free(); got != room {
					t.Errorf("got %d bytes free at the end, want %d", got, room)
				}
			})
		})
	}
	t.Run("no more is kept than there is room for, whatever waits", func(t *testing.T) {
		t.Parallel()
		const room = 100 << 10
		inBubble(t, func(c *Config) { c.BufferBytes = room }, func(s *stand) {
			h := s.hook("h", func(e *enroll.Endpoint) { e.Timeout = time.Minute })
			h.SetBehaviour(func(endpoint.Received) endpoint.Answer { return endpoint.Answer{Delay: 50 * time.Second} })
			device := s.devices(1)[0]
			s.deliver()
			synctest.Wait()
			for range 10 {
				s.commit(device, 50, h)
			}
			synctest.Wait()
			kept := int64(0)
			s.inside(h, func(e *server) {
				for _, d := range e.lanes[1].ahead {
					kept += int64(d.Change.Size())
				}
			})
			if free := s.free(); free+kept != room || kept > room || kept < room/2 {
				t.Errorf("got %d bytes kept and %d free, want %d in all", kept, free, room)
			}
		})
	})
	t.Run("a lane of which nothing waits is forgotten", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, func(s *stand) {
			h := s.hook("h", nil)
			devices := s.devices(4)
			s.deliver()
			for range 3 {
				for _, d := range devices {
					s.commit(d, 2, h)
				}
				s.pass(time.Second)
				s.inside(h, func(e *server) {
					if len(e.lanes) != 0 || len(e.ready) != 0 || e.inFlight != 0 {
						t.Errorf("got %d lanes, %d of them ready, %d attempts, want none", len(e.lanes), len(e.ready), e.inFlight)
					}
				})
			}
			s.delivered(24, h)
		})
	})
	t.Run("a change of the device drops what was read ahead", func(t *testing.T) {
		t.Parallel()
		for _, beforeStart := range []bool{true, false} {
			inBubble(t, func(c *Config) { c.BufferBytes = 1 << 20 }, func(s *stand) {
				h := s.hook("h", nil)
				h.SetBehaviour(func(endpoint.Received) endpoint.Answer { return endpoint.Answer{Delay: 10 * time.Second} })
				devices := s.devices(2)
				if !beforeStart {
					s.deliver()
				}
				for _, d := range devices {
					s.commit(d, 10, h)
				}
				if beforeStart {
					s.deliver()
				}
				s.pass(25 * time.Second) // two attempts of each are done, the third is in flight
				ahead := func(wantA, wantB int) {
					s.inside(h, func(e *server) {
						if a, b := len(e.lanes[1].ahead), len(e.lanes[2].ahead); a != wantA || b != wantB {
							t.Errorf("got %d and %d deliveries in memory, want %d and %d", a, b, wantA, wantB)
						}
					})
				}
				ahead(8, 8)
				s.sender.Committed(enroll.Committed{Devices: []enroll.DeviceID{1}})
				ahead(0, 8)
				s.delivered(20, h)
				if got := s.free(); got != 1<<20 {
					t.Errorf("got %d bytes free at the end, want all", got)
				}
			})
		}
	})
	t.Run("what was read ahead of a device that changed meanwhile is not used", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(c *Config) { c.BufferBytes = 1 << 20 }, func(s *stand) {
			h := s.hook("h", nil)
			h.SetBehaviour(func(endpoint.Received) endpoint.Answer { return endpoint.Answer{Delay: 10 * time.Second} })
			s.commit(s.devices(1)[0], 10, h)
			s.deliver()
			s.pass(5 * time.Second) // the first attempt has read a page
			s.sender.Committed(enroll.Committed{Devices: []enroll.DeviceID{1}})
			s.pass(6 * time.Second) // and has ended; the second has read again
			s.inside(h, func(e *server) {
				if got := len(e.lanes[1].ahead); got != 0 {
					t.Errorf("got %d deliveries in memory, want none of the first page", got)
				}
			})
			s.delivered(10, h)
			if got := s.free(); got != 1<<20 {
				t.Errorf("got %d bytes free at the end, want all", got)
			}
		})
	})
}

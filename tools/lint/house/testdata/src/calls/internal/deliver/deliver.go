package deliver

import "time"

type config struct{ Now func() time.Time }

func fill(c config) time.Time {
	c.Now = time.Now
	_ = time.Now() // want `time.Now: call the Now of the Config`
	return c.Now()
}

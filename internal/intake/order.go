package intake

import (
	"context"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// NextOrder hands out what a device is to do next, and reports whether there is
// anything. It costs no query for a device that nothing is wanted of.
func (in *Intake) NextOrder(ctx context.Context, serial enroll.Serial) (enroll.Order, bool, error) {
	in.mu.Lock()
	ordered := in.ordered[serial]
	delete(in.ordered, serial) // an order that is added from here on sets it again
	in.mu.Unlock()
	if !ordered {
		return enroll.Order{}, false, nil
	}
	order, more, err := in.cfg.Store.HandOut(ctx, serial)
	if more || err != nil {
		in.mu.Lock()
		in.ordered[serial] = true
		in.mu.Unlock()
	}
	if err != nil || order == nil {
		return enroll.Order{}, false, err
	}
	return *order, true, nil
}

// Answered notes what a device says of orders that it has carried out.
func (in *Intake) Answered(ctx context.Context, serial enroll.Serial, answers []enroll.OrderAnswer) error {
	for _, a := range answers {
		if a.Return < 0 {
			in.cfg.Log.Warn("device could not do what was asked", "serial", serial, "order", a.ID, "return", a.Return, "why", a.Words)
		}
		upload := hashedUpload{Upload: enroll.Upload{Reports: []enroll.Report{enroll.AnswerReport{OrderAnswer: a}}}}
		if err := in.decide(ctx, serial, upload); err != nil {
			return err
		}
	}
	return nil
}

// Join keeps a part of an answer, and returns the whole once all parts have come.
func (in *Intake) Join(ctx context.Context, serial enroll.Serial, part enroll.Part) ([]byte, bool, error) {
	return in.cfg.Store.Join(ctx, serial, part)
}

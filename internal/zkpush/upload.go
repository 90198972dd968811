package zkpush

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// take serves POST, by which a device hands something over.
func (h *Handler) take(w http.ResponseWriter, r *http.Request, c call) {
	switch {
	case c.approved && c.path == "push":
		h.configure(w, c)
		return
	case c.approved:
	case c.path == "ping", c.path == "devicecmd": // neither has records
		answer(w, http.StatusOK, "OK")
		return
	default:
		answer(w, http.StatusForbidden, "this terminal is not approved")
		return
	}
	held := h.budget.hold(c.serial)
	defer held.release()
	body, err := readBody(w, r, held, h.clock())
	if err != nil {
		h.badBody(w, c, err)
		return
	}
	u, err := h.understand(r.Context(), c, body, r.Header.Get("Content-Encoding"), held)
	if err == nil {
		err = h.commit(r.Context(), c, u)
	}
	switch {
	case errors.Is(err, enroll.ErrUnknownDevice): // removed this moment
		answer(w, http.StatusForbidden, "this terminal is not approved")
	case errors.Is(err, errTooLarge):
		h.badBody(w, c, err)
	case err != nil:
		h.refuse(w, c, "storing an upload", err)
	default:
		if u.rows {
			w.Header().Set("Connection", "close")
		}
		answer(w, http.StatusOK, h.ack(c, u, body))
	}
}

// badBody answers a body that is cut short or beyond a limit. Nothing of it was
// handed over, so the device keeps it.
func (h *Handler) badBody(w http.ResponseWriter, c call, err error) {
	w.Header().Set("Connection", "close")
	switch {
	case errors.Is(err, errTooLarge):
		h.log.Warn("upload refused", "serial", c.serial, "err", err)
		answer(w, http.StatusRequestEntityTooLarge, "body larger than any terminal sends")
	case errors.Is(err, errFull):
		h.refuse(w, c, "taking a body", err)
	default:
		h.log.Info("upload cut short", "serial", c.serial, "err", err)
		answer(w, http.StatusBadRequest, "body cut short")
	}
}

// understand unpacks a body, takes it apart, and joins it with the other parts of the
// answer that it may be one of. The error is errTooLarge, errFull or that of the sink.
func (h *Handler) understand(ctx context.Context, c call, body []byte, encoding string, held *hold) (understood, error) {
	tgz := strings.EqualFold(c.query.get("ContentType"), "tgz")
	if tgz || encoding != "" {
		if err := held.forParsing(ctx, unpackCost(body)); err != nil {
			return understood{}, err
		}
	}
	plain, err := unpack(body, encoding, tgz)
	if errors.Is(err, errPacked) {
		return broken(c, body), nil
	}
	if err != nil {
		return understood{}, err
	}
	if err := held.forParsing(ctx, parseCost*int64(len(plain))); err != nil {
		return understood{}, err
	}
	u, err := understand(c, plain)
	if err != nil || u.part == nil {
		return u, err
	}
	whole, complete, err := h.sink.Join(ctx, c.serial, *u.part)
	if err != nil || !complete {
		return u, err
	}
	if err := held.forParsing(ctx, min((1+parseCost)*int64(len(whole)), maxMemory/2)); err != nil {
		return understood{}, err
	}
	joined, err := readRows(c, whole)
	joined.ack, joined.other = u.ack, u.other
	return joined, err
}

// commit hands over what a body came to. The device's clock is measured by what it
// sent of itself, not by what it was asked for.
func (h *Handler) commit(ctx context.Context, c call, u understood) error {
	told := u.sighting
	if offset, ok := clockOffset(c.device, u.newest, u.heartbeat, c.at); ok && u.upload.Order == "" {
		told.ClockOffset, told.MeasuredAt = offset, c.at
	}
	if told != (enroll.Sighting{}) {
		told.SeenAt, told.Address = c.at, c.from
		if _, err := h.sink.Seen(ctx, c.serial, told); err != nil {
			return err
		}
	}
	for _, a := range u.answers {
		h.log.Debug("command answered", "serial", c.serial, "id", a.ID, "return", a.Return, "cmd", a.Command)
	}
	if said := orderAnswers(u.answers); len(said) > 0 {
		if err := h.sink.Answered(ctx, c.serial, said); err != nil {
			return err
		}
	}
	if len(u.upload.Reports)+len(u.upload.Raw) == 0 {
		return nil
	}
	return h.sink.Accept(ctx, c.serial, u.upload)
}

// ack returns the answer to a body that is committed, in the form that the device wants.
func (h *Handler) ack(c call, u understood, body []byte) string {
	if c.path == "registry" {
		return h.registration(c.serial)
	}
	if u.other == "" || len(body) == 0 {
		return u.ack
	}
	// The answers to two queries may well be equal; that is no repeat.
	sum := sha256.New()
	sum.Write([]byte(c.query.get("cmdid") + "/" + c.query.get("packidx") + "/"))
	sum.Write(body)
	if h.habits.choose(c.serial, table(c), [sha256.Size]byte(sum.Sum(nil)), c.at) {
		return u.other
	}
	return u.ack
}

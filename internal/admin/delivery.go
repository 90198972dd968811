package admin

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

func (h *handler) listDeliveries(r *http.Request) (answer, error) {
	filter, err := filterOf(r)
	if err != nil {
		return answer{}, err
	}
	limit := filter.Limit
	filter.Limit++
	deliveries, err := h.store.Deliveries(r.Context(), filter)
	if err != nil {
		return answer{}, err
	}
	return answer{body: pageOf(deliveries, limit, deliveryOf,
		func(d enroll.DeliveryStatus) string { return d.DeliveryID.String() })}, nil
}

func filterOf(r *http.Request) (enroll.DeliveryFilter, error) {
	query := r.URL.Query()
	f := enroll.DeliveryFilter{State: enroll.State(query.Get("state"))}
	var err error
	if f.Limit, err = limitOf(r); err != nil {
		return f, err
	}
	switch f.State {
	case "", enroll.Waiting, enroll.Delivered, enroll.Parked, enroll.Skipped:
	default:
		return f, enroll.Invalid("state", clip(string(f.State)), "waiting, delivered, parked or skipped")
	}
	if text := query.Get("endpoint"); text != "" {
		if f.Endpoint, err = enroll.ParseName(text); err != nil {
			return f, enroll.Invalid("endpoint", clip(text), "the name of an endpoint")
		}
	}
	if text := query.Get("device"); text != "" {
		if f.Device, err = enroll.ParseSerial(text); err != nil {
			return f, enroll.Invalid("device", clip(text), "the serial number of a device")
		}
	}
	if text := query.Get("cursor"); text != "" {
		if f.After, err = enroll.ParseDeliveryID(text); err != nil {
			return f, enroll.Invalid("cursor", clip(text), "next_cursor of the page before")
		}
	}
	return f, nil
}

func (h *handler) showDelivery(r *http.Request) (answer, error) {
	id, err := enroll.ParseDeliveryID(r.PathValue("id"))
	if err != nil {
		return answer{}, err
	}
	delivery, err := h.store.Delivery(r.Context(), id)
	if errors.Is(err, enroll.ErrNotFound) {
		return answer{}, problem(http.StatusNotFound, fmt.Sprintf("there is no delivery %q", id))
	}
	if err != nil {
		return answer{}, err
	}
	return answer{body: deliveryOf(delivery)}, nil
}

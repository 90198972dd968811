package deliver

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/callback"
	"github.com/fingerpost/fingerpost/internal/enroll"
)

// An endpoint gets a change if it chose one of its kinds, without the template of a
// kind that it did not choose.
func TestKinds(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(s *stand) {
		all, names := s.hook("all", nil), s.hook("names", nil)
		device := s.devices(1)[0]
		s.deliver()

		withPassword := s.change(0)
		withPassword.Kinds = enroll.User | enroll.Password
		withPassword.Templates = []enroll.Template{{Kind: enroll.Password, Data: enroll.TextData("1234")}}
		withPhoto := s.change(0)
		withPhoto.Kinds, withPhoto.Templates = enroll.User|enroll.Photo, nil
		withPhoto.Photo = &enroll.Data{Bytes: []byte("not a picture")}
		for _, n := range []enroll.NewChange{withPassword, withPhoto} {
			n.To = []enroll.Recipient{{Endpoint: all.id, Kinds: n.Kinds}, {Endpoint: names.id, Kinds: enroll.User}}
			s.accept(device, n)
		}
		s.delivered(2, all, names)

		for i, want := range []struct{ templates, photos int }{{1, 0}, {0, 1}} {
			u, bare := all.Received()[i].Callback.User, names.Received()[i].Callback.User
			if photos := count(u.Photo); len(u.Template) != want.templates || photos != want.photos {
				t.Errorf("callback %d: got %d templates and %d photos, want %d and %d", i, len(u.Template), photos, want.templates, want.photos)
			}
			if len(bare.Template) != 0 || bare.Photo != nil || bare.FirstName != "Asha" {
				t.Errorf("callback %d: got %+v, want the name alone", i, bare)
			}
		}
	})
}

func count(p *callback.Photo) int {
	if p == nil {
		return 0
	}
	return 1
}

func TestKinds_ReadFromTheStore(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(s *stand) {
		h := s.hook("h", nil)
		n := s.change(0)
		n.Kinds = enroll.User | enroll.Password
		n.Templates = []enroll.Template{{Kind: enroll.Password, Data: enroll.TextData("1234")}}
		n.To = []enroll.Recipient{{Endpoint: h.id, Kinds: enroll.User}}
		s.accept(s.devices(1)[0], n) // nobody delivers yet
		s.deliver()
		s.delivered(1, h)
		if got := h.Received()[0]; len(got.Callback.User.Template) != 0 || strings.Contains(string(got.Body), "1234") {
			t.Errorf("got %d templates, want none", len(got.Callback.User.Template))
		}
	})
}

// aDelivery is one of a fingerprint with so many bytes.
func aDelivery(size int) enroll.Delivery {
	return enroll.Delivery{Kinds: enroll.AllKinds, Change: &enroll.Change{OperationID: "abcdefghijkl", Kinds: enroll.Fingerprint,
		UserID: "7", ReceivedAt: time.Date(2026, 5, 4, 4, 30, 1, 5e6, time.UTC),
		Content: enroll.Content{Serial: "A", Label: "Gate", TimeZone: "Asia/Kolkata", Name: "Asha", OperationTime: "2026-05-04 10:00:00",
			Templates: []enroll.Template{{Kind: enroll.Fingerprint, Index: "6", Data: enroll.Data{Bytes: make([]byte, size)}}}}}}
}

func TestRender(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		edit func(*enroll.Delivery, *enroll.Endpoint)
		want string // part of the body
	}{
		{"the endpoint's token", func(*enroll.Delivery, *enroll.Endpoint) {}, `"AuthToken":"of the endpoint"`},
		{"the device's own token before the endpoint's", func(d *enroll.Delivery, _ *enroll.Endpoint) { d.Token = "own" }, `"AuthToken":"own"`},
		{"a user", func(*enroll.Delivery, *enroll.Endpoint) {}, `"FirstName":"Asha","LastName":"","UserType":"User"`},
		{"a disabled user is a user", func(d *enroll.Delivery, _ *enroll.Endpoint) { d.Change.Privilege = 1 }, `"UserType":"User"`},
		{"an administrator", func(d *enroll.Delivery, _ *enroll.Endpoint) { d.Change.Privilege = 14 }, `"UserType":"Admin"`},
		{"the device's wall clock in its zone", func(*enroll.Delivery, *enroll.Endpoint) {}, `"OperationTime":"2026-05-04 10:00:00 GMT +0530"`},
		{"the same instant in UTC", func(*enroll.Delivery, *enroll.Endpoint) {}, `"Time":"2026-05-04 04:30:00 GMT +0000"`},
		{"no time where the device told none", func(d *enroll.Delivery, _ *enroll.Endpoint) { d.Change.OperationTime = "" }, `"OperationTime":null`},
		{"the time of the commit", func(*enroll.Delivery, *enroll.Endpoint) {}, `"DownloadedAt":"2026-05-04T04:30:01.005Z"`},
		{"a finger", func(*enroll.Delivery, *enroll.Endpoint) {}, `"Template":[{"Type":"Fingerprint","UserID":"7","Size":"4","Index":"6","Data":"AAAA"}]`},
		{"a face", func(d *enroll.Delivery, _ *enroll.Endpoint) { d.Change.Templates[0].Kind = enroll.Face }, `"Type":"Face"`},
		{"a palm", func(d *enroll.Delivery, _ *enroll.Endpoint) { d.Change.Templates[0].Kind = enroll.Palm }, `"Type":"Palm"`},
		{"a card", func(d *enroll.Delivery, _ *enroll.Endpoint) {
			d.Change.Templates[0] = enroll.Template{Kind: enroll.Card, Data: enroll.TextData("123")}
		}, `"Template":[{"Type":"Card","UserID":"7","Data":"123"}]`},
		{"a deletion", func(d *enroll.Delivery, _ *enroll.Endpoint) {
			d.Change.Kinds, d.Change.Templates = enroll.UserDeleted, nil
		}, `"UserDeleted":{"UserID":"7"`},
		{"a punch", func(d *enroll.Delivery, _ *enroll.Endpoint) {
			d.Change.Kinds, d.Change.Templates, d.Change.Punch = enroll.Punch, nil, &enroll.PunchDetail{Status: 4, Verify: 15, Temperature: "36.5"}
		}, `"Type":15,"InputType":4,"Temperature":"36.5"`},
		{"the device's fields where asked for", func(_ *enroll.Delivery, e *enroll.Endpoint) { e.DeviceFields = true }, `"SerialNumber":"A","LabelName":"Gate"`},
		{"copies at the root where asked for", func(_ *enroll.Delivery, e *enroll.Endpoint) { e.RootCopies = true }, `},"AuthToken":"of the endpoint","OperationID":"abcdefghijkl"}`},
		{"the user id as a number where asked for", func(_ *enroll.Delivery, e *enroll.Endpoint) { e.UserIDs = "number" }, `"UserID":7,`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d, e := aDelivery(3), enroll.Endpoint{Dialect: "niya", UserIDs: "documented", AuthToken: "of the endpoint"}
			tt.edit(&d, &e)
			body, _, err := render(d, e)
			if err != nil || !strings.Contains(string(body), tt.want) {
				t.Errorf("got %s (%v), want %s in it", body, err, tt.want)
			}
		})
	}
	t.Run("what the dialect cannot express is an error that says so", func(t *testing.T) {
		t.Parallel()
		d := aDelivery(0)
		d.Change.Kinds, d.Change.Templates, d.Change.Removed = enroll.CredentialRemoved, nil, &enroll.Removed{Kind: enroll.Fingerprint}
		if _, _, err := render(d, enroll.Endpoint{Dialect: "niya"}); !errors.Is(err, callback.ErrNotExpressible) {
			t.Errorf("got %v, want ErrNotExpressible", err)
		}
	})
}

func TestRender_SuspectClock(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		time enroll.WallTime // received at 10:00:01 there
		want bool
	}{
		{"the same time", "2026-05-04 10:00:00", false},
		{"nearly two hours ahead", "2026-05-04 12:00:01", false},
		{"more than two hours ahead", "2026-05-04 12:00:02", true},
		{"an old record", "2026-02-04 10:00:00", false},
		{"more than 90 days old", "2026-02-03 09:59:59", true},
		{"a clock that was never set", "2000-01-01 00:00:00", true},
		{"not told", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := aDelivery(3)
			d.Change.OperationTime = tt.time
			if _, suspect, err := render(d, enroll.Endpoint{Dialect: "niya"}); err != nil || suspect != tt.want {
				t.Errorf("got %v (%v), want %v", suspect, err, tt.want)
			}
		})
	}
}

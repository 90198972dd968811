package callback_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/callback"
)

// The vector is that of the Standard Webhooks libraries.
const (
	vectorSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorSeconds   = 1614265330
	vectorBody      = `{"test": 2432232314}`
	vectorSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func TestSign_Vectors(t *testing.T) {
	t.Run("of the published libraries", func(t *testing.T) {
		got, err := callback.Sign(vectorSecret, vectorID, time.Unix(vectorSeconds, 999), []byte(vectorBody))
		if err != nil {
			t.Fatal(err)
		}
		if got != vectorSignature {
			t.Errorf("got %s, want %s", got, vectorSignature)
		}
	})
	t.Run("by hand, over a body of bytes", func(t *testing.T) {
		key := []byte("0123456789abcdef0123456789abcdef")
		body := []byte("{\"a\":\"\xff\x00.\"}")
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte("ibqk6yc1w3pd.1700000000.{\"a\":\"\xff\x00.\"}"))
		want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))

		got, err := callback.Sign("whsec_"+base64.StdEncoding.EncodeToString(key), "ibqk6yc1w3pd", time.Unix(1700000000, 0), body)
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestNewSecret(t *testing.T) {
	a, b := callback.NewSecret(), callback.NewSecret()
	if a == b {
		t.Error("got the same secret twice")
	}
	encoded, ok := strings.CutPrefix(a, "whsec_")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(key) != 32 {
		t.Errorf("got %d bytes, %v, want whsec_ and base64 of 32", len(key), err)
	}
	if _, err := callback.Sign(a, "id", time.Unix(0, 0), nil); err != nil {
		t.Error(err)
	}
}

func TestVerify(t *testing.T) {
	other := callback.NewSecret()
	tests := []struct {
		name   string
		change func(h http.Header)
		late   time.Duration
		body   string
		want   error
	}{
		{name: "as signed"},
		{name: "five minutes late", late: 5 * time.Minute},
		{name: "five minutes early", late: -5 * time.Minute},
		{name: "later than that", late: 5*time.Minute + time.Second, want: callback.ErrStale},
		{name: "earlier than that", late: -5*time.Minute - time.Second, want: callback.ErrStale},
		{name: "another body", body: `{"test": 2432232315}`, want: callback.ErrSignature},
		{name: "another id", change: func(h http.Header) { h.Set(callback.HeaderID, "msg_2") }, want: callback.ErrSignature},
		{name: "another time", change: func(h http.Header) { h.Set(callback.HeaderTimestamp, strconv.Itoa(vectorSeconds+1)) }, want: callback.ErrSignature},
		{name: "second of two signatures", change: func(h http.Header) { h.Set(callback.HeaderSignature, "v1,AAAA "+vectorSignature) }},
		{name: "first of two signatures", change: func(h http.Header) { h.Set(callback.HeaderSignature, vectorSignature+" v2,x") }},
		{name: "signature of another secret", change: func(h http.Header) {
			s, err := callback.Sign(other, vectorID, time.Unix(vectorSeconds, 0), []byte(vectorBody))
			if err != nil {
				t.Error(err)
			}
			h.Set(callback.HeaderSignature, s)
		}, want: callback.ErrSignature},
		{name: "signature of another version", change: func(h http.Header) { h.Set(callback.HeaderSignature, "v2"+vectorSignature[2:]) }, want: callback.ErrSignature},
		{name: "signature cut short", change: func(h http.Header) { h.Set(callback.HeaderSignature, vectorSignature[:20]) }, want: callback.ErrSignature},
		{name: "no signature", change: func(h http.Header) { h.Del(callback.HeaderSignature) }, want: callback.ErrUnsigned},
		{name: "blank signature", change: func(h http.Header) { h.Set(callback.HeaderSignature, " ") }, want: callback.ErrUnsigned},
		{name: "no id", change: func(h http.Header) { h.Del(callback.HeaderID) }, want: callback.ErrUnsigned},
		{name: "no timestamp", change: func(h http.Header) { h.Del(callback.HeaderTimestamp) }, want: callback.ErrUnsigned},
		{name: "timestamp of no number", change: func(h http.Header) { h.Set(callback.HeaderTimestamp, "now") }, want: callback.ErrUnsigned},
		{name: "timestamp without end", change: func(h http.Header) { h.Set(callback.HeaderTimestamp, "9223372036854775807") }, want: callback.ErrStale},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := http.Header{}
			h.Set(callback.HeaderID, vectorID)
			h.Set(callback.HeaderTimestamp, strconv.Itoa(vectorSeconds))
			h.Set(callback.HeaderSignature, vectorSignature)
			if tt.change != nil {
				tt.change(h)
			}
			body := vectorBody
			if tt.body != "" {
				body = tt.body
			}
			err := callback.Verify(vectorSecret, h, []byte(body), time.Unix(vectorSeconds, 0).Add(tt.late))
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestSign_RefusesSecrets(t *testing.T) {
	tests := map[string]string{
		"empty":           "",
		"without prefix":  strings.TrimPrefix(vectorSecret, "whsec_"),
		"no base64":       "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa!!",
		"23 bytes":        "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 23)),
		"65 bytes":        "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 65)),
		"without padding": "whsec_" + base64.RawStdEncoding.EncodeToString(make([]byte, 32)),
	}
	for name, secret := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := callback.Sign(secret, "id", time.Unix(0, 0), nil); !errors.Is(err, callback.ErrSecret) {
				t.Errorf("Sign: got %v, want %v", err, callback.ErrSecret)
			}
			if err := callback.Verify(secret, http.Header{}, nil, time.Unix(0, 0)); !errors.Is(err, callback.ErrSecret) {
				t.Errorf("Verify: got %v, want %v", err, callback.ErrSecret)
			}
		})
	}
}

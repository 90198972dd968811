package callback

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Names of the headers of a callback. The first three are those of Standard Webhooks,
// https://www.standardwebhooks.com.
const (
	HeaderID        = "webhook-id"           // the OperationID
	HeaderTimestamp = "webhook-timestamp"    // Unix seconds of the attempt
	HeaderSignature = "webhook-signature"    // one [Sign], or several separated by blanks
	HeaderLane      = "Fingerpost-Lane"      // opaque name of the lane
	HeaderSequence  = "Fingerpost-Sequence"  // 1, 2, 3 … without holes in its lane
	HeaderAttempt   = "Fingerpost-Attempt"   // counted from 1
	HeaderClock     = "Fingerpost-Clock"     // [ClockSuspect], or absent
	HeaderResendOf  = "Fingerpost-Resend-Of" // the old OperationID, where a resend has a new one
)

// ClockSuspect is the value of [HeaderClock] where the device's time is far from ours.
const ClockSuspect = "suspect"

// Tolerance is how far the timestamp of a callback may be from the receiver's clock.
const Tolerance = 5 * time.Minute

// What Sign and Verify report.
var (
	// ErrSecret: the signing secret is not "whsec_" and base64 of 24 to 64 bytes.
	ErrSecret = errors.New(`signing secret: want "whsec_" and base64 of 24 to 64 bytes`)
	// ErrUnsigned: a header of the signature is missing or malformed.
	ErrUnsigned = errors.New("callback is not signed")
	// ErrStale: the timestamp is further than [Tolerance] from now.
	ErrStale = errors.New("timestamp of the callback is too far from now")
	// ErrSignature: no signature fits the secret.
	ErrSignature = errors.New("no signature of the callback fits")
)

const (
	secretPrefix    = "whsec_"
	signaturePrefix = "v1,"
)

// NewSecret returns a random signing secret.
func NewSecret() string {
	var key [32]byte
	rand.Read(key[:]) // never fails: crypto/rand ends the program instead
	return secretPrefix + base64.StdEncoding.EncodeToString(key[:])
}

// Sign returns the signature of one attempt at time at, "v1,…". While a secret is
// being changed, [HeaderSignature] carries two of them separated by a blank. The error
// is [ErrSecret].
func Sign(secret, id string, at time.Time, body []byte) (string, error) {
	key, err := parseSecret(secret)
	if err != nil {
		return "", err
	}
	return sign(key, id, strconv.FormatInt(at.Unix(), 10), body), nil
}

// Verify checks that a callback was signed with secret, at most [Tolerance] before or
// after now. It does not look for repeats: drop those by [HeaderID]. The errors are
// [ErrSecret], [ErrUnsigned], [ErrStale] and [ErrSignature].
func Verify(secret string, h http.Header, body []byte, now time.Time) error {
	key, err := parseSecret(secret)
	if err != nil {
		return err
	}
	id, stamp := h.Get(HeaderID), h.Get(HeaderTimestamp)
	given := strings.Fields(h.Get(HeaderSignature))
	if id == "" || len(given) == 0 {
		return fmt.Errorf("%w: %s and %s are needed", ErrUnsigned, HeaderID, HeaderSignature)
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: %s is not Unix seconds", ErrUnsigned, HeaderTimestamp)
	}
	if now.Sub(time.Unix(seconds, 0)).Abs() > Tolerance {
		return ErrStale
	}
	want := []byte(sign(key, id, stamp, body))
	for _, signature := range given {
		if hmac.Equal([]byte(signature), want) {
			return nil
		}
	}
	return ErrSignature
}

func parseSecret(secret string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(secret, secretPrefix)
	if !ok {
		return nil, ErrSecret
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) < 24 || len(key) > 64 {
		return nil, ErrSecret
	}
	return key, nil
}

func sign(key []byte, id, stamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	return signaturePrefix + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

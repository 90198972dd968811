package enroll

import (
	"encoding/base64"
	"fmt"
	"log/slog"
)

// A Secret is a text that must not be printed: an auth token, a signing secret, a
// password. Formatting it in any way gives its length; [Secret.Reveal] gives the text.
type Secret string

// Reveal returns the text itself.
func (s Secret) Reveal() string { return string(s) }

func (s Secret) masked() string {
	if s == "" {
		return "(none)"
	}
	return fmt.Sprintf("(secret, %d characters)", len(s))
}

// Format writes the mask for every verb, so that %s, %q, %v and %#v are all safe.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.masked()) }

// LogValue returns the mask.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.masked()) }

// MarshalText returns the mask: a type that wants to write a secret says so by Reveal.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.masked()), nil }

// Data is the content of a template, a photo, a password or a card number: bytes
// where it came as base64, else the text as it came. It prints as its length.
type Data struct {
	Bytes []byte
	Text  bool // Bytes is text, to be sent as it is; else it is sent as base64
}

// TextData is for content that is text by nature, such as a password.
func TextData(text string) Data { return Data{Bytes: []byte(text), Text: true} }

// strictBase64 accepts only what encodes to the same text again.
var strictBase64 = base64.StdEncoding.Strict()

// ParseData keeps base64 text as bytes, a quarter smaller. Text that is not
// padded standard base64 to the letter is kept as it came and sent as it came.
func ParseData(text string) Data {
	raw, err := strictBase64.DecodeString(text)
	// The decoder skips line breaks, so equal length is what proves the round trip.
	if err != nil || base64.StdEncoding.EncodedLen(len(raw)) != len(text) {
		return TextData(text)
	}
	return Data{Bytes: raw}
}

// Size returns the number of characters of [Data.String], which is the Size on the wire.
func (d Data) Size() int {
	if d.Text {
		return len(d.Bytes)
	}
	return base64.StdEncoding.EncodedLen(len(d.Bytes))
}

// Wire returns the characters that are sent: padded standard base64, or the text.
func (d Data) Wire() string {
	if d.Text {
		return string(d.Bytes)
	}
	return base64.StdEncoding.EncodeToString(d.Bytes)
}

// Format writes the length for every verb.
func (d Data) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "(%d bytes)", len(d.Bytes)) }

// LogValue returns the length.
func (d Data) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("(%d bytes)", len(d.Bytes))) }

// MarshalText returns the length: content is written by [Data.Wire] only.
func (d Data) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "(%d bytes)", len(d.Bytes)), nil }

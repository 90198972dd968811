package zkpush

import (
	"strings"
	"time"
	"unicode"
)

// Limits, each far above what an honest terminal sends: bodies are up to about 1 MB,
// a line is at most a photo of some 200 KB, a record has some 15 fields.
const (
	maxBody     = 16 << 20 // bytes of a request's body; more is answered 413
	maxUnpacked = 64 << 20 // bytes that a packed body may grow to; more is answered 413
	maxLines    = 200_000  // lines in a body; more is answered 413
	maxLine     = 8 << 20  // bytes of a line; a longer one is unread
	maxFields   = 128      // fields of a line; one with more is unread
	maxText     = 1024     // bytes of a name, password or card number; a line with more is unread
	maxWord     = 64       // bytes of any other text that is taken over
	maxQuery    = 64       // parameters of a query that are looked at
	maxParts    = 10_000   // parts of an answer; a body that claims more is read by itself
)

// Limits of what all requests take together.
const (
	maxMemory  = 256 << 20       // bytes of bodies that are read and parsed at one time
	maxReading = 32 << 20        // bytes of those that one device may have sent; more is answered 503
	parseCost  = 2               // bytes that parsing takes for each byte of a body, beside the body
	memoryWait = 5 * time.Second // for memory, then 503; devices wait 10 s for an answer

	// A body has no total time, since links of 2G are slow. It has to come at minRate
	// bytes a second on average, not counting the first slowStart.
	minRate   = 100
	slowStart = 30 * time.Second
)

// clean makes a device's text fit to be shown and logged: printable, at most
// maxWord bytes, without blanks at its ends.
func clean(text string) string {
	if len(text) > 4*maxWord {
		text = text[:4*maxWord]
	}
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, text)
	if len(text) > maxWord {
		text = strings.ToValidUTF8(text[:maxWord], "")
	}
	return strings.TrimSpace(text)
}

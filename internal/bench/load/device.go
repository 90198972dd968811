package load

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
)

// Templates begin with the mark of ZKFinger 10 in base64, which is "J3SS21", and the
// number of the change, by which the sink knows it again: digits are base64 too, and a
// multiple of four of them is whole bytes.
const (
	mark        = "SjNTUzIx"
	numberWidth = 12
	minTemplate = len(mark) + numberWidth
)

// Users and fingers of a device, in turn: each has been enrolled before when its turn
// comes again, as in a fleet that is some years old.
const (
	firstUser = 100_000
	users     = 500
	fingers   = 10
)

// A device is a terminal as far as its uploads go: one request, written before the
// start, of which only the digits that differ are written again.
type device struct {
	request              []byte
	pin, finger, numeral []byte // places in request
	sent                 int64  // number of the last change
}

// serialOf returns the serial number of device i.
func serialOf(i int) string { return fmt.Sprintf("BENCH%06d", i) }

// newDevice returns device i, which calls host.
func newDevice(i int, host string, template int) *device {
	digits := strings.Repeat("0", numberWidth)
	noise := rand.New(rand.NewPCG(1, uint64(i)))
	rest := make([]byte, template-minTemplate)
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for at := range rest {
		rest[at] = alphabet[noise.IntN(len(alphabet))]
	}
	body := fmt.Sprintf("FP PIN=%d\tFID=0\tSize=%d\tValid=1\tTMP=%s%s%s\n", firstUser, template, mark, digits, rest)
	head := fmt.Sprintf("POST /iclock/cdata?SN=%s&table=OPERLOG&Stamp=9999 HTTP/1.1\r\nHost: %s\r\n"+
		"User-Agent: iClock Proxy/1.09\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n", serialOf(i), host, len(body))
	request := []byte(head + body)
	place := func(after string, width int) []byte {
		at := len(head) + bytes.Index(request[len(head):], []byte(after)) + len(after)
		return request[at : at+width]
	}
	return &device{request: request,
		pin: place("PIN=", len(fmt.Sprint(firstUser))), finger: place("FID=", 1), numeral: place(mark, numberWidth)}
}

// next returns the request of the next change. It is good until the call after.
func (d *device) next() []byte {
	turn := d.sent
	d.sent++
	put(d.pin, firstUser+turn%users)
	put(d.finger, turn/users%fingers)
	put(d.numeral, d.sent)
	return d.request
}

// put writes n in decimal, with zeros before it.
func put(place []byte, n int64) {
	for i := len(place) - 1; i >= 0; i-- {
		place[i] = byte('0' + n%10)
		n /= 10
	}
}

// numberIn returns the number of the change that a callback is about, 0 if its body
// carries none.
func numberIn(callback []byte) int64 {
	_, rest, found := bytes.Cut(callback, []byte(`"Data":"`+mark))
	if !found || len(rest) < numberWidth {
		return 0
	}
	var n int64
	for _, digit := range rest[:numberWidth] {
		if digit < '0' || digit > '9' {
			return 0
		}
		n = n*10 + int64(digit-'0')
	}
	return n
}

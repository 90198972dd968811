package zkpush

import (
	"encoding/hex"
	"math/big"
	"slices"
	"strings"
)

// maxCardBytes bounds a card number in its bracketed form; the longest in use have 10.
const maxCardBytes = 32

// parseCard returns a card number as decimal text, "" for no card. Devices write it
// decimal, or as its bytes in hexadecimal between brackets, the lowest byte first:
// [15CD5B07] is 123456789. No card is "", zero in either form, or the word null.
// Anything else is returned as it came: what it means, its owner may know.
func parseCard(text string) string {
	text = strings.TrimSpace(text)
	if strings.Trim(present(text), "0") == "" {
		return ""
	}
	inside, ok := strings.CutPrefix(text, "[")
	if !ok {
		return text
	}
	inside, ok = strings.CutSuffix(inside, "]")
	number, err := hex.DecodeString(inside)
	if !ok || err != nil || len(number) > maxCardBytes {
		return text
	}
	slices.Reverse(number)
	value := new(big.Int).SetBytes(number)
	if value.Sign() == 0 {
		return ""
	}
	return value.String()
}

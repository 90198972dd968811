package enroll

import (
	"errors"
)

// An OperationID is the id of a change on the wire: 12 characters a-z0-9, unique in
// the store for ever, the same in every attempt. Receivers drop repeats by it.
type OperationID string

// An OperationIDs turns change ids into operation ids and back. It is a permutation
// of 62 bits under a key of the store, so operation ids are unique because change
// ids are, need no column and no index, and do not tell how many changes there are.
type OperationIDs struct{ keys [4]uint64 }

const (
	idBits   = 62 // 2^62 < 36^12
	halfBits = idBits / 2
	halfMask = 1<<halfBits - 1
	idLetter = "0123456789abcdefghijklmnopqrstuvwxyz"
	idLength = 12
)

// NewOperationIDs returns the permutation of a key of 32 random bytes.
func NewOperationIDs(key [32]byte) *OperationIDs {
	var o OperationIDs
	for i := range o.keys {
		for j := range 8 {
			o.keys[i] = o.keys[i]<<8 | uint64(key[8*i+j])
		}
	}
	return &o
}

// Of returns the operation id of a change.
func (o *OperationIDs) Of(id ChangeID) OperationID {
	left, right := uint64(id)>>halfBits&halfMask, uint64(id)&halfMask
	for _, key := range o.keys { // a Feistel network: invertible whatever mix does
		left, right = right, left^mix(right, key)
	}
	n := left<<halfBits | right
	var text [idLength]byte
	for i := idLength - 1; i >= 0; i-- {
		text[i] = idLetter[n%36]
		n /= 36
	}
	return OperationID(text[:])
}

// ErrNotOperationID reports a text that no change has as its operation id.
var ErrNotOperationID = errors.New("not an operation id: want 12 characters a-z0-9")

// Change returns the change whose operation id this is; whether there is one, the
// store knows.
func (o *OperationIDs) Change(id OperationID) (ChangeID, error) {
	if len(id) != idLength {
		return 0, ErrNotOperationID
	}
	var n uint64
	for i := range idLength {
		switch c := id[i]; {
		case '0' <= c && c <= '9':
			n = n*36 + uint64(c-'0')
		case 'a' <= c && c <= 'z':
			n = n*36 + uint64(c-'a') + 10
		default:
			return 0, ErrNotOperationID
		}
	}
	if n >= 1<<idBits {
		return 0, ErrNotOperationID
	}
	left, right := n>>halfBits, n&halfMask
	for i := len(o.keys) - 1; i >= 0; i-- {
		left, right = right^mix(left, o.keys[i]), left
	}
	return ChangeID(left<<halfBits | right), nil
}

// mix is the finisher of splitmix64, keyed: every bit of half reaches every bit of
// the result.
func mix(half, key uint64) uint64 {
	x := half + key
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return (x ^ x>>31) & halfMask
}

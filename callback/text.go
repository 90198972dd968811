package callback

import "unicode/utf8"

// appendText appends s as a JSON string.
func appendText(dst []byte, s string) []byte { return appendChecked(dst, s, isPlain(s)) }

// appendChecked is appendText where [isPlain] is known already.
func appendChecked(dst []byte, s string, plain bool) []byte {
	dst = append(dst, '"')
	if plain {
		dst = append(dst, s...)
	} else {
		dst = appendEscaped(dst, s)
	}
	return append(dst, '"')
}

// isPlain reports whether s is ASCII that needs no escape. It looks at eight bytes at
// a time, since nearly all of a body is base64.
func isPlain(s string) bool {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones
	)
	for len(s) >= 8 {
		w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		// A subtraction sets a byte's high bit if the byte is too small. It borrows
		// from the next byte only then, when the answer is settled.
		special := w | (w - 0x20*ones) | ((w ^ '"'*ones) - ones) | ((w ^ '\\'*ones) - ones)
		if special&highs != 0 {
			return false
		}
		s = s[8:]
	}
	for i := range len(s) {
		if !isPlainByte(s[i]) {
			return false
		}
	}
	return true
}

func isPlainByte(b byte) bool {
	return b >= 0x20 && b < utf8.RuneSelf && b != '"' && b != '\\'
}

func appendEscaped(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	for i := 0; i < len(s); {
		b := s[i]
		if b >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r) // of invalid UTF-8, r is U+FFFD
			i += size
			continue
		}
		i++
		switch {
		case isPlainByte(b):
			dst = append(dst, b)
		case b == '"' || b == '\\':
			dst = append(dst, '\\', b)
		case b == '\n':
			dst = append(dst, `\n`...)
		case b == '\r':
			dst = append(dst, `\r`...)
		case b == '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[b>>4], hex[b&0xf])
		}
	}
	return dst
}

// characters returns how many characters s has on the wire; plain is isPlain(s).
func characters(s string, plain bool) int {
	if plain {
		return len(s)
	}
	return utf8.RuneCountInString(s)
}

// isCanonicalDecimal reports whether id, read as a JSON number by any receiver, prints
// as id again: no sign, no leading zero, at most 2^53-1.
func isCanonicalDecimal(id string) bool {
	const largest = "9007199254740991"
	if id == "" || len(id) > len(largest) || id[0] == '0' && id != "0" {
		return false
	}
	for i := range len(id) {
		if id[i] < '0' || id[i] > '9' {
			return false
		}
	}
	return len(id) < len(largest) || id <= largest
}

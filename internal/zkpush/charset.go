package zkpush

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// decodeText returns a device's text as UTF-8. Text that is UTF-8 is taken as it is,
// else the device's language chooses the character set. Devices cut names at 24
// bytes, also inside a character: what is left of that one becomes U+FFFD.
func decodeText(raw, language string) string {
	if utf8.ValidString(raw) {
		return raw
	}
	if whole, ok := cutUTF8(raw); ok {
		return whole + string(utf8.RuneError)
	}
	text, err := codePage(language).NewDecoder().String(raw)
	if err != nil {
		return strings.ToValidUTF8(raw, string(utf8.RuneError))
	}
	return text
}

// cutUTF8 returns raw without its last, incomplete character if all before that is
// UTF-8. A text that is ASCII up to there proves nothing: it may as well end with a
// letter of another character set.
func cutUTF8(raw string) (string, bool) {
	for n := 1; n < utf8.UTFMax && n < len(raw); n++ {
		whole, tail := raw[:len(raw)-n], raw[len(raw)-n:]
		if utf8.RuneStart(tail[0]) {
			cut := !utf8.FullRuneInString(tail)
			return whole, cut && utf8.ValidString(whole) && utf8.RuneCountInString(whole) < len(whole)
		}
	}
	return "", false
}

// codePage returns the character set of text that is not UTF-8 by the device's
// number of its language. Only 83, Simplified Chinese, is documented (as GB2312, of
// which GB18030 is the superset in use); the others are what clones may send.
func codePage(language string) encoding.Encoding {
	switch language {
	case "83":
		return simplifiedchinese.GB18030
	case "66", "65": // Arabic, Persian
		return charmap.Windows1256
	case "82": // Russian
		return charmap.Windows1251
	case "76": // Thai
		return charmap.Windows874
	case "86": // Vietnamese
		return charmap.Windows1258
	case "116": // Turkish
		return charmap.Windows1254
	case "72": // Hebrew
		return charmap.Windows1255
	case "103": // Greek
		return charmap.Windows1253
	case "90", "89", "112": // Czech, Slovak, Polish
		return charmap.Windows1250
	}
	return charmap.Windows1252
}

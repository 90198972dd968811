package zkpush

import (
	"net/url"
	"strings"
)

// pairs are keys with their values, in the order in which they came.
type pairs []pair

type pair struct{ key, value string }

// find returns the value of the first pair with key, compared without case, and
// whether there is one.
func (p pairs) find(key string) (string, bool) {
	for _, pair := range p {
		if strings.EqualFold(pair.key, key) {
			return pair.value, true
		}
	}
	return "", false
}

// get returns the value of key, "" if there is none.
func (p pairs) get(key string) string {
	value, _ := p.find(key)
	return value
}

// has reports whether there is a pair with key.
func (p pairs) has(key string) bool {
	_, ok := p.find(key)
	return ok
}

// parseQuery reads the query of a URL as devices write it. It differs from
// [url.ParseQuery] in that nothing is an error: a semicolon is a character like
// others and a bad escape stays as it is.
func parseQuery(raw string) pairs {
	var query pairs
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		if len(query) == maxQuery {
			break
		}
		key, value, _ := strings.Cut(part, "=")
		query = append(query, pair{unescape(key), unescape(value)})
	}
	return query
}

func unescape(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

// parseOptions reads what a device posts as table=options: "~Key=Value,Key=Value…",
// in one line or several. Values contain commas, so only a comma that is followed by
// another key ends one.
func parseOptions(text string) pairs {
	var options pairs
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' || r == 0 }) {
		start := 0
		for i := 0; i <= len(line); i++ {
			if i < len(line) && (line[i] != ',' || !beginsOption(line[i+1:])) {
				continue
			}
			key, value, ok := strings.Cut(line[start:i], "=")
			start = i + 1
			if ok {
				options = append(options, pair{bareKey(key), value})
			}
		}
	}
	return options
}

// beginsOption reports whether text begins with ~?[A-Za-z]\w*=.
func beginsOption(text string) bool {
	text = strings.TrimPrefix(text, "~")
	for i := range len(text) {
		switch c := text[i]; {
		case isLetter(c):
		case i > 0 && (c == '_' || '0' <= c && c <= '9'):
		default:
			return i > 0 && c == '='
		}
	}
	return false
}

// bareKey returns a key without the blanks around it and the ~ that marks a
// device's fixed options.
func bareKey(key string) string {
	return strings.TrimPrefix(strings.TrimSpace(key), "~")
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

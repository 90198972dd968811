package endpoint

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// CutBody returns a JSON body with long values of Data cut to their first 24
// characters and "…". Everything else stays to the letter; what is not JSON stays
// whole from where it breaks.
func CutBody(body []byte) []byte {
	var out bytes.Buffer
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var path nesting
	copied, before := 0, 0 // bytes of body that are in out; end of the token before
	for {
		token, err := decoder.Token()
		if err != nil {
			break // the end, or what is not JSON
		}
		end := int(decoder.InputOffset())
		if path.isData(token) {
			inside := before + bytes.IndexByte(body[before:end], '"') + 1
			if cut := inside + shownPrefix(body[inside:end-1]); cut < end-1 {
				out.Write(body[copied:cut])
				out.WriteString("…")
				copied = end - 1 // from the closing quote on
			}
		}
		before = end
	}
	out.Write(body[copied:])
	return out.Bytes()
}

// shownPrefix returns how many bytes of a JSON string's inside are shown: all of a
// short one. It cuts neither a character nor an escape in two.
func shownPrefix(inside []byte) int {
	end := 0
	for range shownData {
		if end >= len(inside) {
			break
		}
		end += characterLen(inside[end:])
	}
	return min(end, len(inside))
}

// characterLen returns the bytes of the first character as it is written in JSON.
func characterLen(inside []byte) int {
	if bytes.HasPrefix(inside, []byte(`\u`)) {
		return len(`\u0000`)
	}
	if inside[0] == '\\' {
		return len(`\n`)
	}
	_, size := utf8.DecodeRune(inside)
	return size
}

// A nesting follows the tokens of a JSON text to tell keys from values.
type nesting struct {
	open  []json.Delim // of the objects and lists around the token
	isKey bool         // the next string is a key
	key   string       // of the value that comes; "" in a list
}

// isData takes a token and reports whether it is a string that is the value of Data.
func (p *nesting) isData(token json.Token) bool {
	text, isText := token.(string)
	if isText && p.isKey {
		p.key, p.isKey = text, false
		return false
	}
	isData := isText && p.key == "Data"
	p.key = ""
	switch token {
	case json.Delim('{'), json.Delim('['):
		p.open = append(p.open, token.(json.Delim))
	case json.Delim('}'), json.Delim(']'):
		p.open = p.open[:len(p.open)-1]
	}
	p.isKey = len(p.open) > 0 && p.open[len(p.open)-1] == '{'
	return isData
}

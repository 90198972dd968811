package callback

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
)

// An Ack is the rule by which an endpoint's answer acknowledges a callback.
type Ack string

// The rules; "" is AckStatus.
const (
	AckStatus Ack = "status" // 200 or 201, whatever the body
	AckBody   Ack = "body"   // 200 or 201, and the body says done, ok or 1
	Ack2xx    Ack = "2xx"    // any status from 200 to 299
)

// Acknowledges reports whether an answer acknowledges the callback by the rule. A rule
// that does not exist acknowledges nothing.
//
// For [AckBody] the body says done, ok or 1, in any case: as status at the root, in
// message if there is no status at the root, or as the whole body.
func Acknowledges(rule Ack, status int, answer []byte) bool {
	documented := status == http.StatusOK || status == http.StatusCreated
	switch rule {
	case "", AckStatus:
		return documented
	case Ack2xx:
		return status >= 200 && status <= 299
	case AckBody:
		return documented && isDone(readReply(answer).word())
	}
	return false
}

// Doubtful reports whether an answer of status 2xx does not say in its body that all is
// well: {}, a page of HTML, an error, nothing. Many receivers answer 200 to everything,
// so an operator should see it; it decides nothing. A 204 has no body to doubt.
func Doubtful(status int, answer []byte) bool {
	if status < 200 || status > 299 || status == http.StatusNoContent {
		return false
	}
	r := readReply(answer)
	if r.success == "" {
		return !isWell(r.word())
	}
	return !isWell(r.success) && r.success != "true" || r.status != "" && !isWell(r.status)
}

func isDone(word string) bool { return word == "done" || word == "ok" || word == "1" }

func isWell(word string) bool { return isDone(word) || word == "success" }

// A reply is what an answer says, in lower case; "" where it does not.
type reply struct {
	status  string // root.status
	success string // root.success
	message string // root.message.status, or root.message itself
	bare    string // the whole body, where it is a word
}

// word returns what decides: a status at the root outranks a message.
func (r reply) word() string {
	switch {
	case r.bare != "":
		return r.bare
	case r.status != "":
		return r.status
	}
	return r.message
}

// maxWord bounds what is taken for a word, in bytes.
const maxWord = 64

func readReply(answer []byte) reply {
	answer = bytes.TrimSpace(bytes.TrimPrefix(answer, []byte("\ufeff"))) // PHP files often begin with it
	var root struct {
		Status, Success value
		Message         json.RawMessage
	}
	if json.Unmarshal(answer, &root) != nil && json.Unmarshal(quoteStatus(answer), &root) != nil {
		if len(answer) > maxWord {
			return reply{}
		}
		return reply{bare: wordOf(value{isText, strings.Trim(string(answer), `"`)})}
	}
	r := reply{status: wordOf(root.Status), success: wordOf(root.Success)}
	var inner struct{ Status value }
	var message value
	switch {
	case root.Message == nil:
	case json.Unmarshal(root.Message, &inner) == nil:
		r.message = wordOf(inner.Status)
	case json.Unmarshal(root.Message, &message) == nil:
		r.message = wordOf(message)
	}
	return r
}

// quoteStatus repairs {status:"done"}, which is how the documentation prints the
// answer and so how some receivers give it.
func quoteStatus(answer []byte) []byte {
	const key = "status"
	rest, ok := bytes.CutPrefix(answer, []byte("{"))
	rest = bytes.TrimSpace(rest)
	if !ok || len(rest) < len(key) || !strings.EqualFold(string(rest[:len(key)]), key) {
		return answer
	}
	return append([]byte(`{"`+key+`"`), rest[len(key):]...)
}

func wordOf(v value) string {
	if len(v.text) > maxWord {
		return "(long text)" // said, and no word
	}
	if v.kind == isComposite {
		return "(composite)"
	}
	return strings.ToLower(strings.TrimSpace(v.text))
}

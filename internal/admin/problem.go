package admin

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// A Problem is an error in an answer, application/problem+json of RFC 9457.
type Problem struct {
	Type   string       `json:"type"`
	Title  string       `json:"title"`
	Status int          `json:"status"`
	Detail string       `json:"detail"` // a sentence for a person
	Errors []FieldError `json:"errors,omitempty"`
	Item   *int         `json:"item,omitempty"` // which of the list that was sent, counted from 0
}

// A FieldError says what is wrong with one field of a request.
type FieldError struct {
	Field  string `json:"field"`
	Detail string `json:"detail"` // begins with the value in quotes, where that may be shown
}

// Sentence joins a name for the field with the detail.
func (e FieldError) Sentence(name string) string {
	if strings.HasPrefix(e.Detail, `"`) {
		return name + " " + e.Detail
	}
	return name + ": " + e.Detail
}

// A ProblemError is a [Problem] as an error: what the client returns when the gateway
// refused.
type ProblemError struct{ Problem }

func (e *ProblemError) Error() string {
	if len(e.Errors) == 0 {
		return e.Detail
	}
	texts := make([]string, len(e.Errors))
	for i, field := range e.Errors {
		texts[i] = field.Sentence(field.Field)
	}
	return strings.Join(texts, "; ")
}

func problem(status int, detail string) *ProblemError {
	return &ProblemError{Problem{
		Type:   "about:blank",
		Title:  http.StatusText(status),
		Status: status,
		Detail: detail,
	}}
}

// refused is the problem of one field: want says what would be right.
func refused(fields ...FieldError) *ProblemError {
	p := problem(http.StatusUnprocessableEntity, "")
	p.Errors = fields
	p.Detail = p.Error()
	return p
}

// problemOf maps an error to what is answered. It returns nil for an error that is no
// one's input and must be logged.
func problemOf(err error) *ProblemError {
	if item, ok := errors.AsType[*enroll.ItemError](err); ok {
		p := problemOf(item.Err)
		if p != nil {
			p.Item = &item.Item
		}
		return p
	}
	if p, ok := errors.AsType[*ProblemError](err); ok {
		return p
	}
	if invalid, ok := errors.AsType[*enroll.InvalidError](err); ok {
		detail := strings.TrimPrefix(invalid.Error(), invalid.Field)
		return refused(FieldError{invalid.Field, strings.TrimLeft(detail, ": ")})
	}
	switch {
	case errors.Is(err, enroll.ErrNotFound):
		return problem(http.StatusNotFound, err.Error())
	case errors.Is(err, enroll.ErrExists):
		return problem(http.StatusConflict, err.Error())
	case errors.Is(err, enroll.ErrStopping):
		return problem(http.StatusServiceUnavailable, "the gateway is stopping: try again when it runs")
	}
	return nil
}

func writeProblem(w http.ResponseWriter, p *ProblemError) {
	writeJSON(w, "application/problem+json", p.Status, p.Problem)
}

func writeJSON(w http.ResponseWriter, contentType string, status int, body any) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body) // fails only if the client is gone
}

package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// readBody reads the JSON object of a request into to, a pointer to a struct. An
// absent body is an empty object.
func readBody(r *http.Request, to any) error {
	data, err := readAll(r)
	if err != nil || len(data) == 0 {
		return err
	}
	return readObject(data, to, "the body is not a JSON object")
}

func readAll(r *http.Request) ([]byte, error) {
	data, err := io.ReadAll(r.Body)
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, problem(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is too large: at most %d MiB", tooLarge.Limit>>20))
	}
	if err != nil {
		return nil, problem(http.StatusBadRequest, "the body was cut short")
	}
	return data, nil
}

// readObject reads a JSON object into to, a pointer to a struct; otherwise says what
// data is if it is no object.
func readObject(data []byte, to any, otherwise string) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil || object == nil {
		return problem(http.StatusBadRequest, otherwise)
	}
	if err := knownFields(object, to); err != nil {
		return err
	}
	if err := json.Unmarshal(data, to); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return enroll.Invalid(wrong.Field, "", "a JSON "+jsonName(wrong.Type)+" and not a "+wrong.Value)
		}
		return problem(http.StatusBadRequest, otherwise)
	}
	return nil
}

// knownFields refuses a name that to does not have: ignored, a misspelt setting would
// look as if it were in force.
func knownFields(object map[string]json.RawMessage, to any) error {
	var known []string
	for field := range reflect.TypeOf(to).Elem().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		known = append(known, name)
	}
	var wrong []FieldError
	for name := range object {
		if !slices.Contains(known, name) {
			wrong = append(wrong, FieldError{clip(name), "is not a field of this request: want " + strings.Join(known, ", ")})
		}
	}
	if wrong == nil {
		return nil
	}
	slices.SortFunc(wrong, func(a, b FieldError) int { return strings.Compare(a.Field, b.Field) })
	return refused(wrong...)
}

func jsonName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.Int:
		return "whole number"
	case reflect.Slice:
		return "list"
	case reflect.Pointer:
		return jsonName(t.Elem())
	}
	return "string"
}

// durationOf reads a field such as "5s"; an empty one is otherwise.
func durationOf(field, text string, otherwise time.Duration) (time.Duration, error) {
	if text == "" {
		return otherwise, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, enroll.Invalid(field, clip(text), `a duration such as "5s" or "10m"`)
	}
	return d, nil
}

// orDefault returns text, or otherwise if it is empty.
func orDefault(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// clip bounds text that is quoted in an answer.
func clip(text string) string {
	if len(text) > 80 {
		return strings.ToValidUTF8(text[:80], "") + "…"
	}
	return text
}

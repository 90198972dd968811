package errortext

import (
	"errors"
	"io"
	"strings"
)

func decide(err error) bool {
	if strings.Contains(err.Error(), "UNIQUE") { // want `decided by the text of an error`
		return true
	}
	switch err.Error() { // want `decided by the text of an error`
	case "EOF":
		return true
	}
	return err.Error() == "EOF" || // want `decided by the text of an error`
		errors.Is(err, io.EOF)
}

func show(err error) string { return strings.TrimPrefix(err.Error(), "x: ") }

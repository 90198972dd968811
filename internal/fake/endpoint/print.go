package endpoint

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/fingerpost/fingerpost/callback"
)

// shownData is how many characters of a template or picture are shown.
const shownData = 24

// Print writes a callback for people, a block of a few lines. Passwords and card
// numbers are masked but for their last two characters, templates and pictures cut to
// 24; the token is not shown at all. What came in the callback cannot break a line or
// reach the terminal's control.
func Print(w io.Writer, r Received) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  stgid %s  %s\n", r.At.Format("15:04:05.000"), orDash(r.StgID), headline(r))
	for _, line := range credentials(r.Callback) {
		fmt.Fprintf(&b, "    %s\n", line)
	}
	if at := r.Callback.OperationTime; !at.IsZero() {
		layout := "2006-01-02 15:04:05 GMT -0700"
		if r.Callback.ZoneUnknown {
			layout = "2006-01-02 15:04:05"
		}
		fmt.Fprintf(&b, "    operation time %s\n", at.Format(layout))
	}
	fmt.Fprintf(&b, "    operation %s, sequence %d, attempt %d\n", orDash(r.OperationID), r.Sequence, r.Attempt)
	fmt.Fprintf(&b, "    token %s, signature %s, %s\n", tokenWord(r), signatureWord(r), answerWord(r))
	_, err := io.WriteString(w, b.String())
	return err
}

// headline says what the callback is about.
func headline(r Received) string {
	c := r.Callback
	switch {
	case r.ParseErr != nil:
		return "not a callback: " + printable(r.ParseErr.Error())
	case c.User != nil:
		text := "UserUpdated  user " + orDash(c.User.UserID)
		if name := strings.TrimSpace(c.User.FirstName + " " + c.User.LastName); name != "" {
			text += "  " + printable(name)
		}
		return text + "  " + orDash(c.User.UserType)
	case c.Punch != nil:
		return fmt.Sprintf("PunchLog  user %s  %s by %s", orDash(c.Punch.UserID), orDash(c.Punch.Direction), orDash(c.Punch.Method))
	case c.Deleted != nil:
		return "UserDeleted  user " + orDash(c.Deleted.UserID)
	case c.Removed != nil:
		return strings.TrimSpace(fmt.Sprintf("CredentialRemoved  user %s  %s %s", orDash(c.Removed.UserID),
			printable(string(c.Removed.Type)), printable(c.Removed.Index)))
	}
	return "empty callback"
}

// credentials is a line for each credential of the callback.
func credentials(c callback.Callback) []string {
	if c.User == nil {
		return nil
	}
	var lines []string
	if c.User.Photo != nil {
		lines = append(lines, "Photo "+cutData(string(c.User.Photo.Data)))
	}
	for _, t := range c.User.Template {
		text := printable(string(t.Type))
		if t.Index != "" {
			text += " " + printable(t.Index)
		}
		data := string(t.Data)
		if t.Type == callback.Password || t.Type == callback.Card {
			lines = append(lines, text+" "+mask(data))
			continue
		}
		lines = append(lines, text+" "+cutData(data))
	}
	return lines
}

func tokenWord(r Received) string {
	switch {
	case r.TokenErr == nil:
		return "ok"
	case errors.Is(r.TokenErr, ErrNotChecked):
		return "not checked"
	case r.Callback.AuthToken == "":
		return "ABSENT"
	}
	return "WRONG"
}

func signatureWord(r Received) string {
	switch {
	case r.SignatureErr == nil:
		return "ok"
	case r.Header.Get(callback.HeaderSignature) == "":
		return "absent"
	case errors.Is(r.SignatureErr, ErrNotChecked):
		return "not checked"
	case errors.Is(r.SignatureErr, callback.ErrStale):
		return "WRONG: timestamp too far from now"
	}
	return "WRONG"
}

func answerWord(r Received) string {
	if r.Status == 0 {
		return "not answered"
	}
	return fmt.Sprintf("answered %d", r.Status)
}

// mask hides all of a short text but the last two characters.
func mask(text string) string {
	runes := []rune(printable(text))
	if len(runes) <= 2 {
		return strings.Repeat("*", len(runes))
	}
	return strings.Repeat("*", len(runes)-2) + string(runes[len(runes)-2:])
}

func cutData(data string) string {
	if len(data) <= shownData {
		return printable(data)
	}
	return fmt.Sprintf("%s… (%d characters)", printable(data[:shownData]), len(data))
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return printable(text)
}

// printable replaces what could break a line or steer a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}

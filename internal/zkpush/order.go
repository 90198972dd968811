package zkpush

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// order answers a poll with the next order, if there is one: C:<id>:<command>. A device
// gets one at a time.
func (h *Handler) order(w http.ResponseWriter, r *http.Request, c call) {
	if r.Method == http.MethodHead { // the order would be handed out, and never read
		answer(w, http.StatusOK, "OK")
		return
	}
	o, ok, err := h.sink.NextOrder(r.Context(), c.serial)
	if err != nil && !errors.Is(err, enroll.ErrUnknownDevice) {
		h.refuse(w, c, "handing out an order", err)
		return
	}
	if err != nil || !ok {
		answer(w, http.StatusOK, "OK")
		return
	}
	command, err := wording(o, c)
	if err != nil { // it times out, and then shows as failed
		h.log.Error("order that cannot be put into words", "serial", c.serial, "order", o.ID, "err", err)
		answer(w, http.StatusOK, "OK")
		return
	}
	h.log.Debug("order handed out", "serial", c.serial, "order", o.ID, "what", o.What)
	answer(w, http.StatusOK, "C:"+string(o.ID)+":"+command+"\n")
}

// wording returns the command for an order in the language of the device's family. The
// error says that there is none.
func wording(o enroll.Order, c call) (string, error) {
	access := c.family() == enroll.Access
	switch {
	case orderID(string(o.ID)) == "":
		return "", fmt.Errorf("order id %q: want 1 to 16 letters and digits", o.ID)
	case o.What == enroll.ReloadOptions && access:
		return setTime(c.device.TimeZone, c.at)
	case o.What == enroll.ReloadOptions:
		return "RELOAD OPTIONS", nil
	case o.What == enroll.QueryUsers && access:
		return "DATA QUERY tablename=user,fielddesc=*,filter=*", nil
	case o.What == enroll.QueryUsers:
		return "DATA QUERY USERINFO", nil
	case o.UserID == "", access && strings.ContainsAny(string(o.UserID), ",*"):
		return "", fmt.Errorf("order %s: no command can name its user", o.What)
	}
	user := string(o.UserID)
	words := map[enroll.OrderKind][2]string{
		enroll.CheckUser:    {"DATA QUERY USERINFO PIN=" + user, "DATA QUERY tablename=user,fielddesc=*,filter=Pin=" + user},
		enroll.QueryUser:    {"DATA QUERY USERINFO PIN=" + user, "DATA QUERY tablename=user,fielddesc=*,filter=Pin=" + user},
		enroll.QueryFingers: {"DATA QUERY FINGERTMP PIN=" + user, "DATA QUERY tablename=templatev10,fielddesc=*,filter=Pin=" + user},
		enroll.QueryFaces:   {"DATA QUERY BIODATA Type=9\tPIN=" + user, "DATA QUERY tablename=biodata,fielddesc=*,filter=Type=9\tPin=" + user},
	}[o.What]
	if words[0] == "" {
		return "", fmt.Errorf("order %q: unknown kind", o.What)
	}
	if access {
		return words[1], nil
	}
	return words[0], nil
}

// setTime returns the command that sets an access terminal's clock. Its settings hold
// no zone that could be loaded again, so that a new offset reaches it as a new time.
func setTime(zone string, at time.Time) (string, error) {
	location, err := enroll.ParseZone(zone)
	if err != nil {
		return "", err
	}
	return "SET OPTIONS DateTime=" + strconv.FormatInt(packTime(at.In(location)), 10), nil
}

// orderID returns text if it can be the id of an order, else "".
func orderID(text string) enroll.OrderID {
	text = strings.TrimSpace(text)
	if len(text) > 16 {
		return ""
	}
	for i := range len(text) {
		if c := text[i]; !isLetter(c) && (c < '0' || c > '9') {
			return ""
		}
	}
	return enroll.OrderID(text)
}

// orderAnswers returns what a device says of orders; answers without an id are left out.
func orderAnswers(answers []commandAnswer) []enroll.OrderAnswer {
	var said []enroll.OrderAnswer
	for _, a := range answers {
		if id := orderID(a.ID); id != "" {
			said = append(said, enroll.OrderAnswer{ID: id, Return: a.Return, Words: returnWords(a.Command, a.Return)})
		}
	}
	return said
}

// returnWords returns what a command's return code means: up to -1008 by the manual of
// PUSH 2.x and servers in the field, the others by that of 3.x.
func returnWords(command string, code int) string {
	command = strings.ToUpper(command)
	if words := enrolWords(code); words != "" && strings.HasPrefix(command, "ENROLL") {
		return words
	}
	switch {
	case code == 0:
		return "done"
	case code > 0 && strings.HasPrefix(command, "DATA"):
		return fmt.Sprintf("done, %d rows", code)
	case code > 0:
		return fmt.Sprintf("done, returned %d", code)
	}
	for _, known := range [...]struct {
		code  int
		words string
	}{
		{-1, "wrong parameter"}, {-2, "size of the photo does not fit"}, {-3, "input or output error"},
		{-4, "no data"}, {-5, "no space left"}, {-9, "size of the template does not fit"}, {-10, "no such user"},
		{-11, "wrong format of the template"}, {-12, "bad template"}, {-22, "unknown error"},
		{-30, "version of the template does not fit"}, {-1001, "capacity reached"}, {-1002, "not supported"},
		{-1003, "timed out"}, {-1004, "does not fit the device's configuration"}, {-1005, "device busy"},
		{-1006, "data too long"}, {-1007, "out of memory"}, {-1008, "could not fetch from the server"},
		{-629, "table unknown in the device's mode"}, {-708, "not supported"}, {-726, "HTTP error"},
		{-731, "wrong answer of the server to the data"}, {-801, "wrong format"}, {-5000, "accepted, the result comes later"},
	} {
		if known.code == code {
			return known.words
		}
	}
	return fmt.Sprintf("failed with code %d, which no manual explains", code)
}

// enrolWords returns what the return code of an enrolment means, "" if it has no
// meaning of its own.
func enrolWords(code int) string {
	switch code {
	case 2:
		return "finger is enrolled already"
	case 4:
		return "failed, or of poor quality"
	case 5:
		return "in the database already"
	case 6:
		return "cancelled"
	case 7:
		return "device busy"
	}
	return ""
}

package zkpush

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// take serves POST, by which a device hands something over.
func (h *Handler) take(w http.ResponseWriter, r *http.Request, c call) {
	if !c.approved {
		switch c.path {
		case "ping", "getrequest", "getreq", "devicecmd": // none of them has records
			answer(w, http.StatusOK, "OK")
		default:
			answer(w, http.StatusForbidden, "this terminal is not approved")
		}
		return
	}
	body, err := readBody(w, r)
	if err != nil {
		h.badBody(w, c, err)
		return
	}
	u, err := understand(c, body, r.Header.Get("Content-Encoding"))
	if err != nil {
		h.badBody(w, c, err)
		return
	}
	for _, a := range u.answers {
		h.log.Debug("command answered", "serial", c.serial, "id", a.ID, "return", a.Return, "cmd", a.Command)
	}
	if u.sighting != (enroll.Sighting{}) {
		u.sighting.SeenAt, u.sighting.Address = h.now(), address(r)
		_, err = h.sink.Seen(r.Context(), c.serial, u.sighting)
	}
	if err == nil && len(u.upload.Reports)+len(u.upload.Raw) > 0 {
		err = h.sink.Accept(r.Context(), c.serial, u.upload)
	}
	switch {
	case errors.Is(err, enroll.ErrUnknownDevice): // removed this moment
		answer(w, http.StatusForbidden, "this terminal is not approved")
	case err != nil:
		h.refuse(w, c, "storing an upload", err)
	default:
		answer(w, http.StatusOK, u.ack)
	}
}

// badBody answers a body that is cut short or beyond a limit. Nothing of it was
// handed over, so the device keeps it.
func (h *Handler) badBody(w http.ResponseWriter, c call, err error) {
	if !errors.Is(err, errTooLarge) {
		h.log.Info("upload cut short", "serial", c.serial, "err", err)
		answer(w, http.StatusBadRequest, "body cut short")
		return
	}
	h.log.Warn("upload refused", "serial", c.serial, "err", err)
	w.Header().Set("Connection", "close")
	answer(w, http.StatusRequestEntityTooLarge, "body larger than any terminal sends")
}

// understood is what a POST comes to.
type understood struct {
	upload   enroll.Upload   // empty: nothing to keep
	sighting enroll.Sighting // what the device told of itself
	answers  []commandAnswer
	ack      string // to be answered after upload is kept
}

// understand takes a body apart by path and table, never by what family of devices
// it may come from. The error is errTooLarge.
func understand(c call, body []byte, encoding string) (understood, error) {
	plain, err := unpack(body, encoding, strings.EqualFold(c.query.get("ContentType"), "tgz"))
	if errors.Is(err, errPacked) {
		broken := enroll.UnreadReport{Line: body, Why: "packed body that cannot be unpacked"}
		return understood{upload: enroll.Upload{Table: table(c), Reports: []enroll.Report{broken}}, ack: "OK: 1"}, nil
	}
	if err != nil {
		return understood{}, err
	}
	switch {
	case c.path == "devicecmd", c.path == "cdata" && isAnswer(c, plain):
		return understood{answers: parseAnswers(string(plain)), ack: "OK"}, nil
	case c.path == "fdata", c.path == "cdata" && strings.EqualFold(c.query.get("table"), "ATTPHOTO"):
		return understood{upload: enroll.Upload{Table: table(c), Raw: plain}, ack: "OK"}, nil
	case c.path == "cdata" && strings.EqualFold(c.query.get("table"), "options"):
		options := parseOptions(string(plain))
		return understood{
			sighting: enroll.Sighting{Firmware: clean(options.get("FWVersion")), Language: clean(options.get("Language"))},
			ack:      "OK",
		}, nil
	case c.path == "cdata" && tableKind(c.query.get("table")) != "":
		p, err := parseUpload(tableKind(c.query.get("table")), c.device.Language, plain)
		return understood{upload: enroll.Upload{Table: table(c), Reports: p.Reports}, ack: counted(p)}, err
	}
	return foreign(c, plain)
}

// foreign keeps a body of a path or table that is not known whole, each line of it
// unread. The tables of PUSH 3.x, which are among these, have acks of their own.
func foreign(c call, body []byte) (understood, error) {
	name := strings.ToLower(c.query.get("table"))
	if name == "rtstate" || name == "irstate" {
		return understood{ack: "OK"}, nil // a heartbeat of every few seconds, worth nothing later
	}
	p, err := parseForeign(body)
	if err != nil {
		return understood{}, err
	}
	u := understood{ack: "OK", upload: enroll.Upload{Table: table(c), Reports: p.Reports}}
	if p.Lines > 0 || strings.Trim(string(body), " \t\r\n\x00") != "" {
		u.upload.Raw = body
	}
	switch {
	case name == "tabledata" || c.path == "querydata" && strings.EqualFold(c.query.get("type"), "tabledata"):
		u.ack = tableAck(c.query)
	case c.path == "cdata" && name != "rtlog" && !c.query.has("type"):
		u.ack = counted(p)
	}
	return u, nil
}

// counted is the ack of a table of records: every line counts, also those that make
// no sense, and an empty heartbeat as one; a device that is told less repeats them.
func counted(p parsed) string { return "OK: " + strconv.Itoa(max(p.Lines, 1)) }

// tableAck is the ack of a table of PUSH 3.x: its name, and the count that the device
// itself told. Where it told none, devices were seen to want a bare OK.
func tableAck(query pairs) string {
	name := query.get("tablename")
	count, err := strconv.ParseUint(query.get("count"), 10, 32)
	plain := name != "" && len(name) <= maxWord && strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
	if err != nil || !plain {
		return "OK"
	}
	return name + "=" + strconv.FormatUint(count, 10)
}

// isAnswer reports whether a body without a table is the answer to a command, which
// some terminals were reported to post to the path of uploads.
func isAnswer(c call, body []byte) bool {
	head := strings.ToUpper(string(body[:min(len(body), 512)]))
	return c.query.get("table") == "" && strings.HasPrefix(head, "ID=") && strings.Contains(head, "RETURN=")
}

// table returns what an upload is of, in the device's own words.
func table(c call) string {
	for _, key := range []string{"tablename", "table", "type"} {
		if name := clean(c.query.get(key)); name != "" {
			return name
		}
	}
	return clean(c.path)
}

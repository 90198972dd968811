package zkpush

import (
	"strconv"
	"strings"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// understood is what a POST comes to.
type understood struct {
	upload   enroll.Upload   // empty: nothing to keep
	sighting enroll.Sighting // what the device told of itself
	answers  []commandAnswer
	part     *enroll.Part // of an answer that comes in several; nothing else then

	newest    enroll.WallTime // see parsed
	heartbeat bool            // newest is the device's clock as it sent this
	rows      bool            // of PUSH 3.x
	lines     int             // see parsed

	ack   string // to be answered after all this is kept
	other string // the ack in its other form, "" if it has none
}

// understand takes a body apart by path and table, never by what family of devices
// it may come from. The error is errTooLarge.
func understand(c call, body []byte) (understood, error) {
	name, kind := strings.ToLower(c.query.get("table")), strings.ToLower(c.query.get("type"))
	switch {
	case c.path == "devicecmd", c.path == "cdata" && isAnswer(c, body):
		return understood{answers: parseAnswers(string(body)), ack: "OK"}, nil
	case c.path == "registry", c.path == "cdata" && name == "options":
		return understood{sighting: tellsOfItself(body), ack: "OK"}, nil
	case c.path == "fdata", c.path == "cdata" && name == tableTaken:
		return understood{upload: enroll.Upload{Table: table(c), Raw: body}, ack: "OK"}, nil
	case c.path == "querydata":
		return queryAnswer(c, kind, body)
	case c.path != "cdata":
		return foreign(c, body)
	case name == "rtstate", name == "irstate":
		// A heartbeat of every few seconds, worth nothing later.
		return understood{ack: "OK", newest: heartbeatTime(body), heartbeat: true}, nil
	case strings.EqualFold(c.query.get("AuthType"), authByServer):
		// A door that asks whether to open. We do not know; it may decide by itself.
		return understood{ack: "AUTH=TIMEOUT"}, nil
	case name == tableRows:
		return readRows(c, body)
	case name == rowEvent:
		return records(c, rowEvent, body)
	case name == "" && kind == answerBio:
		return records(c, rowBiodata, body)
	case name == "" && kind == answerEnrol:
		return records(c, rowEnrolment, body)
	case tableKind(name) != "":
		u, err := records(c, tableKind(name), body)
		u.ack, u.other = counted(u), "OK"
		return u, err
	}
	return foreign(c, body)
}

// records reads a body of records of one kind.
func records(c call, kind string, body []byte) (understood, error) {
	p, err := parseUpload(kind, c.device.Language, body)
	return understood{
		upload: enroll.Upload{Table: table(c), Reports: p.Reports, Order: orderID(c.query.get("CmdId"))},
		lines:  p.Lines, newest: p.Newest, ack: "OK",
	}, err
}

// readRows reads rows of a table of PUSH 3.x.
func readRows(c call, body []byte) (understood, error) {
	name := c.query.get("tablename")
	kind := rowKind(name)
	if kind == "" && !strings.EqualFold(name, tableTaken) {
		return foreign(c, body)
	}
	if kind == "" {
		u := understood{upload: enroll.Upload{Table: table(c), Raw: body, Order: orderID(c.query.get("CmdId"))}, lines: 1, rows: true}
		u.ack, u.other = rowAcks(c.query, 1)
		return u, nil
	}
	u, err := records(c, kind, body)
	u.rows = true
	u.ack, u.other = rowAcks(c.query, u.lines)
	return u, err
}

// queryAnswer reads querydata, what an access terminal was asked for. It may come in
// parts, which end anywhere, also inside a record.
func queryAnswer(c call, kind string, body []byte) (understood, error) {
	switch {
	case kind == "count":
		return understood{ack: "OK"}, nil // devicecmd tells the same
	case kind == "options":
		return understood{sighting: tellsOfItself(body), ack: "OK"}, nil
	case kind != tableRows && kind != "" || !c.query.has("tablename"):
		return foreign(c, body)
	}
	count, err1 := strconv.Atoi(c.query.get("packcnt"))
	index, err2 := strconv.Atoi(c.query.get("packidx"))
	if err1 != nil || err2 != nil || count <= 1 || count > maxParts || index < 1 || index > count {
		return readRows(c, body)
	}
	u := understood{rows: true, part: &enroll.Part{Order: orderID(c.query.get("cmdid")), Table: table(c), Index: index, Count: count, Body: body}}
	u.ack, u.other = rowAcks(c.query, 0)
	return u, nil
}

// foreign keeps a body of a path or table that is not known whole, each line of it
// unread.
func foreign(c call, body []byte) (understood, error) {
	p, err := parseForeign(body)
	if err != nil {
		return understood{}, err
	}
	u := understood{ack: "OK", lines: p.Lines, upload: enroll.Upload{Table: table(c), Reports: p.Reports, Order: orderID(c.query.get("CmdId"))}}
	if p.Lines > 0 || strings.Trim(string(body), " \t\r\n\x00") != "" {
		u.upload.Raw = body
	}
	switch {
	case isRows(c):
		u.rows = true
		u.ack, u.other = rowAcks(c.query, p.Lines)
	case c.path == "cdata" && !c.query.has("type"):
		u.ack, u.other = counted(u), "OK"
	}
	return u, nil
}

// broken keeps a body that came whole and cannot be unpacked.
func broken(c call, body []byte) understood {
	report := enroll.UnreadReport{Line: body, Why: "packed body that cannot be unpacked"}
	u := understood{upload: enroll.Upload{Table: table(c), Reports: []enroll.Report{report}}, ack: "OK: 1", other: "OK"}
	if isRows(c) {
		u.rows = true
		u.ack, u.other = rowAcks(c.query, 1)
	}
	return u
}

// isRows reports whether the body of c is acknowledged as a table of PUSH 3.x.
func isRows(c call) bool {
	return strings.EqualFold(c.query.get("table"), tableRows) || c.path == "querydata" && strings.EqualFold(c.query.get("type"), tableRows)
}

// counted is the ack of a table of records: every line counts, also those that make
// no sense, and an empty heartbeat as one; a device that is told less repeats them.
func counted(u understood) string { return "OK: " + strconv.Itoa(max(u.lines, 1)) }

// rowAcks returns the ack of a table of PUSH 3.x and its other form: its name, and the
// count that the device itself told. Where it told none, devices were seen to want a
// bare OK, and else the count of lines.
func rowAcks(query pairs, lines int) (string, string) {
	name := query.get("tablename")
	if name == "" || len(name) > maxWord || strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return "OK", ""
	}
	count, err := strconv.ParseUint(query.get("count"), 10, 32)
	if err != nil {
		return "OK", name + "=" + strconv.Itoa(max(lines, 1))
	}
	return name + "=" + strconv.FormatUint(count, 10), "OK"
}

// tellsOfItself reads the options of a device, also those that it registers with.
func tellsOfItself(body []byte) enroll.Sighting {
	options := parseOptions(string(body))
	firmware := options.get("FWVersion")
	if firmware == "" {
		firmware = options.get("FirmVer")
	}
	return enroll.Sighting{Firmware: clean(firmware), Language: clean(options.get("Language"))}
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

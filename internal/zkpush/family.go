package zkpush

import (
	"strings"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// toldFamily returns the family that a request gives away, "" if it does not. The
// version that a device announces does not tell: firmware of 3.1 was seen to announce
// 2.4.1 and speak it. A body in the form of PUSH 2.x does not tell either: it is read by
// its own table, whatever the device is.
func (c call) toldFamily() enroll.Family {
	if kind := strings.TrimSpace(c.query.get("DeviceType")); kind != "" {
		if strings.EqualFold(kind, string(enroll.Access)) {
			return enroll.Access
		}
		return enroll.Attendance // att, pid, ins, and "middle east" of exported terminals
	}
	if c.asks {
		return ""
	}
	switch strings.ToLower(c.query.get("table")) {
	case "rtlog", "rtstate", "tabledata":
		return enroll.Access
	}
	if c.path == "registry" || c.path == "push" {
		return enroll.Access
	}
	return ""
}

// family returns the family that chooses the answer to the handshake and the wording
// of orders: what this request tells, else what the device told last. Terminals can be
// switched between the two in their menu.
func (c call) family() enroll.Family {
	if told := c.toldFamily(); told != "" {
		return told
	}
	if c.device.Family != "" {
		return c.device.Family
	}
	return enroll.Attendance
}

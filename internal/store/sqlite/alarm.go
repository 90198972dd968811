package sqlite

import (
	"encoding/json"
	"fmt"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// readAlarms reads what deviceColumns has of alarms: a JSON list.
func readAlarms(text string) ([]enroll.Alarm, error) {
	var rows []struct {
		What string `json:"what"`
		At   int64  `json:"at"`
		Text string `json:"text"`
	}
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return nil, fmt.Errorf("reading alarms: %w", err)
	}
	var list []enroll.Alarm
	for _, r := range rows {
		list = append(list, enroll.Alarm{What: r.What, At: fromMillis(r.At), Text: r.Text})
	}
	return list, nil
}

// alarm raises an alarm of a device, and logs it. While one of the same what is open it
// does neither.
func (t *tx) alarm(device enroll.Device, what, text string) error {
	result, err := t.change(`INSERT INTO alarm (device_id, what, at_ms, text) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING`,
		int64(device.ID), what, millis(t.db.now()), text)
	if err != nil {
		return err
	}
	raised, err := result.RowsAffected()
	if err == nil && raised > 0 {
		t.db.cfg.Log.Warn("alarm", "serial", device.Serial, "what", what, "text", text)
	}
	return err
}

// endAlarms ends the alarms of a device that are open: those of these names, or all if
// none is named.
func (t *tx) endAlarms(device enroll.Device, whats ...string) error {
	names, err := json.Marshal(whats)
	if err != nil {
		return err
	}
	_, err = t.change(`UPDATE alarm SET ended_ms = ?2 WHERE device_id = ?1 AND ended_ms = 0
		AND (?3 = 'null' OR what IN (SELECT value FROM json_each(?3)))`, int64(device.ID), millis(t.db.now()), string(names))
	return err
}

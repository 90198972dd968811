package callback_test

import (
	"strings"
	"testing"

	"github.com/fingerpost/fingerpost/callback"
)

func TestAcknowledges_Status(t *testing.T) {
	tests := []struct {
		status         int
		documented, ok bool // by AckStatus, by Ack2xx
	}{
		{200, true, true}, {201, true, true}, {202, false, true}, {204, false, true}, {299, false, true},
		{199, false, false}, {300, false, false}, {301, false, false}, {404, false, false}, {500, false, false}, {0, false, false},
	}
	for _, tt := range tests {
		for rule, want := range map[callback.Ack]bool{
			"": tt.documented, callback.AckStatus: tt.documented, callback.Ack2xx: tt.ok, "never": false,
		} {
			if got := callback.Acknowledges(rule, tt.status, []byte(`{"status":"error"}`)); got != want {
				t.Errorf("status %d by rule %q: got %v, want %v", tt.status, rule, got, want)
			}
		}
	}
	if callback.Acknowledges(callback.AckBody, 202, []byte("done")) || callback.Acknowledges(callback.AckBody, 500, []byte("done")) {
		t.Error("rule body: got true for a status other than 200 and 201")
	}
}

func TestAnswers(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	tests := []struct {
		name, body     string
		acks, doubtful bool
	}{
		{"as documented", `{"status":"done"}`, true, false},
		{"as documented, ok", `{"status":"ok"}`, true, false},
		{"as the documentation prints it", ` { status:"done"}`, true, false},
		{"other case", `{"Status":"OK"}`, true, false},
		{"with more fields", `{"StatusCode":0,"Status":"done","OperationID":""}`, true, false},
		{"one as text", `{"status":"1"}`, true, false},
		{"one as number", `{"status":1}`, true, false},
		{"wrapped in message", `{"message":{"status":"done"}}`, true, false},
		{"message itself", `{"message":"Done"}`, true, false},
		{"plain word", "done\r\n", true, false},
		{"plain word in capitals", "OK", true, false},
		{"plain number", "1", true, false},
		{"JSON text", `"ok"`, true, false},
		{"behind a byte order mark", "\ufeff{\"status\":\"done\"}", true, false},

		{"success is well, but not done", `{"success":true}`, false, false},
		{"success with a message", `{"success":true,"message":"Employee saved"}`, false, false},
		{"success as text", `{"success":"1"}`, false, false},
		{"success as status", `{"status":"Success"}`, false, false},
		{"success as a plain word", `success`, false, false},

		{"done without success", `{"status":"done","success":false}`, true, true},
		{"success with an error", `{"success":true,"status":"error"}`, false, true},
		{"an error", `{"status":"error","message":"ok"}`, false, true},
		{"true is no word", `{"status":true}`, false, true},
		{"status in a list", `{"status":["done"]}`, false, true},
		{"a message about something", `{"message":{"id":1}}`, false, true},
		{"a message of null", `{"message":null}`, false, true},
		{"a message that is a list", `{"message":["ok"]}`, false, true},
		{"empty object", `{}`, false, true},
		{"null", `null`, false, true},
		{"list", `["done"]`, false, true},
		{"nothing", ``, false, true},
		{"HTML", `<!DOCTYPE html><html><body>done</body></html>`, false, true},
		{"cut JSON", `{"status":"done"`, false, true},
		{"a sentence", `done with errors`, false, true},
		{"long status", `{"status":"` + long + `"}`, false, true},
		{"long text", long, false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := callback.Acknowledges(callback.AckBody, 201, []byte(tt.body)); got != tt.acks {
				t.Errorf("Acknowledges: got %v, want %v", got, tt.acks)
			}
			if got := callback.Doubtful(200, []byte(tt.body)); got != tt.doubtful {
				t.Errorf("Doubtful: got %v, want %v", got, tt.doubtful)
			}
			if callback.Doubtful(500, []byte(tt.body)) || callback.Doubtful(204, []byte(tt.body)) {
				t.Error("Doubtful: got true for 500 or 204, want false")
			}
		})
	}
}

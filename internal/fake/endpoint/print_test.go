package endpoint_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/callback"
	"github.com/fingerpost/fingerpost/internal/fake/endpoint"
)

func TestPrint(t *testing.T) {
	t.Parallel()
	at := time.Date(2020, 9, 17, 15, 33, 38, 0, time.FixedZone("", 5*3600+1800))
	base := endpoint.Received{At: noon, StgID: "ST-1", OperationID: "k3j2h1g4f5d6", Sequence: 3, Attempt: 2, Status: 200,
		SignatureErr: callback.ErrUnsigned}
	user := func(u callback.UserUpdated) callback.Callback {
		return callback.Callback{User: &u, AuthToken: "topsecret", OperationTime: at}
	}
	tests := []struct {
		name   string
		change func(*endpoint.Received)
		want   string
	}{
		{"password and card are masked", func(r *endpoint.Received) {
			r.Callback = user(callback.UserUpdated{UserID: "8", FirstName: "ALOK SINGH", UserType: "User", Template: []callback.Template{
				{Type: callback.Password, Data: "124445"}, {Type: callback.Card, Data: "1232522435"}, {Type: callback.Password, Data: "12"},
			}})
			r.SignatureErr = nil
		}, "12:00:00.000  stgid ST-1  UserUpdated  user 8  ALOK SINGH  User\n" +
			"    Password ****45\n    Card ********35\n    Password **\n" +
			"    operation time 2020-09-17 15:33:38 GMT +0530\n" +
			"    operation k3j2h1g4f5d6, sequence 3, attempt 2\n" +
			"    token ok, signature ok, answered 200\n"},
		{"templates and photos are cut", func(r *endpoint.Received) {
			long := callback.Masked("SjNTUzIx" + strings.Repeat("A", 1168))
			r.Callback = user(callback.UserUpdated{UserID: "8", Photo: &callback.Photo{Data: long},
				Template: []callback.Template{{Type: callback.Fingerprint, Index: "6", Data: long}}})
			r.TokenErr = endpoint.ErrToken
			r.Header = http.Header{"Webhook-Signature": {"v1,x"}}
			r.SignatureErr = callback.ErrSignature
			r.Status = 0
		}, "12:00:00.000  stgid ST-1  UserUpdated  user 8  -\n" +
			"    Photo SjNTUzIxAAAAAAAAAAAAAAAA… (1176 characters)\n" +
			"    Fingerprint 6 SjNTUzIxAAAAAAAAAAAAAAAA… (1176 characters)\n" +
			"    operation time 2020-09-17 15:33:38 GMT +0530\n" +
			"    operation k3j2h1g4f5d6, sequence 3, attempt 2\n" +
			"    token WRONG, signature WRONG, not answered\n"},
		{"nothing in it breaks a line", func(r *endpoint.Received) {
			r.StgID, r.OperationID = "", "a\nb"
			r.Callback = callback.Callback{Deleted: &callback.UserDeleted{UserID: "8\x1b[2J"}}
			r.TokenErr, r.SignatureErr = endpoint.ErrToken, endpoint.ErrNotChecked
			r.Header = http.Header{"Webhook-Signature": {"v1,x"}}
		}, "12:00:00.000  stgid -  UserDeleted  user 8?[2J\n" +
			"    operation a?b, sequence 3, attempt 2\n" +
			"    token ABSENT, signature not checked, answered 200\n"},
		{"a punch", func(r *endpoint.Received) {
			r.Callback = callback.Callback{Punch: &callback.PunchLog{UserID: "7", Direction: "CheckIn"}, OperationTime: at, ZoneUnknown: true}
			r.TokenErr = endpoint.ErrNotChecked
			r.Header = http.Header{"Webhook-Signature": {"v1,x"}}
			r.SignatureErr = callback.ErrStale
		}, "12:00:00.000  stgid ST-1  PunchLog  user 7  CheckIn by -\n" +
			"    operation time 2020-09-17 15:33:38\n" +
			"    operation k3j2h1g4f5d6, sequence 3, attempt 2\n" +
			"    token not checked, signature WRONG: timestamp too far from now, answered 200\n"},
		{"a removed credential", func(r *endpoint.Received) {
			r.Callback = callback.Callback{Removed: &callback.CredentialRemoved{UserID: "7", Type: callback.Fingerprint, Index: "6"}}
		}, "12:00:00.000  stgid ST-1  CredentialRemoved  user 7  Fingerprint 6\n" +
			"    operation k3j2h1g4f5d6, sequence 3, attempt 2\n" +
			"    token ok, signature absent, answered 200\n"},
		{"no callback", func(r *endpoint.Received) {
			_, r.ParseErr = callback.Parse([]byte("{}"))
		}, "12:00:00.000  stgid ST-1  not a callback: callback: RealTime: want an object\n" +
			"    operation k3j2h1g4f5d6, sequence 3, attempt 2\n" +
			"    token ok, signature absent, answered 200\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := base
			tt.change(&r)
			var b strings.Builder
			if err := endpoint.Print(&b, r); err != nil {
				t.Fatal(err)
			}
			if got := b.String(); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			if strings.Contains(b.String(), "topsecret") {
				t.Error("got the token printed, want it not")
			}
		})
	}
}

func TestCutBody(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("A", 30)
	tests := []struct{ name, body, want string }{
		{"short Data stays", `{"Data":"124445"}`, `{"Data":"124445"}`},
		{"Data of 24 characters stays", `{"Data":"` + long[:24] + `"}`, `{"Data":"` + long[:24] + `"}`},
		{"long Data is cut", `{"Template":[{"Type":"Face","Data":"` + long + `","Size":"30"}]}`,
			`{"Template":[{"Type":"Face","Data":"` + long[:24] + `…","Size":"30"}]}`},
		{"every one", `{"Photo":{"Data":"` + long + `"},"Template":[{"Data":"` + long + `"}]}`,
			`{"Photo":{"Data":"` + long[:24] + `…"},"Template":[{"Data":"` + long[:24] + `…"}]}`},
		{"all else stays to the letter", "{ \"x\" : \"" + long + "\",\n\"n\":1.50e2, \"Data\" : \"" + long + "\" }\n",
			"{ \"x\" : \"" + long + "\",\n\"n\":1.50e2, \"Data\" : \"" + long[:24] + "…\" }\n"},
		{"only values of Data", `{"Data":["` + long + `",{"Data":1},"` + long + `"],"a":"Data","b":"` + long + `"}`,
			`{"Data":["` + long + `",{"Data":1},"` + long + `"],"a":"Data","b":"` + long + `"}`},
		{"escapes stay whole", `{"Data":"` + long[:23] + `\"` + long + `"}`, `{"Data":"` + long[:23] + `\"…"}`},
		{"long escapes too", `{"Data":"` + long[:23] + `\u00e9` + long + `"}`, `{"Data":"` + long[:23] + `\u00e9…"}`},
		{"characters too", `{"Data":"` + long[:23] + `é` + long + `"}`, `{"Data":"` + long[:23] + `é…"}`},
		{"what breaks stays", `{"Data":"` + long + `", oops "Data":"` + long + `"`,
			`{"Data":"` + long[:24] + `…", oops "Data":"` + long + `"`},
		{"nothing", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(endpoint.CutBody([]byte(tt.body))); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

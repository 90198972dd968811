package callback_test

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/callback"
)

func TestParse_Documented(t *testing.T) {
	download := time.Date(2025, 4, 29, 5, 43, 4, 474e6, time.UTC)
	no := false
	tests := []struct {
		file string
		want callback.Callback
	}{
		{"niya_password", callback.Callback{
			User: &callback.UserUpdated{UserID: "8", UserType: "User",
				Template: []callback.Template{{Type: callback.Password, Data: "124445"}}},
			OperationID: "h2v0m9x8r4ta", OperationTime: time.Date(2020, 9, 17, 15, 33, 38, 0, kolkata()), DownloadedAt: download}},
		{"niya_card", callback.Callback{
			User: &callback.UserUpdated{UserID: "8", UserType: "User",
				Template: []callback.Template{{Type: callback.Card, Data: "1232522435"}}},
			OperationID: "q7z1n5e3k8wb", OperationTime: time.Date(2020, 9, 17, 15, 33, 38, 0, kolkata()), DownloadedAt: download}},
		{"niya_punch", callback.Callback{
			Punch:       &callback.PunchLog{UserID: "259623", Status: 0, Verify: 8, Direction: "CheckIn", Method: "Others"},
			OperationID: "e8p4d0s7y1mf", OperationTime: time.Date(2025, 4, 16, 10, 45, 22, 0, time.UTC), ZoneUnknown: true,
			DownloadedAt: time.Date(2025, 4, 16, 5, 15, 24, 106e6, time.UTC)}},
		{"cams_punch", callback.Callback{
			Punch: &callback.PunchLog{UserID: "2", Status: 1, Verify: 1, Direction: "CheckOut", Method: "Fingerprint",
				Temperature: "36.8", FaceMask: &no},
			OperationID: "r5t9a2k0c6xw", SerialNumber: "AB12345678", LabelName: "Main gate",
			OperationTime: time.Date(2020, 9, 17, 7, 48, 22, 0, kolkata())}},
		{"cams_deleted", callback.Callback{
			Deleted:     &callback.UserDeleted{UserID: "10"},
			OperationID: "b1n6o8g3i7qe", SerialNumber: "AB12345678", LabelName: "Main gate",
			OperationTime: time.Date(2020, 9, 17, 2, 18, 22, 0, time.UTC)}},
		{"minop_punch", callback.Callback{
			Punch: &callback.PunchLog{UserID: "EMP_001", Status: 0, Verify: 15, Direction: "CheckIn", Method: "Face",
				Temperature: "36.5", FaceMask: &no},
			OperationID: "z4l2v7h5u9jo", OperationTime: time.Date(2026, 1, 8, 11, 9, 9, 0, time.UTC)}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			got, err := callback.Parse(sample(t, "documented/"+tt.file+".json"))
			if err != nil {
				t.Fatal(err)
			}
			tt.want.AuthToken = "kN4uW0qZ7sTz2pXe"
			if !same(got, tt.want) {
				t.Errorf("got %+v %+v %+v, want %+v %+v %+v", got, got.User, got.Punch, tt.want, tt.want.User, tt.want.Punch)
			}
		})
	}
}

func TestParse_DocumentedTemplates(t *testing.T) {
	tests := []struct {
		file, userID, index, begins string
		kind                        callback.Type
	}{
		{"niya_fingerprint", "2", "6", "SjNTUzIx", callback.Fingerprint}, // base64 of J3SS21
		{"niya_face_2020", "2", "0", "/9j/", callback.Face},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			c, err := callback.Parse(sample(t, "documented/"+tt.file+".json"))
			if err != nil {
				t.Fatal(err)
			}
			if len(c.User.Template) != 1 {
				t.Fatalf("got %d templates, want 1", len(c.User.Template))
			}
			got := c.User.Template[0]
			if c.User.UserID != tt.userID || got.Type != tt.kind || got.Index != tt.index || !strings.HasPrefix(string(got.Data), tt.begins) {
				t.Errorf("got user %q, %+v, want %+v", c.User.UserID, got, tt)
			}
		})
	}
	t.Run("niya_photo", func(t *testing.T) {
		c, err := callback.Parse(sample(t, "documented/niya_photo.json"))
		if err != nil {
			t.Fatal(err)
		}
		if c.User.UserID != "3" || c.User.Photo == nil || !strings.HasPrefix(string(c.User.Photo.Data), "/9j/") || c.User.Template != nil {
			t.Errorf("got %+v, want user 3 with a JPEG and no template", c.User)
		}
	})
}

// describe prints what the tests on tolerance look at.
func describe(c callback.Callback) string {
	at := "unknown"
	if !c.OperationTime.IsZero() {
		at = c.OperationTime.Format(time.RFC3339)
	}
	switch {
	case c.Punch != nil:
		p := c.Punch
		mask := "untold"
		if p.FaceMask != nil {
			mask = fmt.Sprint(*p.FaceMask)
		}
		return fmt.Sprintf("punch %s status %d %s verify %d %s %q mask %s at %s",
			p.UserID, p.Status, p.Direction, p.Verify, p.Method, p.Temperature, mask, at)
	case c.Deleted != nil:
		return fmt.Sprintf("deleted %s at %s", c.Deleted.UserID, at)
	case c.Removed != nil:
		return fmt.Sprintf("removed %s %s %q at %s", c.Removed.UserID, c.Removed.Type, c.Removed.Index, at)
	}
	text := fmt.Sprintf("user %s %q %q at %s", c.User.UserID, c.User.FirstName, c.User.UserType, at)
	for _, t := range c.User.Template {
		text += fmt.Sprintf(" %s %q %s", t.Type, t.Index, string(t.Data))
	}
	if c.User.Photo != nil {
		text += " photo " + string(c.User.Photo.Data)
	}
	return text
}

func TestParse_Tolerates(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"a photo with UserId", `{"RealTime":{"UserUpdated":{"Photo":{"Type":"Base64","UserId":"07","Data":"QUJD"}}}}`,
			`user 07 "" "" at unknown photo QUJD`},
		{"the id at the top first, then the template's", `{"RealTime":{"UserUpdated":{"UserID":null,"Template":[{"Type":"Card","UserID":4,"Data":9}],"Photo":{"UserID":5,"Data":"QUJD"}}}}`,
			`user 4 "" "" at unknown Card "" 9 photo QUJD`},
		{"numbers for strings", `{"RealTime":{"UserUpdated":{"UserID":8,"FirstName":12,"Template":[{"Type":"Fingerprint","Index":6,"Size":1176,"Data":124445}]}}}`,
			`user 8 "12" "" at unknown Fingerprint "6" 124445`},
		{"large numbers to the digit", `{"RealTime":{"UserUpdated":{"UserID":90071992547409931234567}}}`,
			`user 90071992547409931234567 "" "" at unknown`},
		{"types in any case", `{"RealTime":{"UserUpdated":{"UserID":"1","UserType":"ADMIN","Template":[{"Type":"FingerPrint"},{"Type":"PALM"},{"Type":"Iris"}]}}}`,
			`user 1 "" "Admin" at unknown Fingerprint ""  Palm "" ` + ` Iris "" `},
		{"null where an object or list may be", `{"RealTime":{"UserUpdated":{"UserID":"1","Photo":null,"Template":null},"PunchLog":null}}`,
			`user 1 "" "" at unknown`},
		{"unknown keys", `{"x":{},"RealTime":{"y":[1],"UserDeleted":{"z":null,"UserID":"1"}}}`, `deleted 1 at unknown`},
		{"codes in strings", `{"RealTime":{"PunchLog":{"UserId":"1","Type":"15","InputType":"1","FaceMask":"true"}}}`,
			`punch 1 status 1 CheckOut verify 15 Face "" mask true at unknown`},
		{"codes beyond the words", `{"RealTime":{"PunchLog":{"UserId":"1","Type":200,"InputType":255}}}`,
			`punch 1 status 255  verify 200 Others "" mask untold at unknown`},
		{"words in any case", `{"RealTime":{"PunchLog":{"UserId":"1","Type":"overtimein","InputType":"card","Temperature":null}}}`,
			`punch 1 status 4 OverTimeIn verify 2 Card "" mask untold at unknown`},
		{"words without a code", `{"RealTime":{"PunchLog":{"UserId":"1","Type":"MealIn","InputType":"others","FaceMask":1}}}`,
			`punch 1 status -1 MealIn verify -1 Others "" mask true at unknown`},
		{"words of nobody", `{"RealTime":{"PunchLog":{"UserId":"1","Type":"Nap","InputType":"Voice"}}}`,
			`punch 1 status -1 Nap verify -1 Voice "" mask untold at unknown`},
		{"a punch of user and time alone", `{"RealTime":{"PunchLog":{"UserId":"1","LogTime":"2026-01-08T11:09:09"}}}`,
			`punch 1 status -1  verify -1  "" mask untold at 2026-01-08T11:09:09Z`},
		{"Time where OperationTime is missing", `{"RealTime":{"UserDeleted":{"UserID":"1"},"Time":"2020-09-17 10:03:38 GMT +0000"}}`,
			`deleted 1 at 2020-09-17T10:03:38Z`},
		{"a removed credential", `{"RealTime":{"CredentialRemoved":{"UserID":"1","Type":"face","OperationTime":"2026-01-08T11:09:09+05:30"}}}`,
			`removed 1 Face "" at 2026-01-08T11:09:09+05:30`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := callback.Parse([]byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if got := describe(c); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestParse_Times(t *testing.T) {
	tests := []struct{ text, want string }{
		{`"2020-09-17 12:48:28 GMT +0530"`, "2020-09-17T12:48:28+05:30"},
		{`"2020-09-17 12:48:28 GMT -0330"`, "2020-09-17T12:48:28-03:30"},
		{`"2020-09-17 12:48:28 GMT +0000"`, "2020-09-17T12:48:28Z"},
		{`"2020-09-17 12:48:28 GMT +05:30"`, "2020-09-17T12:48:28+05:30"},
		{`"2020-09-17T12:48:28Z"`, "2020-09-17T12:48:28Z"},
		{`"2020-09-17T12:48:28.999+05:30"`, "2020-09-17T12:48:28+05:30"},
		{`"2020-09-17 12:48:28"`, "2020-09-17T12:48:28Z without a zone"},
		{`"2020-09-17T12:48:28"`, "2020-09-17T12:48:28Z without a zone"},
		{`""`, "0001-01-01T00:00:00Z"},
		{`null`, "0001-01-01T00:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			c, err := callback.Parse([]byte(`{"RealTime":{"UserDeleted":{"UserID":"1","OperationTime":` + tt.text + `}}}`))
			if err != nil {
				t.Fatal(err)
			}
			got := c.OperationTime.Format(time.RFC3339)
			if c.ZoneUnknown {
				got += " without a zone"
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestParse_RootCopies(t *testing.T) {
	c, err := callback.Parse([]byte(`{"OperationID":"a","AuthToken":"b","RealTime":{"UserDeleted":{"UserID":"1"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if c.OperationID != "a" || c.AuthToken != "b" {
		t.Errorf("got %q and %d bytes of token, want those of the root", c.OperationID, len(c.AuthToken))
	}
	c, err = callback.Parse([]byte(`{"OperationID":"a","AuthToken":"b","RealTime":{"OperationID":"c","AuthToken":"d","UserDeleted":{"UserID":"1"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if c.OperationID != "c" || c.AuthToken != "d" {
		t.Errorf("got %q and %d bytes of token, want those of RealTime", c.OperationID, len(c.AuthToken))
	}
}

// Each body carries 987654321 where a credential or the wrong value stands: no error
// may repeat it.
func TestParse_Errors(t *testing.T) {
	tests := []struct{ name, body, field string }{
		{"no JSON", `987654321 {`, "body"},
		{"cut short", `{"RealTime":{"UserUpdated":{"UserID":"1","Template":[{"Type":"Card","Data":"987654321`, "body"},
		{"not an object", `987654321`, "body"},
		{"something behind it", `{"RealTime":{"UserDeleted":{"UserID":"1"}}} 987654321`, "body"},
		{"no RealTime", `{"AuthToken":"987654321"}`, "RealTime"},
		{"RealTime is a number", `{"RealTime":987654321}`, "RealTime"},
		{"no kind", `{"RealTime":{"AuthToken":"987654321"}}`, "RealTime"},
		{"two kinds", `{"RealTime":{"UserDeleted":{"UserID":"987654321"},"PunchLog":{"UserId":1}}}`, "RealTime"},
		{"no user id", `{"RealTime":{"UserUpdated":{"Template":[{"Type":"Card","Data":"987654321"}]}}}`, "RealTime.UserUpdated.UserID"},
		{"no user id in a punch", `{"RealTime":{"PunchLog":{"LogTime":null}}}`, "RealTime.PunchLog.UserId"},
		{"a kind is text", `{"RealTime":{"UserUpdated":"987654321"}}`, "RealTime.UserUpdated"},
		{"the template list is an object", `{"RealTime":{"UserUpdated":{"UserID":1,"Template":{"Data":987654321}}}}`, "RealTime.UserUpdated.Template"},
		{"a template is a number", `{"RealTime":{"UserUpdated":{"UserID":1,"Template":[987654321]}}}`, "RealTime.UserUpdated.Template"},
		{"a template without type", `{"RealTime":{"UserUpdated":{"UserID":1,"Template":[{"Type":"Card"},{"Data":"987654321"}]}}}`, "RealTime.UserUpdated.Template[1].Type"},
		{"a name is a list", `{"RealTime":{"UserUpdated":{"UserID":1,"FirstName":[987654321]}}}`, "RealTime.UserUpdated.FirstName"},
		{"data is a boolean", `{"RealTime":{"UserUpdated":{"UserID":1,"Photo":{"Data":true}}}}`, "RealTime.UserUpdated.Photo.Data"},
		{"a time of no form", `{"RealTime":{"UserDeleted":{"UserID":1,"OperationTime":"987654321"}}}`, "RealTime.UserDeleted.OperationTime"},
		{"a time that is a number", `{"RealTime":{"PunchLog":{"UserId":1,"LogTime":987654321}}}`, "RealTime.PunchLog.LogTime"},
		{"a date that no calendar has", `{"RealTime":{"PunchLog":{"UserId":1,"LogTime":"2025-02-30 10:00:00"}}}`, "RealTime.PunchLog.LogTime"},
		{"a code that is a fraction", `{"RealTime":{"PunchLog":{"UserId":1,"Type":987654321.5}}}`, "RealTime.PunchLog.Type"},
		{"a mask that is a word", `{"RealTime":{"PunchLog":{"UserId":1,"FaceMask":"987654321"}}}`, "RealTime.PunchLog.FaceMask"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := callback.Parse([]byte(tt.body))
			wrong, ok := errors.AsType[*callback.FieldError](err)
			if !ok {
				t.Fatalf("got %v, want a FieldError", err)
			}
			if wrong.Field != tt.field {
				t.Errorf("got field %q, want %q", wrong.Field, tt.field)
			}
			if strings.Contains(err.Error(), "987654321") {
				t.Errorf("got %q, want no part of the body", err)
			}
		})
	}
}

func TestMasked(t *testing.T) {
	c := withTemplate(callback.Template{Type: callback.Password, Data: "hunter2hunter2"})
	c.AuthToken = "hunter2"
	var text strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		fmt.Fprintf(&text, verb+"\n", c.AuthToken)
		fmt.Fprintf(&text, verb+"\n", c.User.Template)
	}
	slog.New(slog.NewJSONHandler(&text, nil)).Info("x", "callback", c, "token", c.AuthToken)
	if strings.Contains(text.String(), "hunter2") || strings.Contains(text.String(), fmt.Sprintf("%x", "hunter2")) {
		t.Errorf("got %s, want no secret", text.String())
	}
	if want := "(14 bytes)"; !strings.Contains(text.String(), want) {
		t.Errorf("got %s, want %q", text.String(), want)
	}
}

// survivor is what is left of c after a body of dialect niya with times in style gmt.
func survivor(c callback.Callback) callback.Callback {
	c.ZoneUnknown = false
	if c.User != nil && c.User.UserType == "" {
		u := *c.User
		u.UserType = callback.RoleUser
		c.User = &u
	}
	if c.Punch != nil {
		p := *c.Punch
		p.FaceMask = nil
		c.Punch = &p
	}
	return c
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		c := randomCallback(rnd)
		o := callback.Options{
			UserIDs:      []callback.UserIDs{"", callback.AsNumber, callback.AsString}[rnd.IntN(3)],
			Times:        []callback.Times{callback.GMT, callback.ISO}[rnd.IntN(2)],
			DeviceFields: true,
			RootCopies:   rnd.IntN(2) == 0,
		}
		body, err := c.Encode(o)
		if err != nil {
			t.Fatal(err)
		}
		got, err := callback.Parse(body)
		if err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		if want := survivor(c); !same(got, want) {
			t.Fatalf("%s\n got %+v\nwant %+v", body, got, want)
		}
	}
}

func randomCallback(rnd *rand.Rand) callback.Callback {
	words := []string{"", "8", "007", "EMP_001", "9007199254740993", "<&>\"\\/\x00\x1f\n\u2028日本", "QUJDREVGR0hJSktM", "null"}
	pick := func(from ...string) string { return from[rnd.IntN(len(from))] }
	id := pick(words[1:]...)
	c := callback.Callback{
		OperationID:   pick(words...),
		AuthToken:     callback.Masked(pick(words...)),
		SerialNumber:  pick(words...),
		LabelName:     pick(words...),
		OperationTime: time.Unix(rnd.Int64N(4e9)-1e9, 0).In(time.FixedZone("", 900*(rnd.IntN(105)-48))),
		DownloadedAt:  time.UnixMilli(rnd.Int64N(4e12)).UTC(),
	}
	if rnd.IntN(5) == 0 {
		c.OperationTime = time.Time{}
	}
	switch rnd.IntN(4) {
	case 0:
		c.Deleted = &callback.UserDeleted{UserID: id}
	case 1:
		directions := []string{"CheckIn", "CheckOut", "BreakOut", "BreakIn", "OverTimeIn", "OverTimeOut", ""}
		methods := map[int]string{0: "Password", 1: "Fingerprint", 2: "Card", 3: "Password", 4: "Card", 15: "Face", 25: "Palm"}
		p := &callback.PunchLog{UserID: id, Status: rnd.IntN(7), Verify: rnd.IntN(30), Temperature: pick(words...), Method: "Others"}
		p.Direction = directions[p.Status]
		if method, ok := methods[p.Verify]; ok {
			p.Method = method
		}
		c.Punch = p
	default:
		c.User = &callback.UserUpdated{UserID: id, FirstName: pick(words...), LastName: pick(words...), UserType: pick("", "User", "Admin")}
		for range rnd.IntN(3) {
			kind := callback.Type(pick("Fingerprint", "Face", "Palm", "Card", "Password"))
			c.User.Template = append(c.User.Template, callback.Template{Type: kind, Index: pick("", "1"), Data: callback.Masked(pick(words...))})
		}
		if rnd.IntN(2) == 0 {
			c.User.Photo = &callback.Photo{Data: callback.Masked(pick(words...))}
		}
	}
	return c
}

// FuzzParse checks that no body makes Parse panic, and that what it understood and
// niya can express is understood the same after encoding.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds in testdata: %v", err)
	}
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := callback.Parse(body)
		if err != nil {
			if _, ok := errors.AsType[*callback.FieldError](err); !ok {
				t.Errorf("got %T, want a FieldError", err)
			}
			return
		}
		again, err := c.Encode(callback.Options{Times: callback.GMT, DeviceFields: true})
		if errors.Is(err, callback.ErrNotExpressible) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := callback.Parse(again)
		if err != nil {
			t.Fatalf("%v in %s", err, again)
		}
		if want := survivor(c); !same(got, want) {
			t.Errorf("%s\nthen %s\n got %+v\nwant %+v", body, again, got, want)
		}
	})
}

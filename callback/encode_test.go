package callback_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/callback"
)

var update = flag.Bool("update", false, "write golden files instead of comparing")

type golden struct {
	callback callback.Callback
	options  callback.Options
}

func goldens() map[string]golden {
	warm := punch()
	warm.Punch.Temperature = "36.8"
	badge := withTemplate(callback.Template{Type: callback.Card, Data: "1232522435"})
	badge.User.UserType = callback.RoleAdmin
	secondCard := withTemplate(callback.Template{Type: callback.Card, Index: "1", Data: "77"})
	faceRows := withTemplate(callback.Template{Type: callback.Face, Index: "0", Data: finger},
		callback.Template{Type: callback.Face, Index: "1", Data: finger})
	named := user()
	named.User.FirstName, named.User.LastName = "Zoë <R&D> \"Z\" \\ \u65e5\u672c\n", "O'Neil\x01\xff"
	labelled := user()
	labelled.SerialNumber, labelled.LabelName = "AB12345678", "Main gate"
	password := callback.Template{Type: callback.Password, Data: "124445"}
	print6 := callback.Template{Type: callback.Fingerprint, Index: "6", Data: finger}

	return map[string]golden{
		"niya_user":              {callback: user()},
		"niya_user_escaped":      {callback: named},
		"niya_password":          {callback: withTemplate(password)},
		"niya_card":              {callback: badge},
		"niya_second_card":       {callback: secondCard},
		"niya_fingerprint":       {callback: withTemplate(print6)},
		"niya_palm":              {callback: withTemplate(callback.Template{Type: callback.Palm, Index: "1", Data: finger})},
		"niya_face":              {callback: faceRows},
		"niya_face_jpeg":         {callback: withTemplate(callback.Template{Type: callback.Face, Index: "0", Data: jpeg})},
		"niya_photo":             {callback: withPhoto()},
		"niya_photo_id_is_text":  {callback: withUserID(withPhoto(), "008")},
		"niya_time_unknown":      {callback: unknownTime(withTemplate(print6))},
		"niya_punch":             {callback: punch()},
		"niya_punch_temperature": {callback: warm},
		"niya_deleted":           {callback: deleted()},

		"niya_user_id_number":       {withTemplate(print6), callback.Options{UserIDs: callback.AsNumber}},
		"niya_user_id_string":       {withPhoto(), callback.Options{UserIDs: callback.AsString}},
		"niya_punch_user_id_string": {punch(), callback.Options{UserIDs: callback.AsString}},
		"niya_times_plain":          {user(), callback.Options{Times: callback.Plain}},
		"niya_times_iso":            {user(), callback.Options{Times: callback.ISO}},
		"niya_punch_times_gmt":      {punch(), callback.Options{Times: callback.GMT}},
		"niya_device_fields":        {labelled, callback.Options{DeviceFields: true, RootCopies: true}},
	}
}

// The golden files are the public wire format. A diff here breaks receivers: change
// one only with a note in CHANGELOG.md.
func TestEncode_Golden(t *testing.T) {
	for name, g := range goldens() {
		t.Run(name, func(t *testing.T) {
			got, err := g.callback.Encode(g.options)
			if err != nil {
				t.Fatal(err)
			}
			file := "testdata/golden/" + name + ".json"
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s differs; run go test ./callback -update and read the diff\n got %s\nwant %s", file, got, want)
			}
			if !json.Valid(got) {
				t.Errorf("got no JSON: %s", got)
			}
		})
	}
	t.Run("every golden file has its callback", func(t *testing.T) {
		files, err := filepath.Glob("testdata/golden/*.json")
		if err != nil {
			t.Fatal(err)
		}
		if got, want := len(files), len(goldens()); got != want {
			t.Errorf("got %d files, want %d", got, want)
		}
	})
}

func TestParse_Golden(t *testing.T) {
	for name, g := range goldens() {
		t.Run(name, func(t *testing.T) {
			got, err := callback.Parse(sample(t, "golden/"+name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			want := g.callback
			style := g.options.Times
			if style == callback.Plain || style == "" && want.Punch != nil { // the zone is lost
				wall := want.OperationTime
				want.OperationTime = time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, time.UTC)
				want.ZoneUnknown = true
			}
			if want.User != nil {
				want.User.LastName = strings.ToValidUTF8(want.User.LastName, "\ufffd")
			}
			if !same(got, want) {
				t.Errorf("got %+v %+v, want %+v %+v", got, got.User, want, want.User)
			}
		})
	}
}

// Every field of a documented sample comes out with the same name, JSON type and time
// style, and with the same value where it is not ours to derive.
func TestEncode_AsDocumented(t *testing.T) {
	for _, name := range []string{"photo", "fingerprint", "password", "card", "face_2020", "punch"} {
		t.Run(name, func(t *testing.T) {
			body := sample(t, "documented/niya_"+name+".json")
			c, err := callback.Parse(body)
			if err != nil {
				t.Fatal(err)
			}
			if c.OperationTime.IsZero() != (name == "photo") {
				t.Fatalf("got operation time %v", c.OperationTime)
			}
			ours, err := c.Encode(callback.Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got, want any
			if err := errors.Join(json.Unmarshal(ours, &got), json.Unmarshal(body, &want)); err != nil {
				t.Fatal(err)
			}
			compare(t, "", got, want)
		})
	}
}

// compare checks that got has all that is in want. Size depends on Data as sent, and
// Time on OperationTime: in the fingerprint sample the two are different instants.
func compare(t *testing.T, path string, got, want any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s: got %T, want an object", path, got)
		}
		for key, value := range want {
			field, ok := object[key]
			if !ok {
				t.Errorf("%s.%s: got nothing, want %T", path, key, value)
				continue
			}
			compare(t, path+"."+key, field, value)
		}
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			t.Errorf("%s: got %T of %d, want a list of %d", path, got, len(list), len(want))
			return
		}
		for i := range want {
			compare(t, fmt.Sprintf("%s[%d]", path, i), list[i], want[i])
		}
	default:
		if got, want := form(got), form(want); got != want {
			t.Errorf("%s: got form %s, want %s", path, got, want)
		}
		derived := strings.HasSuffix(path, ".Size") || path == ".RealTime.Time"
		if !derived && got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
}

// form names the JSON type of a leaf, and the style of a time.
func form(leaf any) string {
	text, ok := leaf.(string)
	if !ok {
		return fmt.Sprintf("%T", leaf)
	}
	for _, layout := range []string{"2006-01-02 15:04:05 GMT +0000", "2006-01-02 15:04:05 GMT -0700",
		"2006-01-02 15:04:05", "2006-01-02T15:04:05.000Z"} {
		if at, err := time.Parse(layout, text); err == nil && at.Format(layout) == text {
			return layout
		}
	}
	return "string"
}

func TestEncode_UserIDs(t *testing.T) {
	tests := []struct {
		name, id, want string
	}{
		{"a canonical decimal is a number", "3", `3`},
		{"zero is a number", "0", `0`},
		{"the largest exact integer is a number", "9007199254740991", `9007199254740991`},
		{"the next one stays text", "9007199254740992", `"9007199254740992"`},
		{"more digits stay text", "90071992547409910", `"90071992547409910"`},
		{"a leading zero stays text", "007", `"007"`},
		{"letters stay text", "EMP_001", `"EMP_001"`},
		{"a sign stays text", "-5", `"-5"`},
		{"an exponent stays text", "1e3", `"1e3"`},
		{"digits of other scripts stay text", "٣", `"٣"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, o := range []callback.Options{{}, {UserIDs: callback.AsNumber}} {
				got, err := withUserID(withPhoto(), tt.id).Encode(o)
				if err != nil {
					t.Fatal(err)
				}
				if n := bytes.Count(got, []byte(`"UserID":`+tt.want+`,`)); n != 2 {
					t.Errorf("got %s, want UserID %s twice", got, tt.want)
				}
			}
		})
	}
}

func TestEncode_SizeCountsCharacters(t *testing.T) {
	for data, want := range map[callback.Masked]string{
		"":            `"Size":"0"`,
		"AAECAwQFBgc": `"Size":"11"`,
		"größe":       `"Size":"5"`,
		`a"b\c`:       `"Size":"5"`,
	} {
		got, err := withTemplate(callback.Template{Type: callback.Palm, Data: data}).Encode(callback.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(got, []byte(want)) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// Every byte at every place of a word, since text is looked at eight bytes at a time.
func TestEncode_Escapes(t *testing.T) {
	t.Parallel()
	for b := range 256 {
		for at := range 19 {
			name := strings.Repeat("a", at) + string([]byte{byte(b)}) + strings.Repeat("z", 18-at)
			c := user()
			c.User.FirstName = name
			body, err := c.Encode(callback.Options{})
			if err != nil {
				t.Fatal(err)
			}
			got, err := callback.Parse(body)
			if err != nil {
				t.Fatalf("byte %#x at %d: %v", b, at, err)
			}
			if want := strings.ToValidUTF8(name, "\ufffd"); got.User.FirstName != want {
				t.Fatalf("byte %#x at %d: got %q, want %q", b, at, got.User.FirstName, want)
			}
		}
	}
}

func TestAppendJSON(t *testing.T) {
	t.Run("appends, the same bytes each time", func(t *testing.T) {
		first, err := withPhoto().Encode(callback.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := withPhoto().AppendJSON([]byte("before"), callback.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if want := append([]byte("before"), first...); !bytes.Equal(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("the buffer does not grow while it is written", func(t *testing.T) {
		var rows []callback.Template
		for range 15 {
			rows = append(rows, callback.Template{Type: callback.Face, Index: "0", Data: callback.Masked(strings.Repeat("QUJD", 700))})
		}
		c := withTemplate(rows...)
		allocations := testing.AllocsPerRun(10, func() {
			if _, err := c.Encode(callback.Options{}); err != nil {
				t.Fatal(err)
			}
		})
		if allocations > 2 { // one; the race detector makes it two
			t.Errorf("got %v allocations, want at most 2", allocations)
		}
	})
}

func TestEncode_Errors(t *testing.T) {
	removed := user()
	removed.User, removed.Removed = nil, &callback.CredentialRemoved{UserID: "8", Type: callback.Face}
	wordsOnly := punch()
	wordsOnly.Punch.Status = callback.UnknownCode
	both := punch()
	both.User = user().User

	tests := []struct {
		name    string
		c       callback.Callback
		o       callback.Options
		want    string
		refused bool // ErrNotExpressible
	}{
		{"a removed credential has no form in niya", removed, callback.Options{}, `CredentialRemoved in dialect "niya"`, true},
		{"a punch without codes has no form in niya", wordsOnly, callback.Options{}, `PunchLog without codes in dialect "niya"`, true},
		{"a dialect without encoder is named", user(), callback.Options{Dialect: "cams"}, `no encoder for dialect "cams"`, false},
		{"an unknown type of user ids is named", user(), callback.Options{UserIDs: "hex"}, `"hex"`, false},
		{"an unknown style of times is named", user(), callback.Options{Times: "unix"}, `"unix"`, false},
		{"nothing is no callback", callback.Callback{}, callback.Options{}, "exactly one of", false},
		{"two kinds are no callback", both, callback.Options{}, "exactly one of", false},
		{"a user id is needed", withUserID(user(), ""), callback.Options{}, "RealTime.UserUpdated.UserID: want a user id", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.c.AppendJSON([]byte("x"), tt.o)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got error %v, want %q", err, tt.want)
			}
			if errors.Is(err, callback.ErrNotExpressible) != tt.refused {
				t.Errorf("got %v, want ErrNotExpressible %v", err, tt.refused)
			}
			if string(got) != "x" {
				t.Errorf("got %q, want dst as it was", got)
			}
		})
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	fingerprint := withTemplate(callback.Template{Type: callback.Fingerprint, Index: "6",
		Data: callback.Masked(strings.Repeat("QUJD", 512))})
	photo := withPhoto()
	photo.User.Photo.Data = callback.Masked(strings.Repeat("QUJD", 12_500))
	for name, c := range map[string]callback.Callback{"fingerprint 2 KB": fingerprint, "photo 50 KB": photo} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				body, err := c.AppendJSON(buf[:0], callback.Options{})
				if err != nil {
					b.Fatal(err)
				}
				buf = body
			}
			b.SetBytes(int64(len(buf)))
		})
	}
}

package zkpush

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// seedRows adds the recorded bodies of PUSH 3.x, with the kind of their rows.
func seedRows(f *testing.F, add func(kind string, body []byte)) {
	f.Helper()
	for _, c := range captures(f) {
		target, err := url.Parse(c.URL)
		if err != nil {
			f.Fatal(err)
		}
		kind := rowKind(target.Query().Get("tablename"))
		if target.Query().Get("table") == rowEvent {
			kind = rowEvent
		}
		if body := c.body(f); kind != "" {
			add(kind, body[:min(len(body), 600)])
		}
	}
	add(rowUser, []byte("pin=1\tname=A\tcardno=0\nextuser pin=1\tfirstname=A\tlastname=B\nmulcarduser pin=1\tcardno=FF\tcardtype=1"))
	add(rowEvent, []byte("time=832302245\tpin=1\tevent=0\tverifytype=0000000000000010\tindex=1\tmaskflag=1\ttemperature=36.6"))
}

// FuzzParseRows checks that no body of PUSH 3.x makes the parser panic or lose a line,
// and that what is understood survives being written and read again.
func FuzzParseRows(f *testing.F) {
	seedRows(f, func(kind string, body []byte) { f.Add(kind, body) })
	f.Fuzz(func(t *testing.T, table string, body []byte) {
		kind := rowKind(table)
		if kind == "" {
			kind = rowUser
		}
		p, err := parseUpload(kind, "", body)
		if err != nil {
			if !errors.Is(err, errTooLarge) {
				t.Fatal(err)
			}
			return
		}
		if got := len(p.Reports) + p.Silent + p.Joined; got != p.Lines {
			t.Errorf("%d of %d lines are accounted for", got, p.Lines)
		}
		for _, report := range p.Reports {
			line := formatRow(report)
			if line == "" {
				if kept := keptLine(report); kept == "" || !strings.Contains(string(body), kept) && p.Joined == 0 {
					t.Errorf("line %q is not one of the body", kept)
				}
				continue
			}
			again, err := parseUpload(rowUser, "", []byte(line))
			if err != nil || len(again.Reports) != 1 || !reflect.DeepEqual(again.Reports[0], report) {
				t.Errorf("not the same after a round trip:\n got %v\nwant %v", describeList(again.Reports), describe(report))
			}
		}
	})
}

// formatRow writes a report that was understood as a row; "" for one that was not.
func formatRow(report enroll.Report) string {
	field := func(key string, value *string) string {
		if value == nil {
			return ""
		}
		return key + "=" + *value + "\t"
	}
	switch r := report.(type) {
	case enroll.UserReport:
		switch {
		case r.LastName != nil:
			return fmt.Sprintf("extuser pin=%s\t", r.UserID) + field("firstname", r.Name) + field("lastname", r.LastName)
		case r.SecondCard != nil:
			card, ok := new(big.Int).SetString(*r.SecondCard, 10)
			if !ok {
				return "a card that is not decimal"
			}
			return fmt.Sprintf("mulcarduser pin=%s\tcardno=%x\tcardtype=1", r.UserID, card)
		}
		line := fmt.Sprintf("user pin=%s\t", r.UserID) + field("name", r.Name) + field("password", r.Password) + field("cardno", r.Card)
		if r.Privilege != nil {
			line += fmt.Sprintf("privilege=%d\t", *r.Privilege)
		}
		return line
	case enroll.TemplateReport, enroll.PictureReport:
		line, _ := format(report) // the keys of both families are the same but for their case
		return line
	case enroll.PunchReport:
		line := fmt.Sprintf("rtlog time=%s\tpin=%s\tevent=0\tinoutstatus=%d\tverifytype=%d\tindex=%s\ttemperature=%s\t",
			r.Time, r.UserID, r.Status, r.Verify, r.Index, r.Temperature)
		if r.Mask != nil {
			line += map[bool]string{true: "maskflag=1", false: "maskflag=0"}[*r.Mask]
		}
		return line
	}
	return ""
}

// FuzzQueryData checks that an answer which comes in parts, cut anywhere and sent in
// any order, tells the same as the whole.
func FuzzQueryData(f *testing.F) {
	seedRows(f, func(kind string, body []byte) { f.Add(kind, body, uint16(len(body)/2), uint16(7), true) })
	f.Fuzz(func(t *testing.T, table string, body []byte, first, second uint16, backwards bool) {
		kind := rowKind(table)
		if kind == "" {
			kind = rowUser
		}
		a, b := int(first)%(len(body)+1), int(second)%(len(body)+1)
		a, b = min(a, b), max(a, b)
		parts := [][]byte{body[:a], body[a:b], body[b:]}
		order := []int{1, 2, 3}
		if backwards {
			order = []int{3, 1, 2}
		}
		post := func(sink *memory, index, count int, body []byte) {
			t.Helper()
			h, err := New(Config{Sink: sink, Hash: hashForTest})
			if err != nil {
				t.Fatal(err)
			}
			target := fmt.Sprintf("/iclock/querydata?SN=A1&type=tabledata&cmdid=1&tablename=%s&count=9&packcnt=%d&packidx=%d", kind, count, index)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("POST", target, bytes.NewReader(body)))
			if w.Code != http.StatusOK || w.Body.String() != kind+"=9" {
				t.Fatalf("got %d %q, want 200 %s=9", w.Code, w.Body, kind)
			}
		}
		var whole, joined memory
		post(&whole, 1, 1, body)
		for _, index := range order {
			post(&joined, index, 3, parts[index-1])
		}
		if !reflect.DeepEqual(joined.uploads, whole.uploads) {
			t.Errorf("got %v, want %v", joined.uploads, whole.uploads)
		}
	})
}

// FuzzUnpack checks that no body makes unpacking panic or grow beyond its limit, and
// that what was packed comes out.
func FuzzUnpack(f *testing.F) {
	f.Add([]byte(userLine), []byte("FP PIN=1\tFID=6\tTMP=QUJD"))
	f.Add(tgz(f, userLine), gzipped(f, []byte(userLine)))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		for _, body := range [][]byte{one, two, append(bytes.Clone([]byte{0x1f, 0x8b}), one...)} {
			for _, encoding := range []string{"", "gzip"} {
				for _, isTgz := range []bool{false, true} {
					plain, err := unpack(body, encoding, isTgz)
					if err != nil && !errors.Is(err, errTooLarge) && !errors.Is(err, errPacked) {
						t.Errorf("got %v", err)
					}
					if len(plain) > maxUnpacked+len(body) {
						t.Errorf("got %d bytes", len(plain))
					}
				}
			}
		}
		if got, err := unpack(gzipped(t, one), "gzip", false); err != nil || !bytes.Equal(got, one) {
			t.Errorf("gzip: got %q, %v, want %q", got, err, one)
		}
		var want []byte
		for _, file := range [][]byte{one, two} {
			want = append(append(want, bytes.TrimPrefix(file, []byte(bom))...), '\n')
		}
		if got, err := unpack(tgz(t, string(one), string(two)), "", true); err != nil || !bytes.Equal(got, want) {
			t.Errorf("tgz: got %q, %v, want %q", got, err, want)
		}
	})
}

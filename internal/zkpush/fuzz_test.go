package zkpush

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// FuzzParseUpload checks that no body makes the parser panic or lose a line, that
// what is not understood is kept to the letter, and that what is understood survives
// being written and read again.
func FuzzParseUpload(f *testing.F) {
	for _, c := range captures(f) {
		target, err := url.Parse(c.URL)
		if err != nil {
			f.Fatal(err)
		}
		if table := tableKind(target.Query().Get("table")); c.Method == http.MethodPost && table != "" && !target.Query().Has("ContentType") {
			body := c.body(f)
			f.Add(table, "69", body[:min(len(body), 600)])
		}
	}
	f.Add(operlog, "83", []byte(bom+"user PIN=1 Name=\xd5\xc5\xc8 Pri=14\r\nFP PIN=1\tFID=6\tSize=8\tTMP=QUJD\nQUJD\n\x00"))
	f.Add(operlog, "", []byte("OPLOG 13\t0\t2026-09-09 22:30:55\t0\nOPLOG 22\t0\tnever\nOPLOG 24\t1\t2026-09-09 22:30:55\n"))
	f.Add(kindAttlog, "", []byte("PIN=7\tTime=2026-01-02 03:04:05\tMask=1\n7 2026-01-02 03:04:05 0 1"))
	f.Fuzz(func(t *testing.T, table, language string, body []byte) {
		kind := tableKind(table)
		if kind == "" {
			kind = operlog
		}
		p, err := parseUpload(kind, language, body)
		if err != nil {
			if strings.Count(string(body), "\n") < maxLines && strings.Count(string(body), "\r") < maxLines {
				t.Fatal(err)
			}
			return
		}
		if got := len(p.Reports) + p.Silent + p.Joined; got != p.Lines {
			t.Errorf("%d of %d lines are accounted for", got, p.Lines)
		}
		var understood []enroll.Report
		var lines strings.Builder
		for _, report := range p.Reports {
			if line, ok := format(report); ok {
				understood = append(understood, report)
				lines.WriteString(line)
			} else if kept := keptLine(report); kept == "" || !strings.Contains(string(body), kept) && p.Joined == 0 {
				t.Errorf("line %q is not one of the body", kept)
			}
		}
		again, err := parseUpload(operlog, "", []byte(lines.String()))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(again.Reports, understood) {
			t.Errorf("not the same after a round trip:\n got %v\nwant %v", describeList(again.Reports), describeList(understood))
		}
	})
}

// format writes a report that was understood as a line of OPERLOG; every line has a
// tab, so that no blank is taken for one.
func format(report enroll.Report) (string, bool) {
	field := func(key string, value *string) string {
		if value == nil {
			return ""
		}
		return key + "=" + *value + "\t"
	}
	switch r := report.(type) {
	case enroll.UserReport:
		line := fmt.Sprintf("USER PIN=%s\t", r.UserID) + field("Name", r.Name) + field("Passwd", r.Password) +
			field("Card", r.Card) + field("ViceCard", r.SecondCard)
		if r.Privilege != nil {
			line += fmt.Sprintf("Pri=%d\t", *r.Privilege)
		}
		return line + "\n", true
	case enroll.TemplateReport:
		kind := map[enroll.Kinds]int{enroll.Fingerprint: 1, enroll.Face: 9, enroll.Palm: 8}[r.Kind]
		return fmt.Sprintf("BIODATA Pin=%s\tNo=%s\tIndex=%s\tType=%d\tMajorVer=%s\tMinorVer=%s\tTmp=%s\n",
			r.UserID, r.Number, r.Row, kind, r.Algorithm, r.Version, r.Data.Wire()), true
	case enroll.PictureReport:
		kind := map[bool]string{true: "USERPIC", false: "BIOPHOTO"}[r.Secondary]
		return fmt.Sprintf("%s PIN=%s\tContent=%s\n", kind, r.UserID, r.Data.Wire()), true
	case enroll.OperationReport:
		return fmt.Sprintf("OPLOG %d\t%s\t%s\t%s\n", r.Code, r.Operator, r.Time, r.UserID), true
	case enroll.ResetReport:
		for _, code := range []int{13, 22, 24} {
			if losesUsers(code) == r.What {
				return fmt.Sprintf("OPLOG %d\t0\t%s\t0\n", code, r.Time), true
			}
		}
	case enroll.PunchReport:
		line := fmt.Sprintf("ATTLOG PIN=%s\tTime=%s\tStatus=%d\tVerify=%d\tWorkCode=%s\tTemperature=%s\t",
			r.UserID, r.Time, r.Status, r.Verify, r.WorkCode, r.Temperature)
		if r.Mask != nil {
			line += map[bool]string{true: "Mask=1", false: "Mask=0"}[*r.Mask]
		}
		return line + "\n", true
	}
	return "", false
}

func keptLine(report enroll.Report) string {
	switch r := report.(type) {
	case enroll.UnreadReport:
		return string(r.Line)
	case enroll.KeptReport:
		return string(r.Line)
	}
	return ""
}

func describeList(reports []enroll.Report) string {
	var b strings.Builder
	for _, report := range reports {
		b.WriteString(describe(report) + "\n")
	}
	return b.String()
}

// FuzzQuery checks that no query is refused, and that one which the standard library
// accepts means the same.
func FuzzQuery(f *testing.F) {
	for _, c := range captures(f) {
		_, query, _ := strings.Cut(c.URL, "?")
		f.Add(query)
	}
	f.Add("SN=A;B&SN=%zz&+=%20&&=")
	f.Fuzz(func(t *testing.T, raw string) {
		query := parseQuery(raw)
		if len(query) > maxQuery {
			t.Errorf("got %d parameters, want at most %d", len(query), maxQuery)
		}
		values, err := url.ParseQuery(raw)
		if err != nil || len(query) == maxQuery {
			return
		}
		count := 0
		for key, all := range values {
			count += len(all)
			if !query.has(key) {
				t.Errorf("no parameter %q in %q", key, raw)
			}
		}
		if count != len(query) {
			t.Errorf("got %d parameters, want %d", len(query), count)
		}
		for _, p := range query {
			if !slices.Contains(values[p.key], p.value) {
				t.Errorf("parameter %q has a value of its own: %q", p.key, p.value)
			}
		}
	})
}

// BenchmarkParseFingerprint parses a body of one finger, about 2 KB.
func BenchmarkParseFingerprint(b *testing.B) {
	body, err := os.ReadFile("testdata/captures/biopro-sa40/05c-operlog-fp-size1832.body")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if p, err := parseUpload(operlog, "69", body); err != nil || len(p.Reports) != 1 {
			b.Fatal(len(p.Reports), err)
		}
	}
}

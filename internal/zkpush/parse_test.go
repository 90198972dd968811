package zkpush

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// describeAll parses a body and describes what it tells.
func describeAll(t *testing.T, table, language, body string) []string {
	t.Helper()
	p, err := parseUpload(table, language, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if got := len(p.Reports) + p.Silent + p.Joined; got != p.Lines {
		t.Errorf("%d of %d lines are accounted for", got, p.Lines)
	}
	var described []string
	for _, report := range p.Reports {
		described = append(described, describe(report))
	}
	return described
}

// A parseTest is a body and what it tells.
type parseTest struct {
	name, table, body string
	want              []string
}

func runParseTests(t *testing.T, tests []parseTest) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := describeAll(t, tt.table, "69", tt.body); !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// ali is what a user record with an id and a name tells.
const ali = `user "1" name="Ali" last=nil privilege=nil password=nil card=nil second=nil`

func finger(text bool, data string) string {
	return fmt.Sprintf(`template "1" fingerprint number="6" row="" algorithm="" version="" text=%v %q`, text, data)
}

func unread(why, line string) string { return "unread (" + why + ") " + short(enroll.TextData(line)) }

func kept(why, line string) string { return "kept (" + why + ") " + short(enroll.TextData(line)) }

func TestParse_Lines(t *testing.T) {
	t.Parallel()
	runParseTests(t, []parseTest{
		{"lines end with LF", operlog, "USER PIN=1\tName=Ali\nUSER PIN=1\tName=Ali\n", []string{ali, ali}},
		{"lines end with CR LF, the last with nothing", operlog, "USER PIN=1\tName=Ali\r\nUSER PIN=1\tName=Ali", []string{ali, ali}},
		{"lines end with CR alone", operlog, "USER PIN=1\tName=Ali\rUSER PIN=1\tName=Ali\r", []string{ali, ali}},
		{"NUL and blank lines are skipped", operlog, "\x00\n \t\r\n\nUSER PIN=1\tName=Ali\x00\n\x00\x00", []string{ali}},
		{"NUL inside a field is skipped", operlog, "USER PIN=1\x00\x00\tName=Ali\x00", []string{ali}},
		{"a byte order mark is skipped", operlog, bom + "USER PIN=1\tName=Ali", []string{ali}},
		{"a tab at the end", operlog, "USER PIN=1\tName=Ali\t\n", []string{ali}},
		{"kinds and keys in any case", operlog, "user pin=1\tNAME=Ali", []string{ali}},
		{"a tab after the kind", operlog, "USER\tPIN=1\tName=Ali", []string{ali}},
		{"blanks before the kind", operlog, "  USER PIN=1\tName=Ali", []string{ali}},
		{"keys begin with ~", operlog, "USER ~PIN=1\t~Name=Ali", []string{ali}},
		{"the table is the kind of a line without one", kindUser, "PIN=1\tName=Ali", []string{ali}},
		{"the first of two equal keys counts", operlog, "USER PIN=1\tName=Ali\tName=Eve", []string{ali}},
		{"several kinds in one body", operlog, "FP PIN=1\tFID=6\tTMP=QUJD\nUSER PIN=1\tName=Ali\nOPLOG 101\t0\t2026-01-02 03:04:05\t1\t0\t0\t",
			[]string{finger(false, "QUJD"), ali, `operation 101 by "" on "1" at "2026-01-02 03:04:05" explains=fingerprint,face,photo removes=`}},
		{"only the first = splits", operlog, "FP PIN=1\tFID=6\tTMP=QUI=", []string{finger(false, "QUI=")}},
		{"padding that was lost stays lost", operlog, "FP PIN=1\tFID=6\tTMP=QUI", []string{finger(true, "QUI")}},
		{"blanks instead of tabs", operlog, "USER PIN=1 Name=Ali  Pri=14 Passwd=1 2 Card=", []string{
			`user "1" name="Ali" last=nil privilege=14 password="1 2" card="" second=nil`}},
		{"names contain blanks, also before keys when there are tabs", operlog, "USER PIN=1\tName=Ali Card=5 Khan", []string{
			`user "1" name="Ali Card=5 Khan" last=nil privilege=nil password=nil card=nil second=nil`}},
		{"a name of several words in a line with blanks", operlog, "USER PIN=1 Name=Ali bin Khan 2nd=x Pri=0", []string{
			`user "1" name="Ali bin Khan 2nd=x" last=nil privilege=0 password=nil card=nil second=nil`}},
		{"nonsense", operlog, "hello world\nNEWKIND PIN=1\tName=x\nUSER\nUSER " + strings.Repeat("\t", maxFields), []string{
			unread("unknown kind of record", "hello world"), unread("unknown kind of record", "NEWKIND PIN=1\tName=x"), unread("user record without a user id", "USER"),
			"unread (too many fields) " + short(enroll.TextData("USER "+strings.Repeat("\t", maxFields)))}},
		{"too many fields with blanks", operlog, "USER" + strings.Repeat(" A=", maxFields+9), []string{
			"unread (too many fields) " + short(enroll.TextData("USER"+strings.Repeat(" A=", maxFields+9)))}},
		{"a line too long", operlog, "FP PIN=1\tFID=6\tTMP=" + strings.Repeat("A", maxLine), []string{
			"unread (line too long) " + short(enroll.TextData("FP PIN=1\tFID=6\tTMP="+strings.Repeat("A", maxLine)))}},
	})
}

func TestParse_Users(t *testing.T) {
	t.Parallel()
	runParseTests(t, []parseTest{
		{"user ids are text", operlog, "USER PIN=022936\nUSER PIN=WCTPL070\nUSER PIN=0001 ", []string{
			`user "022936" name=nil last=nil privilege=nil password=nil card=nil second=nil`,
			`user "WCTPL070" name=nil last=nil privilege=nil password=nil card=nil second=nil`,
			`user "0001" name=nil last=nil privilege=nil password=nil card=nil second=nil`}},
		{"no user id is no user", operlog, "USER PIN=\tName=Ali\nUSER Name=Ali\nUSER PIN=null\nUSER PIN=" + strings.Repeat("1", 300), []string{
			unread("user record without a user id", "USER PIN=\tName=Ali"), unread("user record without a user id", "USER Name=Ali"),
			unread("user record without a user id", "USER PIN=null"),
			"unread (user record without a user id) " + short(enroll.TextData("USER PIN="+strings.Repeat("1", 300)))}},
		{"a complete user is told to have nothing", operlog, "USER PIN=1\tName=\tPri=0\tPasswd=\tCard=\tViceCard=", []string{
			`user "1" name="" last=nil privilege=0 password="" card="" second=""`}},
		{"words for nothing", operlog, "USER PIN=1\tName=(null)\tPri=null\tPasswd=null\tCard=NULL\tViceCard=[00000000]", []string{
			`user "1" name="" last=nil privilege=nil password="" card="" second=""`}},
		{"privileges", operlog, "USER PIN=1\tPri=6\nUSER PIN=1\tPri=15\nUSER PIN=1\tPri=x", []string{
			`user "1" name=nil last=nil privilege=6 password=nil card=nil second=nil`,
			`user "1" name=nil last=nil privilege=15 password=nil card=nil second=nil`,
			`user "1" name=nil last=nil privilege=nil password=nil card=nil second=nil`}},
		{"a text too long", operlog, "USER PIN=1\tName=" + strings.Repeat("a", maxText+1), []string{
			"unread (user record with a text too long) " + short(enroll.TextData("USER PIN=1\tName="+strings.Repeat("a", maxText+1)))}},
	})
}

func TestParse_Templates(t *testing.T) {
	t.Parallel()
	biodata := func(fields string) string { return "BIODATA Pin=1\t" + fields + "\tTmp=QUJD" }
	runParseTests(t, []parseTest{
		{"Size in bytes or missing is no matter", operlog, "FP PIN=1\tFID=06\tSize=3\tValid=3\tTMP=QUJD", []string{finger(false, "QUJD")}},
		{"FINGERTMP is FP", operlog, "FINGERTMP PIN=1\tFID=6\tTMP=QUJD", []string{finger(false, "QUJD")}},
		{"an invalid template is kept", operlog, "FP PIN=1\tFID=6\tValid=0\tTMP=QUJD", []string{
			kept("a template that the device marks as invalid", "FP PIN=1\tFID=6\tValid=0\tTMP=QUJD")}},
		{"fingers without a number, a template or a user", operlog, "FP PIN=1\tTMP=QUJD\nFP PIN=1\tFID=6\tTMP=null\nFP FID=6\tTMP=QUJD\nFP PIN=1\tFID=6\tTMP=\xff", []string{
			unread("fingerprint record without a finger", "FP PIN=1\tTMP=QUJD"),
			unread("biometric record without a template", "FP PIN=1\tFID=6\tTMP=null"),
			unread("biometric record without a user id", "FP FID=6\tTMP=QUJD"),
			unread("biometric record without a template", "FP PIN=1\tFID=6\tTMP=\xff")}},
		{"faces of older terminals", operlog, "FACE PIN=1\tFID=11\tSIZE=4\tVALID=1\tTMP=QUJD\nFACE PIN=1\tFID=50\tTMP=QUJD\nFACE PIN=1\tTMP=QUJD", []string{
			`template "1" face number="" row="11" algorithm="" version="" text=false "QUJD"`,
			`template "1" face number="" row="50" algorithm="" version="" text=false "QUJD"`,
			unread("face record without a number", "FACE PIN=1\tTMP=QUJD")}},
		{"biometrics by type", kindBiodata, strings.Join([]string{
			biodata("No=6\tIndex=0\tType=1\tMajorVer=13\tMinorVer=0\tFormat=ZK"), biodata("No=0\tIndex=14\tType=2\tMajorVer=12"),
			biodata("No=0\tIndex=0\tType=9\tMajorVer=40\tMinorVer=1"), biodata("No=1\tIndex=5\tType=8"), biodata("No=0\tIndex=0\tType=10"),
			biodata("No=0\tIndex=2\tType=6"), biodata("No=0\tType=7"), biodata("No=0\tType=11"), biodata("No=0"), biodata("Type=1"), biodata("Type=9"),
		}, "\n"), []string{
			`template "1" fingerprint number="6" row="" algorithm="13" version="0" text=false "QUJD"`,
			`template "1" face number="" row="14" algorithm="12" version="" text=false "QUJD"`,
			`template "1" face number="" row="0" algorithm="40" version="1" text=false "QUJD"`,
			`template "1" palm number="1" row="5" algorithm="" version="" text=false "QUJD"`,
			`template "1" palm number="0" row="0" algorithm="" version="" text=false "QUJD"`,
			`template "1" palm number="0" row="2" algorithm="" version="" text=false "QUJD"`,
			kept("a biometric that makes no callback", biodata("No=0\tType=7")),
			unread("biometric record of an unknown type", biodata("No=0\tType=11")),
			unread("biometric record of an unknown type", biodata("No=0")),
			unread("biometric record without the number of the finger or hand", biodata("Type=1")),
			`template "1" face number="" row="" algorithm="" version="" text=false "QUJD"`}},
		{"biometrics without a kind", kindBiodata, "Pin=1\tNo=6\tType=1\tTmp=QUJD", []string{
			`template "1" fingerprint number="6" row="" algorithm="" version="" text=false "QUJD"`}},
		{"pictures", operlog, "BIOPHOTO PIN=1\tFileName=../1.jpg\tType=9\tSize=3\tContent=QUJD\nUSERPIC PIN=1\tContent=QUJD\nBIOPHOTO PIN=1\tContent=QUJD\n" +
			"BIOPHOTO PIN=1\tType=10\tContent=QUJD\nUSERPIC PIN=1\tContent=\nUSERPIC Content=QUJD", []string{
			`picture "1" secondary=false text=false "QUJD"`, `picture "1" secondary=true text=false "QUJD"`, `picture "1" secondary=false text=false "QUJD"`,
			kept("a picture of something else than a face", "BIOPHOTO PIN=1\tType=10\tContent=QUJD"),
			unread("picture without content", "USERPIC PIN=1\tContent="), unread("picture without a user id", "USERPIC Content=QUJD")}},
		{"records that make no callback", operlog, "FVEIN Pin=1\tTmp=QUJD\nERRORLOG ErrCode=D01E0001\nIDCARD PIN=1\nWORKCODE PIN=1\nSMS x\nFPIMAGE PIN=1,FID=0", []string{
			kept("a kind of record that makes no callback", "FVEIN Pin=1\tTmp=QUJD"), kept("a kind of record that makes no callback", "ERRORLOG ErrCode=D01E0001"),
			kept("a kind of record that makes no callback", "IDCARD PIN=1"), kept("a kind of record that makes no callback", "WORKCODE PIN=1"),
			kept("a kind of record that makes no callback", "SMS x"), kept("a kind of record that makes no callback", "FPIMAGE PIN=1,FID=0")}},
	})
}

func TestParse_WrappedContent(t *testing.T) {
	t.Parallel()
	runParseTests(t, []parseTest{
		{"wrapped base64 is joined when its size fits", operlog, "FP PIN=1\tFID=6\tSize=12\tTMP=QUJD\r\n\tQUJD\r\nQUJD\r\nUSER PIN=1\tName=Ali", []string{finger(false, "QUJDQUJDQUJD"), ali}},
		{"wrapped base64 is joined when its size counts bytes", operlog, "FP PIN=1\tFID=6\tSize=5\tTMP=QUJD\nQUI=", []string{finger(false, "QUJDQUI=")}},
		{"a size that does not fit joins nothing", operlog, "FP PIN=1\tFID=6\tSize=99\tTMP=QUJD\nQUJD", []string{finger(false, "QUJD"), unread("unknown kind of record", "QUJD")}},
		{"no size joins nothing", kindBiodata, "BIODATA Pin=1\tNo=6\tType=1\tTmp=QUJD\nQUJD", []string{
			`template "1" fingerprint number="6" row="" algorithm="" version="" text=false "QUJD"`, unread("biometric record of an unknown type", "QUJD")}},
		{"a kind is never a part of content", operlog, "FP PIN=1\tFID=6\tSize=8\tTMP=QUJD\nUSER", []string{finger(false, "QUJD"), unread("user record without a user id", "USER")}},
		{"what is joined and kept is kept whole", operlog, "FVEIN Pin=1\tSize=8\tTmp=QUJD\nQUJD", []string{
			kept("a kind of record that makes no callback", "FVEIN Pin=1\tSize=8\tTmp=QUJD\nQUJD")}},
	})
}

func TestOperations(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, line string
		want       []string
	}{
		{"user, operator and time", "OPLOG 70\t14\t2026-01-02 03:04:05\t022936\t0\t0\t0", []string{
			`operation 70 by "14" on "022936" at "2026-01-02 03:04:05" explains=user removes=`}},
		{"no objects after the user", "oplog 7\t0\t2026-01-02 03:04:05\tA1", []string{
			`operation 7 by "" on "A1" at "2026-01-02 03:04:05" explains=password removes=`}},
		{"a time that makes no sense", "OPLOG 8\t0\t2026-13-45 99:00:00\t1\t0\t0\t0", []string{`operation 8 by "" on "1" at "" explains=card removes=`}},
		{"a time far off", "OPLOG 8\t0\t2000-01-01 00:00:00\t1", []string{`operation 8 by "" on "1" at "2000-01-01 00:00:00" explains=card removes=`}},
		{"a user deleted", "OPLOG 9\t0\t2026-01-02 03:04:05\t1", []string{
			`operation 9 by "" on "1" at "2026-01-02 03:04:05" explains=user-deleted removes=user-deleted`}},
		{"a finger deleted", "OPLOG 10\t0\t2026-01-02 03:04:05\t1\t6", []string{
			`operation 10 by "" on "1" at "2026-01-02 03:04:05" explains=credential-removed removes=fingerprint`}},
		{"blanks instead of tabs", "OPLOG 6 0 2026-01-02 03:04:05 1 0 0 0", []string{
			`operation 6 by "" on "1" at "2026-01-02 03:04:05" explains=fingerprint removes=`}},
		{"device only, with a text as object", "OPLOG 82\t1\t2026-01-02 03:04:05\tadd adms address\t0\t0\t0", nil},
		{"a code that is not known", "OPLOG 250\t1\t2026-01-02 03:04:05\t1", []string{
			`kept (an operation that explains no change) text=true "OPLOG 250\t1\t2026-01-02 03:04:05\t1"`}},
		{"a user code without a user", "OPLOG 6\t1\t2026-01-02 03:04:05\t0\nOPLOG 6\t1\t2026-01-02 03:04:05", []string{
			`kept (an operation on a user that names none) text=true "OPLOG 6\t1\t2026-01-02 03:04:05\t0"`,
			`kept (an operation on a user that names none) text=true "OPLOG 6\t1\t2026-01-02 03:04:05"`}},
		{"a bad user id", "OPLOG 6\t1\t2026-01-02 03:04:05\t\x01", []string{
			`unread (operation with a bad user id) text=true "OPLOG 6\t1\t2026-01-02 03:04:05\t\x01"`}},
		{"no code, no time, nothing", "OPLOG x\t1\t2026-01-02 03:04:05\t1\nOPLOG 6\t1\nOPLOG\nOPLOG -1\t1\t2", []string{
			`unread (operation without a code and a time) text=true "OPLOG x\t1\t2026-01-02 03:04:05\t1"`,
			`unread (operation without a code and a time) text=true "OPLOG 6\t1"`,
			`unread (operation without a code and a time) text=true "OPLOG"`,
			`unread (operation without a code and a time) text=true "OPLOG -1\t1\t2"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := describeAll(t, operlog, "69", tt.line); !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

func TestOperationCodes(t *testing.T) {
	t.Parallel()
	explained := map[enroll.Kinds][]int{
		enroll.Fingerprint: {6, 31}, enroll.Password: {7, 113}, enroll.Card: {8, 14, 15, 16, 100},
		enroll.User: {30, 36, 70, 71, 102, 103, 104}, enroll.Photo: {68, 69}, enroll.Palm: {124, 125},
		enroll.Face | enroll.Photo: {114}, enroll.Face | enroll.Photo | enroll.Fingerprint: {101},
		enroll.UserDeleted: {9}, enroll.CredentialRemoved: {10, 11, 12, 106, 107, 126},
	}
	removed := map[int]enroll.Kinds{9: enroll.UserDeleted, 10: enroll.Fingerprint, 11: enroll.Password, 12: enroll.Card,
		106: enroll.Face, 107: enroll.Photo, 126: enroll.Palm}
	silent := []int{0, 1, 2, 3, 4, 5, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 33, 34, 35, 37, 38, 39, 40, 41, 42, 43,
		53, 54, 55, 76, 77, 78, 79, 80, 81, 82, 83, 87, 88, 89, 90, 91, 92, 105, 108, 109, 110, 111, 112, 115, 116, 117, 118}
	for code := range 200 {
		var want enroll.Kinds
		for kinds, codes := range explained {
			if slices.Contains(codes, code) {
				want = kinds
			}
		}
		explains, removes := meaning(code)
		if explains != want || removes != removed[code] {
			t.Errorf("code %d: got %s, %s, want %s, %s", code, explains, removes, want, removed[code])
		}
		if got, want := losesUsers(code) != "", slices.Contains([]int{13, 22, 24}, code); got != want {
			t.Errorf("code %d loses users: got %v, want %v", code, got, want)
		}
		if got, want := concernsDeviceOnly(code), slices.Contains(silent, code); got != want {
			t.Errorf("code %d concerns the device only: got %v, want %v", code, got, want)
		}
	}
}

func TestPunches(t *testing.T) {
	t.Parallel()
	const at = "2026-01-02 03:04:05"
	punch := func(rest string) string { return `punch "7" "` + at + `" ` + rest }
	tests := []struct{ name, line, want string }{
		{"four fields", "7\t" + at + "\t1\t15", punch(`status=1 verify=15 workcode="" temperature="" mask=nil`)},
		{"seven fields and a tab", "7\t" + at + "\t255\t1\t\t0\t0\t", punch(`status=255 verify=1 workcode="" temperature="" mask=nil`)},
		{"ten fields and a tab", "7\t" + at + "\t0\t1\t12\t0\t0\t1\t36.6\t97.9\t", punch(`status=0 verify=1 workcode="12" temperature="36.6" mask=true`)},
		{"not measured", "7\t" + at + "\t0\t1\t0\t0\t0\t255\t255\t255\tx\ty", punch(`status=0 verify=1 workcode="0" temperature="" mask=nil`)},
		{"no mask worn, no thermometer", "7\t" + at + "\t0\t1\t0\t0\t0\t0\t0.0\t0", punch(`status=0 verify=1 workcode="0" temperature="" mask=false`)},
		{"a time with T", "7\t2026-01-02T03:04:05\t0\t1", punch(`status=0 verify=1 workcode="" temperature="" mask=nil`)},
		{"the name of the table", "ATTLOG 7\t" + at + "\t0\t1", punch(`status=0 verify=1 workcode="" temperature="" mask=nil`)},
		{"blanks instead of tabs", "7 " + at + " 0 1 0 0", punch(`status=0 verify=1 workcode="0" temperature="" mask=nil`)},
		{"keys", "PIN=7\tTime=" + at + "\tStatus=1\tVerify=4\tWorkCode=5\tTemperature=36.6\tMaskFlag=1", punch(`status=1 verify=4 workcode="5" temperature="36.6" mask=true`)},
		{"keys for user and time alone", "PIN=7\tTime=" + at, punch(`status=255 verify=0 workcode="" temperature="" mask=nil`)},
		{"a user id that looks like a kind", "user\t" + at + "\t0\t1", `punch "user" "` + at + `" status=0 verify=1 workcode="" temperature="" mask=nil`},
		{"three fields", "7\t" + at + "\t0", unread("punch with too few fields", "7\t"+at+"\t0")},
		{"no user", "\t" + at + "\t0\t1", unread("punch without a user id", "\t"+at+"\t0\t1")},
		{"no time", "7\tyesterday\t0\t1", unread("punch with a time that makes no sense", "7\tyesterday\t0\t1")},
		{"no status", "7\t" + at + "\tx\t1", unread("punch with a status or method that is no number", "7\t"+at+"\tx\t1")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := describeAll(t, kindAttlog, "69", tt.line); !slices.Equal(got, []string{tt.want}) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), tt.want)
			}
		})
	}
}

func TestDecodeText(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, raw, language, want string }{
		{"UTF-8 is taken as it is", "José 张三", "83", "José 张三"},
		{"Simplified Chinese", "\xd5\xc5\xc8\xfd", "83", "张三"},
		{"a half character at the end of GB18030", "\xd5\xc5\xc8", "83", "张\ufffd"},
		{"a half character at the end of UTF-8", "张三"[:5], "83", "张\ufffd"},
		{"another half character", "Jo\u00e3o Andr\u00e9"[:11], "69", "João Andr\ufffd"},
		{"Latin, where the end looks like half a character", "Andr\xe9", "97", "André"},
		{"Latin for unknown languages", "Andr\xe9s", "", "Andrés"},
		{"Arabic", "\xda\xe1\xed", "66", "علي"},
		{"Persian", "\xda\xe1\xed", "65", "علي"},
		{"Russian", "\xc8\xe2\xe0\xed", "82", "Иван"},
		{"Thai", "\xca\xc1", "76", "สม"},
		{"Vietnamese", "\xd0\xfd", "86", "Đư"},
		{"Turkish", "\xdeen", "116", "Şen"},
		{"Hebrew", "\xe3\xe5\xe3", "72", "דוד"},
		{"Greek", "\xd9\xec", "103", "Ωμ"},
		{"Czech", "Ji\xf8\xed", "90", "Jiří"},
		{"nothing but half a character", "\xe5\xbc", "69", "å¼"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := decodeText(tt.raw, tt.language); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	t.Run("names go through it", func(t *testing.T) {
		t.Parallel()
		got := describeAll(t, operlog, "83", "USER PIN=1\tName=\xd5\xc5\xc8\xfd")
		want := []string{`user "1" name="张三" last=nil privilege=nil password=nil card=nil second=nil`}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestParseCard(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "0": "", "0000000000": "", "null": "", "(null)": "", "[00000000]": "", "[]": "",
		"133440": "133440", " 133440 ": "133440", "0013334440": "0013334440",
		"[15CD5B07]": "123456789", "[15cd5b0700]": "123456789", "[FFFFFFFFFFFFFFFF]": "18446744073709551615",
		"15CD5B07": "15CD5B07", "[15CD5B0": "[15CD5B0", "[15CD5B0]": "[15CD5B0]", "[xyz]": "[xyz]",
		"[" + strings.Repeat("01", maxCardBytes+1) + "]": "[" + strings.Repeat("01", maxCardBytes+1) + "]",
	} {
		if got := parseCard(text); got != want {
			t.Errorf("parseCard(%q): got %q, want %q", text, got, want)
		}
	}
}

func TestParseQuery(t *testing.T) {
	t.Parallel()
	query := parseQuery("&Sn=A%201&sn=B&a;b=1;2&bad=%zz&plus=a+b&DeviceType=middle%20east&flag&=x")
	for key, want := range map[string]string{
		"SN": "A 1", "A;B": "1;2", "BAD": "%zz", "plus": "a b", "devicetype": "middle east", "flag": "", "none": "",
	} {
		if got := query.get(key); got != want {
			t.Errorf("%s: got %q, want %q", key, got, want)
		}
	}
	if !query.has("FLAG") || query.has("none") {
		t.Error("flag is there and none is not, but it was told otherwise")
	}
	if got := len(parseQuery(strings.Repeat("a=b&", maxQuery+9))); got != maxQuery {
		t.Errorf("got %d parameters, want %d", got, maxQuery)
	}
}

func TestParseOptions(t *testing.T) {
	t.Parallel()
	got := parseOptions("~DeviceName=MB360/ID,~OEMVendor=ZKTECO CO., LTD.,Empty=,A_1=x,1,b=,junk\r\nMAC=00:17\x00")
	want := pairs{{"DeviceName", "MB360/ID"}, {"OEMVendor", "ZKTECO CO., LTD."}, {"Empty", ""}, {"A_1", "x,1"}, {"b", ",junk"}, {"MAC", "00:17"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParseAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		want       []commandAnswer
	}{
		{"several lines", "ID=1&Return=0&CMD=DATA\nID=a13e&Return=-12&CMD=DATA\r\n", []commandAnswer{{"1", 0, "DATA"}, {"a13e", -12, "DATA"}}},
		{"values after it", "ID=26&Return=0&CMD=INFO\n~DeviceName=X\nUserCount=3\n", []commandAnswer{{"26", 0, "INFO"}}},
		{"a line each, content to the end", "ID=27\nSN=A1\nReturn=2\nCMD=Shell\nFILENAME=x\nContent=1|Ali\nID=28&Return=0&CMD=X", []commandAnswer{{"27", 2, "Shell"}}},
		{"a count of rows and blanks", "ID=1&Return=3&CMD=DATA QUERY\x00", []commandAnswer{{"1", 3, "DATA QUERY"}}},
		{"nothing", "Return=1\nhello\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := parseAnswers(tt.body); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
	if got := len(parseAnswers(strings.Repeat("ID=1\n", maxAnswers+9))); got != maxAnswers {
		t.Errorf("got %d answers, want %d", got, maxAnswers)
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		" a\r\nb\x00\ufffd\xff ":      "ab",
		strings.Repeat("é", 40) + "x": strings.Repeat("é", 32),
		strings.Repeat("x", 9999):     strings.Repeat("x", maxWord),
	} {
		if got := clean(text); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

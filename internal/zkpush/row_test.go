package zkpush

import (
	"slices"
	"strings"
	"testing"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

func TestRows(t *testing.T) {
	t.Parallel()
	const none = `name=nil last=nil privilege=nil password=nil card=nil second=nil`
	user := func(rest string) string { return `user "1" ` + rest }
	runParseTests(t, []parseTest{
		{"a sparse row tells only what it has", rowUser, "user uid=9\tcardno=0\tpin=1\tpassword=\tgroup=1\tname=\tprivilege=14\tdisable=0", []string{
			user(`name=nil last=nil privilege=14 password=nil card=nil second=nil`)}},
		{"a full row without its kind", rowUser, "pin=1\tcardno=123456\tpassword=42\tname=Ali\tprivilege=0\r", []string{
			user(`name="Ali" last=nil privilege=0 password="42" card="123456" second=nil`)}},
		{"blanks instead of tabs", rowUser, "user pin=21 name=test er privilege=0", []string{
			`user "21" name="test er" last=nil privilege=0 password=nil card=nil second=nil`}},
		{"words for nothing", rowUser, "USER Pin=1\tName=null\tCardNo=[00000000]", []string{user(none)}},
		{"no user, a name too long", rowUser, "user name=A\nuser pin=1\tname=" + strings.Repeat("x", maxText+1), []string{
			unread("user row without a user id", "user name=A"), unread("user row with a text too long", "user pin=1\tname="+strings.Repeat("x", maxText+1))}},
		{"names in two parts", rowNames, "extuser pin=1\tfunswitch=0\tfirstname=Ali\tlastname=Khan\nextuser pin=1\tfirstname=\tlastname=\nextuser firstname=A\nextuser pin=1\tlastname=" + strings.Repeat("x", maxText+1), []string{
			user(`name="Ali" last="Khan" privilege=nil password=nil card=nil second=nil`),
			kept("a name row without a name", "extuser pin=1\tfirstname=\tlastname="),
			unread("name row without a user id", "extuser firstname=A"),
			unread("name row with a text too long", "extuser pin=1\tlastname="+strings.Repeat("x", maxText+1))}},
		{"cards in hexadecimal", rowCard, strings.Join([]string{
			"mulcarduser pin=1\tcardno=75BCD15\tlosscardflag=0\tcardtype=0", "mulcarduser pin=1\tcardno=0075bcd15\tcardtype=1", "pin=1\tcardno=[15CD5B07]",
			"pin=1\tcardno=0\tcardtype=0", "pin=1\tcardno=A\tlosscardflag=1", "pin=1\tcardno=xyz", "pin=1\tcardno=[x]", "pin=1\tcardno=A\tcardtype=7", "cardno=A"}, "\n"), []string{
			user(`name=nil last=nil privilege=nil password=nil card="123456789" second=nil`),
			user(`name=nil last=nil privilege=nil password=nil card=nil second="123456789"`),
			user(`name=nil last=nil privilege=nil password=nil card="123456789" second=nil`),
			kept("a card row without a card", "pin=1\tcardno=0\tcardtype=0"), kept("a card that is marked as lost", "pin=1\tcardno=A\tlosscardflag=1"),
			unread("card row with a number that is not hexadecimal", "pin=1\tcardno=xyz"), unread("card row with a number that is not hexadecimal", "pin=1\tcardno=[x]"),
			unread("card row of an unknown type", "pin=1\tcardno=A\tcardtype=7"), unread("card row without a user id", "cardno=A")}},
		{"fingers", rowFinger, "templatev10 size=4\tuid=1\tpin=1\tfingerid=6\tvalid=1\ttemplate=QUJD\tresverd=\tendtag=\npin=1\tfingerid=22\ttemplate=QUJD\npin=1\tfingerid=10\ttemplate=QUJD\npin=1\ttemplate=QUJD\npin=1\tfingerid=30\ttemplate=QUJD", []string{
			`template "1" fingerprint number="6" row="" algorithm="10" version="" text=false "QUJD"`,
			`template "1" fingerprint number="6" row="" algorithm="10" version="" text=false "QUJD"`,
			unread("fingerprint row without a finger", "pin=1\tfingerid=10\ttemplate=QUJD"), unread("fingerprint row without a finger", "pin=1\ttemplate=QUJD"),
			unread("fingerprint row without a finger", "pin=1\tfingerid=30\ttemplate=QUJD")}},
		{"near-infrared faces", rowFace, "facev7 pin=1\tfaceid=3\ttemplate=QUJD\nssrface7 pin=1\ttemplate=QUJD", []string{
			`template "1" face number="" row="3" algorithm="7" version="" text=false "QUJD"`, unread("face row without a number", "ssrface7 pin=1\ttemplate=QUJD")}},
		{"biometrics and pictures are those of PUSH 2.x", rowBiodata, "biodata pin=1\tno=6\tindex=0\tvalid=1\ttype=1\tmajorver=10\tminorver=0\tformat=ZK\ttmp=QUJD\nTYPE=9\tPIN=1\tMAJOR_VER=58\tMINOR_VER=1\tTMP=QUJD\n" +
			"biophoto pin=1\ttype=9\tcontent=QUJD\nuserpic pin=1\tcontent=QUJD", []string{
			`template "1" fingerprint number="6" row="" algorithm="10" version="0" text=false "QUJD"`, `template "1" face number="" row="" algorithm="58" version="1" text=false "QUJD"`,
			`picture "1" secondary=false text=false "QUJD"`, `picture "1" secondary=true text=false "QUJD"`}},
		{"rows that make no callback", rowRights, "userauthorize pin=1\terrorlog\nerrorlog errcode=D01E0001\nidentitycard pin=1\ntransaction pin=1\tindex=9\n", []string{
			kept("access rights of a user", "userauthorize pin=1\terrorlog"), kept("a kind of record that makes no callback", "errorlog errcode=D01E0001"),
			kept("a kind of record that makes no callback", "identitycard pin=1"), kept("an event of the past", "transaction pin=1\tindex=9")}},
		{"enrolments by order", rowEnrolment, "x=1", []string{kept("how an enrolment by order went", "x=1")}},
		{"too many fields", rowUser, "user pin=1" + strings.Repeat("\ta=b", maxFields), []string{unread("too many fields", "user pin=1"+strings.Repeat("\ta=b", maxFields))}},
	})
	if got := rowKind(strings.Repeat("x", maxWord+1)); got != "" {
		t.Errorf("got %q, want no kind", got)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	const at = "time=2026-01-02 03:04:05\t"
	punch := func(rest string) string { return `punch "7" "2026-01-02 03:04:05" ` + rest }
	tests := []struct{ name, line, want string }{
		{"a punch", at + "pin=7\tcardno=0\tevent=0\tinoutstatus=1\tverifytype=15\tindex=31\tmaskflag=1\ttemperature=36.6", punch(`status=1 verify=15 workcode="" temperature="36.6" mask=true index="31"`)},
		{"nothing measured", at + "pin=7\tevent=19\tinoutstatus=0\tverifytype=1\tindex=32\tmaskflag=255\ttemperature=255\tconvtemperature=255", punch(`status=0 verify=1 workcode="" temperature="" mask=nil index="32"`)},
		{"few fields", at + "pin=7\tevent=200", punch(`status=255 verify=0 workcode="" temperature="" mask=nil`)},
		{"another normal event", at + "pin=7\tevent=253\tindex=1", punch(`status=255 verify=0 workcode="" temperature="" mask=nil index="1"`)},
		{"the method as a bit mask", at + "pin=7\tevent=0\tverifytype=0000000000000010\tindex=1", punch(`status=255 verify=15 workcode="" temperature="" mask=nil index="1"`)},
		{"a packed time", "time=833943845\tpin=7\tevent=0\tindex=1", `punch "7" "2025-12-12 03:04:05" status=255 verify=0 workcode="" temperature="" mask=nil index="1"`},
		{"no user", at + "pin=0\tevent=5\tindex=1", ""},
		{"an empty user", at + "pin=\tevent=5\tindex=1", ""},
		{"a refused access", at + "pin=7\tevent=27", kept("a refused access", at+"pin=7\tevent=27")},
		{"an alarm", at + "pin=7\tevent=101", kept("an alarm at the door", at+"pin=7\tevent=101")},
		{"an extended event", at + "pin=7\tevent=4002", kept("an event that is no punch", at+"pin=7\tevent=4002")},
		{"no event", at + "pin=7", unread("event without a number", at+"pin=7")},
		{"a bad user", at + "pin=\x01\tevent=0", unread("event with a bad user id", at+"pin=\x01\tevent=0")},
		{"a bad time", "time=x\tpin=7\tevent=0", unread("event with a time that makes no sense", "time=x\tpin=7\tevent=0")},
		{"a bad direction", at + "pin=7\tevent=0\tinoutstatus=x", unread("event with a direction or method that is no number", at+"pin=7\tevent=0\tinoutstatus=x")},
		{"a bad method", at + "pin=7\tevent=0\tverifytype=x", unread("event with a direction or method that is no number", at+"pin=7\tevent=0\tverifytype=x")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var want []string
			if tt.want != "" {
				want = []string{tt.want}
			}
			if got := describeAll(t, rowEvent, "", tt.line); !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), tt.want)
			}
		})
	}
}

func TestVerifyCode(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"": 0, "1": 1, "200": 200, "0000000000000000": 0, "0000000000000001": 0, "0000000000000010": 15, "0000000000000100": 25,
		"0000000000001000": 25, "0000000000010000": 1, "0000000000010001": 1, "0000000000100000": 21, "0000001000000000": 3,
		"0000010000000000": 2, "0000100000000000": 4, "0001000000000000": verifyOther, "0000000000010010": verifyOther,
	} {
		if got, ok := verifyCode(text); got != want || !ok {
			t.Errorf("%q: got %d, %v, want %d", text, got, ok, want)
		}
	}
	if _, ok := verifyCode("finger"); ok {
		t.Error("got a method, want none")
	}
}

// A punch of PUSH 3.x is known by its index too: two of one second are two.
func TestEvents_IndexTellsPunchesApart(t *testing.T) {
	t.Parallel()
	p, err := parseUpload(rowEvent, "", []byte("time=2026-01-02 03:04:05\tpin=7\tevent=0\tindex=1\ntime=2026-01-02 03:04:05\tpin=7\tevent=0\tindex=2"))
	if err != nil || len(p.Reports) != 2 {
		t.Fatalf("got %v, %v", p.Reports, err)
	}
	if p.Reports[0].(enroll.PunchReport).PunchKey == p.Reports[1].(enroll.PunchReport).PunchKey {
		t.Error("got equal keys, want two")
	}
}

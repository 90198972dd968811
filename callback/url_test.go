package callback_test

import (
	"errors"
	"testing"

	"github.com/fingerpost/fingerpost/callback"
)

func TestURL(t *testing.T) {
	tests := []struct{ name, base, want string }{
		{"no query", "https://hr.example/cb", "https://hr.example/cb?stgid=ST1"},
		{"no path", "http://hr.example:8080", "http://hr.example:8080?stgid=ST1"},
		{"empty query", "https://hr.example/cb?", "https://hr.example/cb?stgid=ST1"},
		{"a query is kept byte for byte", "https://hr.example/cb?b=%7e&a=x+y&&c", "https://hr.example/cb?b=%7e&a=x+y&&c&stgid=ST1"},
		{"a query that ends in &", "https://hr.example/cb?a=1&", "https://hr.example/cb?a=1&stgid=ST1"},
		{"a question mark in the query", "https://hr.example/cb?u=/a?b", "https://hr.example/cb?u=/a?b&stgid=ST1"},
		{"a broken escape is kept", "https://hr.example/cb?a=%zz&%zz=1", "https://hr.example/cb?a=%zz&%zz=1&stgid=ST1"},
		{"an existing stgid is replaced in place", "https://hr.example/cb?a=1&stgid=OLD&b=2", "https://hr.example/cb?a=1&stgid=ST1&b=2"},
		{"an empty one too", "https://hr.example/cb?stgid=&b=2", "https://hr.example/cb?stgid=ST1&b=2"},
		{"one without value too", "https://hr.example/cb?stgid", "https://hr.example/cb?stgid=ST1"},
		{"one in percent escapes too", "https://hr.example/cb?%73tgid=OLD&b", "https://hr.example/cb?stgid=ST1&b"},
		{"of several the first stays", "https://hr.example/cb?stgid=1&a&stgid=2&stgid", "https://hr.example/cb?stgid=ST1&a"},
		{"another case is another name", "https://hr.example/cb?STGID=OLD", "https://hr.example/cb?STGID=OLD&stgid=ST1"},
		{"a longer name is another name", "https://hr.example/cb?stgid2=1&xstgid=2", "https://hr.example/cb?stgid2=1&xstgid=2&stgid=ST1"},
		{"stgid as a value is none", "https://hr.example/cb?a=stgid", "https://hr.example/cb?a=stgid&stgid=ST1"},
		{"a fragment is dropped", "https://hr.example/cb?a=1#stgid=2?x", "https://hr.example/cb?a=1&stgid=ST1"},
		{"the path is kept byte for byte", "https://hr.example/%63b/a%2Fb", "https://hr.example/%63b/a%2Fb?stgid=ST1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := callback.URL(tt.base, "ST1", true)
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			again, err := callback.URL(got, "ST1", true)
			if err != nil || again != got {
				t.Errorf("a second time: got %s, %v, want %s", again, err, got)
			}
		})
	}
	t.Run("the id is escaped", func(t *testing.T) {
		got, err := callback.URL("https://hr.example/cb", "A&B=ü+1", true)
		if err != nil {
			t.Fatal(err)
		}
		if want := "https://hr.example/cb?stgid=A%26B%3D%C3%BC%2B1"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("nothing is appended where that is not wanted", func(t *testing.T) {
		got, err := callback.URL("https://hr.example/cb?stgid=OLD#x", "ST1", false)
		if err != nil {
			t.Fatal(err)
		}
		if want := "https://hr.example/cb?stgid=OLD"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestURL_Refuses(t *testing.T) {
	for _, base := range []string{
		"", "hr.example/cb", "/cb", "ftp://hr.example/cb", "https:///cb", "https://:443/cb", "https:hr.example",
		"https://hr.example/c b", "https://hr.example/?a=b c", "https://hr.example/\n", "https://hr.example:port/", "https://hr.example/%zz",
	} {
		for _, appendStgID := range []bool{true, false} {
			if got, err := callback.URL(base, "ST1", appendStgID); !errors.Is(err, callback.ErrURL) {
				t.Errorf("URL(%q): got %q, %v, want %v", base, got, err, callback.ErrURL)
			}
		}
	}
}

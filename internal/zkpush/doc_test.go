package zkpush

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each oddity in the document names the test that pins it.
func TestProtocolDocument_NamesTestsThatExist(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tests.Write(text)
	}
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`")
	for line := range strings.Lines(string(document)) {
		found := named.FindAllStringSubmatch(line, -1)
		if strings.HasPrefix(line, "| 20") && len(found) == 0 {
			t.Errorf("no test is named in %q", line)
		}
		for _, match := range found {
			if !strings.Contains(tests.String(), "func "+match[1]+"(") {
				t.Errorf("no test is called %s", match[1])
			}
		}
	}
}

package layout

import (
	"fmt"
	"go/build"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// required are the documents at the root. Those below docs are found.
var required = []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"}

// history may name what is gone.
const history = "CHANGELOG.md"

func TestDocuments(t *testing.T) {
	t.Parallel()
	names := files(t)
	tests := testNames(t, names)
	for _, name := range required {
		if !slices.Contains(names, name) {
			t.Errorf("%s is missing", name)
		}
	}
	for _, name := range documents(names) {
		text := read(t, name)
		for _, link := range links(text) {
			if target := path.Join(path.Dir(name), link); !exists(target) {
				t.Errorf("%s links to %s, which does not exist", name, target)
			}
		}
		if name == history {
			continue
		}
		for _, p := range paths(text) {
			if !exists(p) {
				t.Errorf("%s names the path %s, which does not exist", name, p)
			}
		}
		for _, test := range testName.FindAllString(text, -1) {
			if !tests[test] {
				t.Errorf("%s names %s, which no _test.go file declares", name, test)
			}
		}
	}
}

// A guarantee without a test is a wish.
func TestGuarantees_EachNamesItsTest(t *testing.T) {
	t.Parallel()
	rows := guarantees(read(t, "ARCHITECTURE.md"))
	if len(rows) == 0 {
		t.Fatal(`ARCHITECTURE.md has no table below a heading with "Guarantees"`)
	}
	for _, fault := range unproved(rows) {
		t.Error(fault)
	}
}

func TestGuarantees_Parsing(t *testing.T) {
	t.Parallel()
	rows := guarantees("# A\n\n| x | y |\n|---|---|\n| not it | |\n\n## Guarantees\n\nWords.\n\n" +
		"| event | why |\n|---|---|\n| killed | `TestKill` |\n| full disk | believe us |\n\n## B\n\n| z |\n|---|\n| no |\n")
	if len(rows) != 2 {
		t.Fatalf("got %q, want the two rows of the table", rows)
	}
	got := unproved(rows)
	if want := []string{"guarantee without a test: | full disk | believe us |"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		text string
		want string // joined with blanks
	}{
		{"a directory", "see `internal/zkpush`", "internal/zkpush"},
		{"a directory that is no more", "in `mute/`.", "mute"},
		{"a file at the root", "`go.mod`, `ARCHITECTURE.md`", "go.mod ARCHITECTURE.md"},
		{"a path in a command", "run `go test ./callback -update` now", "callback"},
		{"a pattern", "`cmd/fingerpost/testdata/*.txtar`", "cmd/fingerpost/testdata/*.txtar"},
		{"all packages", "`go vet ./...`", ""},
		{"a command of a block", "text:\n\n    go run ./cmd/fingerpost demo\n", "cmd/fingerpost"},
		{"no path: a URL path, a package, another module", "`/api/v1` `net/http` `modernc.org/sqlite` `http://h/p`", ""},
		{"no path: a media type, a time zone", "`text/plain` `Asia/Kolkata`", ""},
		{"not kept here: what is built or made at run time", "`bin/fingerpost` `fingerpost-data/seal.key`", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(paths(tt.text), " "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

var (
	link     = regexp.MustCompile(`\]\(([^)#\s]+)`)
	quoted   = regexp.MustCompile("`([^`\n]+)`")
	dotPath  = regexp.MustCompile(`(?:^|\s)\./[\w./*-]+`)
	pathForm = regexp.MustCompile(`^[a-z._][\w.-]*(/[\w.*-]+)+$|^[a-z._][\w-]*/$|^[\w-]+\.(md|mod)$`)
	testName = regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z]\w*`)
	declared = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)[A-Z]\w*)\(`)
)

// links returns the targets of links that lead into the repository.
func links(text string) []string {
	var targets []string
	for _, match := range link.FindAllStringSubmatch(text, -1) {
		if !strings.Contains(match[1], ":") {
			targets = append(targets, match[1])
		}
	}
	return targets
}

// paths returns what a document names as paths of the repository: words in backticks
// that look like one, and words of blocks and commands that begin with "./".
func paths(text string) []string {
	var words []string
	for _, match := range quoted.FindAllStringSubmatch(text, -1) {
		words = append(words, strings.Fields(match[1])...)
	}
	words = append(words, dotPath.FindAllString(quoted.ReplaceAllString(text, ""), -1)...)
	var found []string
	for _, word := range words {
		word = strings.TrimSuffix(strings.TrimSpace(word), "/...")
		word, ours := strings.CutPrefix(word, "./")
		if word == "..." || word == "." || !ours && !isPath(word) {
			continue
		}
		found = append(found, strings.TrimSuffix(word, "/"))
	}
	return found
}

// isPath reports whether a word is meant as a path of the repository.
func isPath(word string) bool {
	first, _, deep := strings.Cut(word, "/")
	switch {
	case !pathForm.MatchString(word):
		return false
	case !deep:
		return true
	case strings.Contains(first, ".") && !strings.HasPrefix(first, "."): // another module
		return false
	case slices.Contains([]string{"application", "image", "multipart", "text"}, first): // media type
		return false
	case first == "bin" || first == "fingerpost-data": // made, not kept
		return false
	}
	_, err := os.Stat(filepath.Join(build.Default.GOROOT, "src", filepath.FromSlash(word))) // standard library
	return err != nil
}

// exists reports whether a path or pattern from the root of the repository is there.
func exists(name string) bool {
	found, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(name)))
	return err == nil && len(found) > 0
}

func documents(names []string) []string {
	var found []string
	for _, name := range names {
		if dir, _, deep := strings.Cut(name, "/"); path.Ext(name) == ".md" && (!deep || dir == "docs") {
			found = append(found, name)
		}
	}
	return found
}

// testNames returns what the test files declare.
func testNames(t *testing.T, names []string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			for _, match := range declared.FindAllStringSubmatch(read(t, name), -1) {
				found[match[1]] = true
			}
		}
	}
	return found
}

// guarantees returns the rows of the tables below the heading with that word.
func guarantees(text string) []string {
	var rows []string
	inside, line := false, 0 // line of the table; 1 and 2 are its head
	for each := range strings.Lines(text) {
		each = strings.TrimSpace(each)
		if strings.HasPrefix(each, "#") {
			inside = strings.Contains(strings.ToLower(each), "guarantees")
		}
		if !strings.HasPrefix(each, "|") {
			line = 0
			continue
		}
		if line++; inside && line > 2 {
			rows = append(rows, each)
		}
	}
	return rows
}

// unproved returns a fault for each guarantee that names neither a test nor a script.
func unproved(rows []string) []string {
	var found []string
	for _, row := range rows {
		if !testName.MatchString(row) && !strings.Contains(row, ".txtar") {
			found = append(found, fmt.Sprintf("guarantee without a test: %s", row))
		}
	}
	return found
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

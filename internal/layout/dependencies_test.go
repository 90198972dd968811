package layout

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// licences are those that let anybody use a program which contains the module, and build
// it with the tools.
var licences = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0"}

func TestDependencies_EachHasItsReason(t *testing.T) {
	t.Parallel()
	wanted := append(direct(read(t, "go.mod")), direct(read(t, "tools/go.mod"))...)
	for _, fault := range unexplained(wanted, explained(read(t, "docs/dependencies.md"))) {
		t.Error(fault)
	}
}

func TestDependencies_Parsing(t *testing.T) {
	t.Parallel()
	modules := direct("module example.com/m\n\ngo 1.26.0\n\nrequire example.com/a v1.0.0\n\n" +
		"require (\n\texample.com/b v1.0.0\n\texample.com/c v1.0.0 // indirect\n\texample.com/d v1.0.0\n\texample.com/e v1.0.0\n)\n")
	if want := []string{"example.com/a", "example.com/b", "example.com/d", "example.com/e"}; !slices.Equal(modules, want) {
		t.Fatalf("got direct dependencies %q, want %q", modules, want)
	}
	rows := explained("| module | licence | why |\n|---|---|---|\n| `example.com/a` | MIT | of use |\n" +
		"| `example.com/b` | GPL-3.0 | of use |\n| `example.com/d` | MIT | |\n| `example.com/gone` | MIT | was of use |\n")
	got := unexplained(modules, rows)
	want := []string{
		`example.com/b has the licence "GPL-3.0", want one of ["Apache-2.0" "BSD-2-Clause" "BSD-3-Clause" "ISC" "MIT" "MPL-2.0"]`,
		"example.com/d has no reason in docs/dependencies.md",
		"example.com/e has no row in docs/dependencies.md",
		"example.com/gone stands in docs/dependencies.md and is no direct dependency",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

var (
	requirement = regexp.MustCompile(`(?m)^(?:require )?\s*([\w.-]+\.[\w.-]+(?:/[\w.~-]+)*) v\S+$`)
	explanation = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|([^|]*)\\|([^|]*)\\|")
)

// direct returns the modules that a go.mod requires by its own wish.
func direct(goMod string) []string {
	var modules []string
	for _, match := range requirement.FindAllStringSubmatch(goMod, -1) {
		modules = append(modules, match[1])
	}
	return modules
}

// A reason is a row of docs/dependencies.md.
type reason struct {
	licence string
	why     string
}

func explained(document string) map[string]reason {
	rows := map[string]reason{}
	for _, match := range explanation.FindAllStringSubmatch(document, -1) {
		rows[match[1]] = reason{strings.TrimSpace(match[2]), strings.TrimSpace(match[3])}
	}
	return rows
}

func unexplained(modules []string, rows map[string]reason) []string {
	var found []string
	for _, m := range modules {
		row, ok := rows[m]
		switch {
		case !ok:
			found = append(found, m+" has no row in docs/dependencies.md")
		case !slices.Contains(licences, row.licence):
			found = append(found, fmt.Sprintf("%s has the licence %q, want one of %q", m, row.licence, licences))
		case row.why == "":
			found = append(found, m+" has no reason in docs/dependencies.md")
		}
	}
	for _, m := range slices.Sorted(maps.Keys(rows)) {
		if !slices.Contains(modules, m) {
			found = append(found, m+" stands in docs/dependencies.md and is no direct dependency")
		}
	}
	return found
}

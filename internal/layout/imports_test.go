// Package layout has no code. Its tests hold the repository to what the documents say of
// it: which package may import which, that paths and tests named in a document exist,
// and that every dependency has its reason.
package layout

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/fingerpost/fingerpost"
)

// A row says what a package may import beside the standard library.
type row struct {
	own    []string // packages of this module
	others []string // other modules, with all their packages
}

// table is the direction of imports: cmd → daemon → features → enroll. Packages beside
// each other never import each other; daemon alone knows who is who.
var table = map[string]row{
	// What customers import pulls in nothing.
	"callback": {},

	// The domain, without I/O.
	"internal/enroll": {},

	// Features. What one wants of another it declares as an interface.
	"internal/zkpush":  {own: []string{"internal/enroll"}, others: []string{"golang.org/x/text", "golang.org/x/sync"}}, // names in GBK and other old charsets; a budget of memory
	"internal/intake":  {own: []string{"internal/enroll"}, others: []string{"golang.org/x/sync"}},
	"internal/deliver": {own: []string{"internal/enroll", "callback"}},
	"internal/admin":   {own: []string{"internal/enroll", "callback"}}, // checks URLs as deliver will
	"internal/seal":    {},
	"internal/config":  {others: []string{"github.com/spf13/pflag"}}, // the flags are cobra's kind

	// Stores implement the interfaces of the features without knowing them.
	"internal/store/sqlite": {
		own:    []string{"internal/enroll", "internal/seal"},
		others: []string{"modernc.org/sqlite", "github.com/gofrs/flock"},
	},
	// One suite for all stores asks for the interfaces of the features by their names.
	"internal/store/storetest": {own: []string{"internal/enroll", "internal/intake", "internal/deliver", "internal/admin"}},

	"internal/daemon": {
		own: []string{
			"internal/zkpush", "internal/intake", "internal/deliver", "internal/admin", "internal/seal",
			"internal/store/sqlite", "internal/config", "internal/enroll",
		},
		others: []string{"golang.org/x/sync"},
	},

	// The outside, as it really behaves. It knows the wire, not our side of it.
	"internal/fake/terminal": {},
	"internal/fake/endpoint": {own: []string{"callback"}},

	// Programs: the product, and what measures it.
	"cmd/fingerpost": {
		own:    []string{"internal/daemon", "internal/config", "internal/admin", "internal/fake/terminal", "internal/fake/endpoint"},
		others: []string{"github.com/spf13/cobra", "github.com/spf13/pflag", "golang.org/x/sync"},
	},
	"internal/bench":      {own: []string{"internal/bench/load", "internal/daemon", "internal/config"}}, // one of its rounds runs in the process
	"internal/bench/load": {own: []string{"internal/admin"}},                                            // sets up as the commands do

	"internal/soak": {own: []string{"internal/admin", "internal/fake/terminal", "internal/fake/endpoint"}},

	"internal/layout": {},
}

// inTests is what _test.go files may import beside what their package may: the real
// store with its key, the outside, values of the domain and of the wire, and libraries
// for tests.
var inTests = row{
	own: []string{
		"internal/store/sqlite", "internal/store/storetest", "internal/seal", "internal/enroll", "callback",
		"internal/fake/terminal", "internal/fake/endpoint",
	},
	others: []string{"github.com/rogpeppe/go-internal", "golang.org/x/sync", "pgregory.net/rapid"},
}

// A source is one Go file with what it imports.
type source struct {
	file    string // from the root of the repository, with slashes
	imports []string
}

func TestImports(t *testing.T) {
	t.Parallel()
	for _, fault := range faults(sources(t), table, inTests) {
		t.Error(fault)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	rules := map[string]row{
		"enroll": {},
		"zkpush": {own: []string{"enroll"}, others: []string{"golang.org/x/text"}},
		"intake": {own: []string{"enroll"}},
	}
	tests := []struct {
		name    string
		file    string
		imports []string
		want    string // empty: allowed
	}{
		{"the standard library is open to all", "enroll/a.go", []string{"net/http", "time"}, ""},
		{"a feature imports the domain", "zkpush/a.go", []string{module + "/enroll"}, ""},
		{"a package of a module that is allowed", "zkpush/a.go", []string{"golang.org/x/text/encoding"}, ""},
		{"a module with a similar name is another", "zkpush/a.go", []string{"golang.org/x/textual"}, "zkpush/a.go imports golang.org/x/textual"},
		{"siblings never import each other", "zkpush/a.go", []string{module + "/intake"}, "zkpush/a.go imports " + module + "/intake"},
		{"nor do their tests", "zkpush/a_test.go", []string{module + "/intake"}, "zkpush/a_test.go imports " + module + "/intake"},
		{"the domain imports nothing of ours", "enroll/a.go", []string{module + "/zkpush"}, "enroll/a.go imports " + module + "/zkpush"},
		{"a test may import what is for tests", "enroll/a_test.go", []string{"pgregory.net/rapid", module + "/enroll"}, ""},
		{"other code may not", "enroll/a.go", []string{"pgregory.net/rapid"}, "enroll/a.go imports pgregory.net/rapid"},
		{"a package without a row", "dash/a.go", nil, "dash has no row"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			files := []source{{"enroll/z.go", nil}, {"zkpush/z.go", nil}, {"intake/z.go", nil}, {tt.file, tt.imports}}
			got := strings.Join(faults(files, rules, row{others: []string{"pgregory.net/rapid"}}), "\n")
			if tt.want == "" && got != "" || !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	t.Run("a row without a package", func(t *testing.T) {
		t.Parallel()
		got := faults(nil, map[string]row{"gone": {}}, row{})
		if want := []string{"gone has a row in the table and no code"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// faults returns what in files is against rules.
func faults(files []source, rules map[string]row, tests row) []string {
	var found []string
	seen := map[string]bool{}
	for _, f := range files {
		dir := path.Dir(f.file)
		rule, known := rules[dir]
		if !known && !seen[dir] {
			found = append(found, dir+" has no row in the table: say there what it may import")
		}
		seen[dir] = true
		for _, imported := range f.imports {
			if !known || rule.allows(imported) {
				continue
			}
			if strings.HasSuffix(f.file, "_test.go") && (tests.allows(imported) || imported == module+"/"+dir) {
				continue
			}
			found = append(found, fmt.Sprintf("%s imports %s: see the table in internal/layout", f.file, imported))
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(rules)) {
		if !seen[dir] {
			found = append(found, dir+" has a row in the table and no code")
		}
	}
	return found
}

func (r row) allows(imported string) bool {
	if own, ok := strings.CutPrefix(imported, module+"/"); ok {
		return slices.Contains(r.own, own)
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return true // standard library
	}
	return slices.ContainsFunc(r.others, func(other string) bool {
		return imported == other || strings.HasPrefix(imported, other+"/")
	})
}

// sources reads all Go files of the module, whatever system they are built for.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	for _, name := range files(t) {
		if path.Ext(name) != ".go" || strings.HasPrefix(name, "tools/") { // tools are a module of their own
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		s := source{file: name}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			s.imports = append(s.imports, imported)
		}
		all = append(all, s)
	}
	return all
}

// files returns the names of all files of the repository, from its root and with
// slashes, without test data and what is hidden or built.
func files(t *testing.T) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if !entry.IsDir() {
			names = append(names, rel)
			return nil
		}
		base := path.Base(rel)
		if base == "testdata" || rel == "bin" || rel != "." && strings.HasPrefix(base, ".") {
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// Command lint holds the analyzers of make check. The go command drives it:
//
//	go vet -vettool=bin/lint ./...
//
// so that packages are loaded once for all analyzers, and a package which did not
// change is answered from the build cache.
//
// An analyzer is here for a fault that was seen, in our code or in that of others; the
// reason stands beside its name. There is no comment that silences one: change the
// code, or change the rule here for everybody and say why in the commit.
//
// Not here on purpose: scores of complexity, line length, blank lines (the bars of size
// and review do this better); spelling and full stops of comments (review reads them).
package main

import (
	"slices"
	"strings"

	"github.com/gordonklaus/ineffassign/pkg/ineffassign"
	"github.com/kisielk/errcheck/errcheck"
	"github.com/polyfloyd/go-errorlint/errorlint"
	"github.com/sonatard/noctx"
	"github.com/timakin/bodyclose/passes/bodyclose"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/modernize"
	"golang.org/x/tools/go/analysis/passes/nilness"
	"golang.org/x/tools/go/analysis/passes/sqlrowserr"
	"golang.org/x/tools/go/analysis/passes/unusedwrite"
	"golang.org/x/tools/go/analysis/unitchecker"
	"honnef.co/go/tools/analysis/lint"
	"honnef.co/go/tools/simple"
	"honnef.co/go/tools/staticcheck"
	"honnef.co/go/tools/stylecheck"

	"github.com/fingerpost/fingerpost/tools/lint/house"
)

func main() {
	unitchecker.Main(slices.Concat(
		faults(),
		staticChecks(),
		modernize.Suite, // one way to say a thing, that of the Go we require
		house.Analyzers, // rules of this project: see package house
	)...)
}

// faults returns the analyzers for faults of one kind each.
func faults() []*analysis.Analyzer {
	errcheck.DefaultExcludedSymbols = append(errcheck.DefaultExcludedSymbols, mayFail...)
	// A test that leaks ends soon, and what it overlooks shows in its next check.
	inCode := []*analysis.Analyzer{
		bodyclose.Analyzer, // a response that stays open keeps its connection: a sender runs out of them
		errcheck.Analyzer,  // an error dropped, above all that of a read which decides a write (miniflux, migrations)
		noctx.Analyzer,     // a request or query without context cannot be stopped (miniflux, storage)
	}
	everywhere := []*analysis.Analyzer{
		errorlint.NewAnalyzer(), // err == ErrX and err.(*XError) miss a wrapped error; a cast panics (nsq, http_api)
		ineffassign.Analyzer,    // an assignment nobody reads is often the wrong variable (mox, queue/hook.go)
		nilness.Analyzer,        // use of what was just found to be nil, on the paths of errors that no test takes
		sqlrowserr.Analyzer,     // a loop over rows cut short by an error looks like the end of the rows
		unusedwrite.Analyzer,    // a field set on a copy: the change is lost
	}
	for _, a := range inCode {
		everywhere = append(everywhere, outsideTests(a))
	}
	return everywhere
}

// mayFail names what errcheck lets pass: where a failure leaves nothing to do.
var mayFail = []string{
	// Of what was only read. What was written is closed with a look at the error.
	"(io.Closer).Close",
	"(io.ReadCloser).Close",
	"(*database/sql.Rows).Close",
	// The other side sees the end either way.
	"(net.Conn).Close",
	"(net.Listener).Close",
	// To a person, to memory, or to somebody who has hung up.
	"fmt.Fprint",
	"fmt.Fprintf",
	"fmt.Fprintln",
	"io.WriteString",
	"(net/http.ResponseWriter).Write",
	// Deferred, for a temporary file that was renamed if all went well.
	"os.Remove",
}

// outsideTests returns a without what it says of _test.go files.
func outsideTests(a *analysis.Analyzer) *analysis.Analyzer {
	narrowed := *a
	narrowed.Run = func(pass *analysis.Pass) (any, error) {
		report := pass.Report
		pass.Report = func(d analysis.Diagnostic) {
			if !strings.HasSuffix(pass.Fset.Position(d.Pos).Filename, "_test.go") {
				report(d)
			}
		}
		return a.Run(pass)
	}
	return &narrowed
}

// staticChecks returns those of staticcheck that it runs by default, and two of style:
// every package comment is there, and methods of a type agree on the receiver's name.
func staticChecks() []*analysis.Analyzer {
	chosen := []string{"ST1000", "ST1016"}
	var all []*analysis.Analyzer
	for _, a := range slices.Concat(staticcheck.Analyzers, simple.Analyzers, stylecheck.Analyzers) {
		if byDefault(a) || slices.Contains(chosen, a.Analyzer.Name) {
			all = append(all, a.Analyzer)
		}
	}
	return all
}

func byDefault(a *lint.Analyzer) bool { return !a.Doc.NonDefault }

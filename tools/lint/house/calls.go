package house

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
)

// Calls reports the use of functions and variables that have a better twin.
var Calls = &analysis.Analyzer{
	Name: "calls",
	Doc:  "report functions and variables which this project does not use",
	Run:  runCalls,
}

// A ban is on one function or variable.
type ban struct {
	instead string   // what to do
	where   place    // where it counts
	only    []string // directories of packages; none means all
	calls   bool     // a call is banned, to pass the function on is not
}

// A place is a set of files.
type place int

const (
	everywhere place = iota
	outsideTests
	outsideMain // package main may
)

// clockless are the packages that tests run in virtual or given time.
var clockless = []string{"internal/deliver", "internal/intake", "internal/zkpush"}

var bans = map[string]ban{
	// Nothing can stop it, and in a test it is either too short or too long.
	"time.Sleep": {instead: "wait for the event itself, or for a timer beside ctx.Done()"},
	// A field Now that tests set cannot reach it.
	"time.Now": {instead: "call the Now of the Config", where: outsideTests, only: clockless, calls: true},

	"context.TODO": {instead: "take the context from the caller"},

	// Shared by the whole process, without timeout, and it follows redirects.
	"net/http.DefaultClient":   {instead: "make a client with a timeout"},
	"net/http.DefaultServeMux": {instead: "make a mux"},
	"net/http.Handle":          {instead: "make a mux"},
	"net/http.HandleFunc":      {instead: "make a mux"},

	// A test that is skipped is a test that nobody misses.
	"(*testing.common).Skip":    {instead: "set up what is missing, or fail and say what to install"},
	"(*testing.common).Skipf":   {instead: "set up what is missing, or fail and say what to install"},
	"(*testing.common).SkipNow": {instead: "set up what is missing, or fail and say what to install"},

	// They end the process in the middle (golink); deferred calls do not run.
	"os.Exit":     {instead: "return an error", where: outsideMain},
	"log.Fatal":   {instead: "return an error"},
	"log.Fatalf":  {instead: "return an error"},
	"log.Fatalln": {instead: "return an error"},
	"log.Print":   {instead: "use the *slog.Logger of the Config"},
	"log.Printf":  {instead: "use the *slog.Logger of the Config"},
	"log.Println": {instead: "use the *slog.Logger of the Config"},

	// State of the whole process, so tests could not run in parallel.
	"log/slog.Default":    {instead: "use the *slog.Logger of the Config"},
	"log/slog.SetDefault": {instead: "use the *slog.Logger of the Config"},
	"log/slog.Debug":      {instead: "use the *slog.Logger of the Config"},
	"log/slog.Info":       {instead: "use the *slog.Logger of the Config"},
	"log/slog.Warn":       {instead: "use the *slog.Logger of the Config"},
	"log/slog.Error":      {instead: "use the *slog.Logger of the Config"},
	"os.Setenv":           {instead: "pass the value; in a test use t.Setenv"},
	"os.Chdir":            {instead: "pass the directory; in a test use t.Chdir"},
}

func runCalls(pass *analysis.Pass) (any, error) {
	called := map[*ast.Ident]bool{}
	walk(pass, func(node ast.Node) {
		switch node := node.(type) {
		case *ast.CallExpr:
			called[lastName(node.Fun)] = true
		case *ast.Ident:
			name := fullName(pass.TypesInfo.Uses[node])
			b, banned := bans[name]
			if banned && b.counts(pass, node) && (!b.calls || called[node]) {
				pass.Reportf(node.Pos(), "%s: %s", name, b.instead)
			}
		}
	})
	return nil, nil
}

func (b ban) counts(pass *analysis.Pass, node ast.Node) bool {
	if len(b.only) > 0 && !inside(pass, b.only) {
		return false
	}
	switch b.where {
	case outsideTests:
		return !inTest(pass, node)
	case outsideMain:
		return pass.Pkg.Name() != "main"
	}
	return true
}

// lastName returns the name that a call's function ends with: Sleep of time.Sleep.
func lastName(function ast.Expr) *ast.Ident {
	switch function := ast.Unparen(function).(type) {
	case *ast.SelectorExpr:
		return function.Sel
	case *ast.Ident:
		return function
	}
	return nil
}

// fullName returns "net/http.Get", "(*testing.common).Skip", "net/http.DefaultClient".
func fullName(object types.Object) string {
	switch object := object.(type) {
	case *types.Func:
		return object.FullName()
	case *types.Var:
		if object.Pkg() != nil && object.Parent() == object.Pkg().Scope() {
			return object.Pkg().Path() + "." + object.Name()
		}
	}
	return ""
}

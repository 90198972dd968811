package house

import (
	"go/ast"
	"regexp"

	"golang.org/x/tools/go/analysis"
)

const (
	maxFunction = 100 // lines, first to last
	maxFile     = 500
)

// Size reports functions and files that nobody reads in one go. Tests are exempt: a
// table of cases may be long.
var Size = &analysis.Analyzer{
	Name: "size",
	Doc:  "report functions over 100 lines and files over 500",
	Run:  runSize,
}

func runSize(pass *analysis.Pass) (any, error) {
	for _, file := range written(pass) {
		if inTest(pass, file) {
			continue
		}
		if n := lines(pass, file.FileStart, file.FileEnd-1); n > maxFile {
			pass.Reportf(file.Package, "file of %d lines, at most %d", n, maxFile)
		}
		for _, declaration := range file.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := lines(pass, function.Pos(), function.End()); n > maxFunction {
				pass.Reportf(function.Pos(), "%s has %d lines, at most %d", function.Name.Name, n, maxFunction)
			}
		}
	}
	return nil, nil
}

// Comments reports comments that promise later work, and those that ask analyzers to be
// silent: nothing here listens to them, so they say what is not so.
var Comments = &analysis.Analyzer{
	Name: "comments",
	Doc:  "report comments that promise later work or silence analyzers",
	Run:  runComments,
}

var (
	later   = regexp.MustCompile(`\b(TODO|FIXME|XXX)\b`)
	silence = regexp.MustCompile(`^//\s*(nolint|lint:ignore|lint:file-ignore|#nosec)`)
)

func runComments(pass *analysis.Pass) (any, error) {
	for _, file := range written(pass) {
		for _, group := range file.Comments {
			for _, comment := range group.List {
				switch {
				case later.MatchString(comment.Text):
					pass.Reportf(comment.Pos(), "comment promises later work: do it, or open an issue")
				case silence.MatchString(comment.Text):
					pass.Reportf(comment.Pos(), "no analyzer listens to this comment: change the code, or the rule in tools/lint")
				}
			}
		}
	}
	return nil, nil
}

// Package house holds the rules of this project that no published analyzer knows.
// Each is the lesson of a fault; see CONTRIBUTING.md.
//
// Files that a program wrote are exempt from the rules of form.
package house

import (
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/types/typeutil"
)

// Analyzers are all rules of the house.
var Analyzers = []*analysis.Analyzer{
	Calls,
	Comments,
	ErrorText,
	LogMessage,
	NamedResult,
	Rows,
	Size,
	State,
	Unused,
}

// inTest reports whether node stands in a _test.go file.
func inTest(pass *analysis.Pass, node ast.Node) bool {
	return strings.HasSuffix(pass.Fset.Position(node.Pos()).Filename, "_test.go")
}

// inside reports whether the package under analysis is one of the named directories'.
func inside(pass *analysis.Pass, directories []string) bool {
	path, _, _ := strings.Cut(pass.Pkg.Path(), " ") // "p [p.test]" is p with its tests
	for _, directory := range directories {
		if strings.HasSuffix(path, "/"+directory) {
			return true
		}
	}
	return false
}

// written returns the files that a person wrote. The main function which the go command
// makes for tests is not among them.
func written(pass *analysis.Pass) []*ast.File {
	var files []*ast.File
	for _, file := range pass.Files {
		name := pass.Fset.Position(file.FileStart).Filename
		if filepath.Ext(name) == ".go" && !ast.IsGenerated(file) {
			files = append(files, file)
		}
	}
	return files
}

// walk calls visit for every node of the files that a person wrote.
func walk(pass *analysis.Pass, visit func(ast.Node)) {
	for _, file := range written(pass) {
		ast.Inspect(file, func(node ast.Node) bool {
			if node != nil {
				visit(node)
			}
			return true
		})
	}
}

// callee returns the function that call calls, as "net/http.Get" or
// "(*log/slog.Logger).Info"; empty if it is only known at run time.
func callee(pass *analysis.Pass, call *ast.CallExpr) string {
	if function, ok := typeutil.Callee(pass.TypesInfo, call).(*types.Func); ok {
		return function.FullName()
	}
	return ""
}

// packageLevel returns the variable of this package that node names, or nil.
func packageLevel(pass *analysis.Pass, node ast.Expr) *types.Var {
	name, ok := node.(*ast.Ident)
	if !ok {
		return nil
	}
	variable, ok := pass.TypesInfo.ObjectOf(name).(*types.Var)
	if !ok || variable.Parent() != pass.Pkg.Scope() {
		return nil
	}
	return variable
}

// lines returns how many lines node takes.
func lines(pass *analysis.Pass, from, to token.Pos) int {
	return pass.Fset.Position(to).Line - pass.Fset.Position(from).Line + 1
}

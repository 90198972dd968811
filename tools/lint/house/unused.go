package house

import (
	"go/ast"
	"go/token"

	"golang.org/x/tools/go/analysis"
	"honnef.co/go/tools/unused"
)

// Unused reports what nothing uses (U1000 of staticcheck, whose own command does the
// reporting that this does).
var Unused = &analysis.Analyzer{
	Name:     "unused",
	Doc:      "report functions, types, fields and variables that nothing uses",
	Requires: []*analysis.Analyzer{unused.Analyzer.Analyzer},
	Run:      runUnused,
}

func runUnused(pass *analysis.Pass) (any, error) {
	for _, object := range pass.ResultOf[unused.Analyzer.Analyzer].(unused.Result).Unused {
		if file := fileNamed(pass, object.Position.Filename); file != nil && object.Name != "_" {
			pass.Reportf(position(pass, file, object.Position), "%s %s is unused", object.Kind, object.Name)
		}
	}
	return nil, nil
}

func fileNamed(pass *analysis.Pass, name string) *ast.File {
	for _, file := range pass.Files {
		if pass.Fset.Position(file.FileStart).Filename == name {
			return file
		}
	}
	return nil
}

func position(pass *analysis.Pass, file *ast.File, p token.Position) token.Pos {
	return pass.Fset.File(file.FileStart).Pos(p.Offset)
}

package house

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
)

// NamedResult reports results with a name, unless a deferred function sets one of them:
// only then is the name of use. Else it is a variable more that one may test by mistake
// (mox, queue/hook.go: the check never fires).
var NamedResult = &analysis.Analyzer{
	Name: "namedresult",
	Doc:  "report named results that no deferred function sets",
	Run:  runNamedResult,
}

func runNamedResult(pass *analysis.Pass) (any, error) {
	walk(pass, func(node ast.Node) {
		switch node := node.(type) {
		case *ast.FuncDecl:
			reportNames(pass, node.Type, node.Body)
		case *ast.FuncLit:
			reportNames(pass, node.Type, node.Body)
		}
	})
	return nil, nil
}

func reportNames(pass *analysis.Pass, signature *ast.FuncType, body *ast.BlockStmt) {
	if signature.Results == nil || body == nil {
		return
	}
	named := map[types.Object]bool{}
	for _, field := range signature.Results.List {
		for _, name := range field.Names {
			named[pass.TypesInfo.Defs[name]] = true
		}
	}
	if len(named) > 0 && !setByDefer(pass, body, named) {
		pass.Reportf(signature.Results.Pos(), "named result that no deferred function sets")
	}
}

// setByDefer reports whether a deferred function of body assigns one of results.
func setByDefer(pass *analysis.Pass, body *ast.BlockStmt, results map[types.Object]bool) bool {
	found := false
	ast.Inspect(body, func(node ast.Node) bool {
		deferred, ok := node.(*ast.DeferStmt)
		if !ok {
			return true
		}
		ast.Inspect(deferred.Call, func(node ast.Node) bool {
			assignment, ok := node.(*ast.AssignStmt)
			if !ok {
				return true
			}
			for _, target := range assignment.Lhs {
				if name, ok := root(target).(*ast.Ident); ok && results[pass.TypesInfo.Uses[name]] {
					found = true
				}
			}
			return true
		})
		return true
	})
	return found
}

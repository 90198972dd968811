package house

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
)

// Rows reports rows of a query that the function which asked neither closes by defer nor
// returns: where Scan fails they would keep their connection (golink, db.go). Prepared
// statements are let be, since a store may keep them as long as it lives.
var Rows = &analysis.Analyzer{
	Name: "rows",
	Doc:  "report rows that are not closed by defer",
	Run:  runRows,
}

func runRows(pass *analysis.Pass) (any, error) {
	walk(pass, func(node ast.Node) {
		switch node := node.(type) {
		case *ast.FuncDecl:
			reportRows(pass, node.Body)
		case *ast.FuncLit:
			reportRows(pass, node.Body)
		}
	})
	return nil, nil
}

func reportRows(pass *analysis.Pass, body *ast.BlockStmt) {
	if body == nil {
		return
	}
	settled := settledIn(pass, body)
	ast.Inspect(body, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.FuncLit:
			return false // looked at for itself
		case *ast.AssignStmt:
			for _, target := range node.Lhs {
				name, ok := target.(*ast.Ident)
				if !ok || !isRows(pass.TypesInfo.TypeOf(name)) {
					continue
				}
				if object := pass.TypesInfo.ObjectOf(name); name.Name == "_" || !settled[object] {
					pass.Reportf(name.Pos(), "rows are not closed: defer rows.Close() after the check of the error")
				}
			}
		}
		return true
	})
}

// settledIn returns what body closes by defer or returns.
func settledIn(pass *analysis.Pass, body *ast.BlockStmt) map[types.Object]bool {
	settled := map[types.Object]bool{}
	ast.Inspect(body, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.DeferStmt:
			if method, ok := node.Call.Fun.(*ast.SelectorExpr); ok && method.Sel.Name == "Close" {
				if name, ok := method.X.(*ast.Ident); ok {
					settled[pass.TypesInfo.Uses[name]] = true
				}
			}
		case *ast.ReturnStmt:
			for _, result := range node.Results {
				if name, ok := result.(*ast.Ident); ok {
					settled[pass.TypesInfo.Uses[name]] = true
				}
			}
		}
		return true
	})
	return settled
}

func isRows(t types.Type) bool {
	pointer, ok := t.(*types.Pointer)
	if !ok {
		return false
	}
	named, ok := pointer.Elem().(*types.Named)
	return ok && named.Obj().Name() == "Rows" && declaredIn(named) == "database/sql"
}

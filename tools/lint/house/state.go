package house

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
)

// State reports what a package keeps for the whole process, outside tests: an init
// function, a variable that a function changes, a lock. Without them, two gateways run
// in one test process and tests run in parallel (mox: "cannot run tests concurrently").
var State = &analysis.Analyzer{
	Name: "state",
	Doc:  "report init functions and package-level variables that change",
	Run:  runState,
}

func runState(pass *analysis.Pass) (any, error) {
	for _, file := range written(pass) {
		if inTest(pass, file) {
			continue
		}
		for _, declaration := range file.Decls {
			switch declaration := declaration.(type) {
			case *ast.FuncDecl:
				reportInit(pass, declaration)
				reportChanges(pass, declaration)
			case *ast.GenDecl:
				reportLocks(pass, declaration)
			}
		}
	}
	return nil, nil
}

func reportInit(pass *analysis.Pass, function *ast.FuncDecl) {
	if function.Recv == nil && function.Name.Name == "init" {
		pass.Reportf(function.Pos(), "init runs before anybody can say how: build the value in New")
	}
}

// reportChanges reports the assignments of function to variables of the package.
func reportChanges(pass *analysis.Pass, function *ast.FuncDecl) {
	report := func(target ast.Expr) {
		if variable := packageLevel(pass, root(target)); variable != nil {
			pass.Reportf(target.Pos(), "%s is shared by the whole process and changes here: make it a field", variable.Name())
		}
	}
	ast.Inspect(function, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.AssignStmt:
			for _, target := range node.Lhs {
				report(target)
			}
		case *ast.IncDecStmt:
			report(node.X)
		}
		return true
	})
}

// reportLocks reports variables of the package that are made to change: those of the
// types of sync and sync/atomic.
func reportLocks(pass *analysis.Pass, declaration *ast.GenDecl) {
	if declaration.Tok != token.VAR {
		return
	}
	for _, spec := range declaration.Specs {
		for _, name := range spec.(*ast.ValueSpec).Names {
			variable, ok := pass.TypesInfo.Defs[name].(*types.Var)
			if !ok {
				continue
			}
			if path := declaredIn(variable.Type()); path == "sync" || path == "sync/atomic" {
				pass.Reportf(name.Pos(), "%s is shared by the whole process: make it a field", name.Name)
			}
		}
	}
}

// root returns the name that an operand begins with: x of x.f[k].
func root(operand ast.Expr) ast.Expr {
	for {
		switch o := operand.(type) {
		case *ast.ParenExpr:
			operand = o.X
		case *ast.SelectorExpr:
			operand = o.X
		case *ast.IndexExpr:
			operand = o.X
		case *ast.StarExpr:
			operand = o.X
		default:
			return operand
		}
	}
}

// declaredIn returns the path of the package that declares t or what t points to.
func declaredIn(t types.Type) string {
	if pointer, ok := t.(*types.Pointer); ok {
		t = pointer.Elem()
	}
	if named, ok := t.(*types.Named); ok && named.Obj().Pkg() != nil {
		return named.Obj().Pkg().Path()
	}
	return ""
}

package house

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/analysis"
)

// ErrorText reports decisions by the words of an error: they change with the version of
// whoever wrote them (wtf, sqlite.go: English text of a constraint error). Tests may
// look at the words that a person will read.
var ErrorText = &analysis.Analyzer{
	Name: "errortext",
	Doc:  "report decisions by the text of an error",
	Run:  runErrorText,
}

var comparisons = []string{
	"strings.Contains", "strings.ContainsAny", "strings.Count", "strings.EqualFold",
	"strings.HasPrefix", "strings.HasSuffix", "strings.Index",
}

func runErrorText(pass *analysis.Pass) (any, error) {
	walk(pass, func(node ast.Node) {
		var operands []ast.Expr
		switch node := node.(type) {
		case *ast.CallExpr:
			if !slices.Contains(comparisons, callee(pass, node)) {
				return
			}
			operands = node.Args
		case *ast.BinaryExpr:
			if node.Op.String() != "==" && node.Op.String() != "!=" {
				return
			}
			operands = []ast.Expr{node.X, node.Y}
		case *ast.SwitchStmt:
			operands = []ast.Expr{node.Tag}
		}
		for _, operand := range operands {
			if errorText(pass, operand) && !inTest(pass, operand) {
				pass.Reportf(operand.Pos(), "decided by the text of an error: use errors.Is, errors.AsType or a code")
			}
		}
	})
	return nil, nil
}

// errorText reports whether operand is a call of Error of an error.
func errorText(pass *analysis.Pass, operand ast.Expr) bool {
	call, ok := operand.(*ast.CallExpr)
	if !ok {
		return false
	}
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || method.Sel.Name != "Error" || len(call.Args) > 0 {
		return false
	}
	wanted := types.Universe.Lookup("error").Type().Underlying().(*types.Interface)
	return types.Implements(pass.TypesInfo.TypeOf(method.X), wanted)
}

// LogMessage reports messages put together at run time: data belongs into attributes,
// where it can be searched, and where a secret is seen in review.
var LogMessage = &analysis.Analyzer{
	Name: "logmessage",
	Doc:  "report log messages that are not constant",
	Run:  runLogMessage,
}

// messageAt is the place of the message among the arguments of a method of slog.Logger.
var messageAt = map[string]int{
	"(*log/slog.Logger).Debug": 0, "(*log/slog.Logger).DebugContext": 1,
	"(*log/slog.Logger).Info": 0, "(*log/slog.Logger).InfoContext": 1,
	"(*log/slog.Logger).Warn": 0, "(*log/slog.Logger).WarnContext": 1,
	"(*log/slog.Logger).Error": 0, "(*log/slog.Logger).ErrorContext": 1,
	"(*log/slog.Logger).Log": 2, "(*log/slog.Logger).LogAttrs": 2,
}

func runLogMessage(pass *analysis.Pass) (any, error) {
	walk(pass, func(node ast.Node) {
		call, ok := node.(*ast.CallExpr)
		if !ok {
			return
		}
		place, logs := messageAt[callee(pass, call)]
		if !logs || len(call.Args) <= place {
			return
		}
		if message := call.Args[place]; pass.TypesInfo.Types[message].Value == nil {
			pass.Reportf(message.Pos(), "log message is not constant: put what varies into attributes")
		}
	})
	return nil, nil
}

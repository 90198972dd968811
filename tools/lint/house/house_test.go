package house_test

import (
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/fingerpost/fingerpost/tools/lint/house"
)

// Each package under testdata/src is named after its analyzer. Comments "want" stand
// where it must report; what it must let pass stands beside.
func TestAnalyzers(t *testing.T) {
	for _, a := range house.Analyzers {
		t.Run(a.Name, func(t *testing.T) {
			analysistest.Run(t, analysistest.TestData(), a, a.Name+"/...")
		})
	}
}

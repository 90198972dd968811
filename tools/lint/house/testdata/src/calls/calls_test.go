package calls

import "testing"

func TestNothing(t *testing.T) {
	t.Skip("no database") // want `Skip: set up what is missing`
}

package terminal_test

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/fingerpost/fingerpost/internal/fake/terminal"
)

func TestDraw(t *testing.T) {
	t.Parallel()
	common := []string{"add", "card", "face", "finger", "password", "photo", "punch", "rename", "role", "second card", "stranger"}
	removals := []string{"delete", "remove card", "remove face", "remove finger", "remove password"}
	tests := []struct {
		name     string
		protocol int
		choice   terminal.Choice
		want     []string
	}{
		{"attendance", 2, terminal.Choice{Users: 4}, append([]string{"delete"}, common...)},
		{"attendance, with removals", 2, terminal.Choice{Users: 4, Removals: true}, append(removals, common...)},
		{"access control tells no removals", 3, terminal.Choice{Users: 4, Removals: true}, common},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newGateway(t)
			term := newTerminal(t, g, terminal.Config{Protocol: tt.protocol, KeepAlive: true})
			seen := make(map[string]bool)
			for range 600 {
				before, _ := term.User("1")
				action, err := term.Draw(t.Context(), tt.choice)
				if err != nil {
					t.Fatalf("%s of user %s: %v", action.What, action.PIN, err)
				}
				if action.What == "photo" && action.PIN == "1" && before.FacePhoto != "" {
					t.Error("got another picture for the screen of a user with a face, want none")
				}
				seen[action.What] = true
			}
			if got, want := slices.Sorted(maps.Keys(seen)), slices.Sorted(slices.Values(tt.want)); !reflect.DeepEqual(got, want) {
				t.Errorf("got actions %q, want %q", got, want)
			}
			if got := len(term.Users()); got > 4 {
				t.Errorf("got %d users, want at most 4", got)
			}
		})
	}
}

func TestPunches_CountsWhatAGatewayCanTellApart(t *testing.T) {
	t.Parallel()
	for protocol, want := range map[int]int{2: 2, 3: 3} { // events have an index
		g := newGateway(t)
		term := newTerminal(t, g, terminal.Config{Protocol: protocol})
		for _, status := range []int{0, 0, 1} {
			if err := term.Punch(t.Context(), "1", status, 1); err != nil {
				t.Fatal(err)
			}
		}
		if got := term.Punches(); got != want {
			t.Errorf("protocol %d: got %d punches, want %d", protocol, got, want)
		}
	}
}

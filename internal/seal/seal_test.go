package seal_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/fingerpost/fingerpost/internal/seal"
)

func openFile(t *testing.T, name string) *seal.Box {
	t.Helper()
	box, err := seal.OpenFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func sealed(t *testing.T, box *seal.Box, purpose, plain string) []byte {
	t.Helper()
	text, err := box.Seal(purpose, []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestBox(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "seal.key")
	box := openFile(t, name)
	again := openFile(t, name)
	text := sealed(t, box, "template", "124445")

	t.Run("opens after the program started again", func(t *testing.T) {
		plain, err := again.Open("template", text)
		if err != nil || string(plain) != "124445" {
			t.Errorf("got %q, %v", plain, err)
		}
	})
	t.Run("does not show the text", func(t *testing.T) {
		if bytes.Contains(text, []byte("124445")) {
			t.Error("plain text shows")
		}
	})
	t.Run("seals the same text differently each time", func(t *testing.T) {
		if bytes.Equal(text, sealed(t, box, "template", "124445")) || bytes.Equal(text, sealed(t, again, "template", "124445")) {
			t.Error("two sealed texts are equal")
		}
	})
	t.Run("does not open for another purpose", func(t *testing.T) {
		if _, err := box.Open("password", text); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("got %v, want ErrOpen", err)
		}
	})
	t.Run("does not open under another key", func(t *testing.T) {
		other := openFile(t, filepath.Join(t.TempDir(), "seal.key"))
		if _, err := other.Open("template", text); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("got %v, want ErrOpen", err)
		}
	})
	t.Run("notices every changed bit and every cut", func(t *testing.T) {
		for i := range text {
			bad := bytes.Clone(text)
			bad[i] ^= 1
			if _, err := box.Open("template", bad); !errors.Is(err, seal.ErrOpen) {
				t.Errorf("byte %d changed: got %v, want ErrOpen", i, err)
			}
			if i > 0 {
				if _, err := box.Open("template", text[:i]); !errors.Is(err, seal.ErrOpen) {
					t.Errorf("cut to %d bytes: got %v, want ErrOpen", i, err)
				}
			}
		}
	})
	t.Run("keeps nothing as nothing", func(t *testing.T) {
		if got := sealed(t, box, "template", ""); len(got) != 0 {
			t.Errorf("got %d bytes, want 0", len(got))
		}
		if plain, err := box.Open("template", nil); err != nil || len(plain) != 0 {
			t.Errorf("got %q, %v", plain, err)
		}
	})
	t.Run("hashes by key and by part", func(t *testing.T) {
		if box.Hash("1", "23") != again.Hash("1", "23") {
			t.Error("hash changed with the process")
		}
		if box.Hash("1", "23") == box.Hash("12", "3") {
			t.Error("parts run into each other")
		}
		other := openFile(t, filepath.Join(t.TempDir(), "seal.key"))
		if box.Hash("1") == other.Hash("1") {
			t.Error("hash does not depend on the key")
		}
	})
}

func TestOpenFile(t *testing.T) {
	t.Parallel()
	t.Run("makes a key that only its owner may read", func(t *testing.T) {
		name := filepath.Join(t.TempDir(), "seal.key")
		openFile(t, name)
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("got %v, %v, want mode 0600", info, err)
		}
	})
	t.Run("refuses a key that others may read", func(t *testing.T) {
		name := filepath.Join(t.TempDir(), "seal.key")
		openFile(t, name)
		if err := os.Chmod(name, 0o640); err != nil {
			t.Fatal(err)
		}
		if _, err := seal.OpenFile(name); err == nil {
			t.Error("got no error")
		}
	})
	t.Run("refuses a damaged key instead of making a new one", func(t *testing.T) {
		name := filepath.Join(t.TempDir(), "seal.key")
		if err := os.WriteFile(name, []byte("c2hvcnQ=\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := seal.OpenFile(name); err == nil {
			t.Error("got no error")
		}
	})
	t.Run("gives two that start at once the same key", func(t *testing.T) {
		name := filepath.Join(t.TempDir(), "seal.key")
		hashes := make([]string, 8)
		var wg sync.WaitGroup
		for i := range hashes {
			wg.Go(func() {
				box, err := seal.OpenFile(name)
				if err != nil {
					t.Error(err)
					return
				}
				hashes[i] = box.Hash("x")
			})
		}
		wg.Wait()
		for _, h := range hashes {
			if h != hashes[0] {
				t.Errorf("got different keys: %v", hashes)
			}
		}
	})
}

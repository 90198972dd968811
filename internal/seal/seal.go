// Package seal encrypts what must not lie open in the store, and makes keyed hashes
// by which equal credentials are recognised without being kept.
//
// # What it promises
//
//   - What [Box.Seal] returns can be opened only with the same key and the same
//     purpose, and any change to it is noticed. A sealed text that is moved to
//     another column does not open.
//   - The cipher is AES-256-GCM. A key of its own is derived for every [Box], from the
//     key file and a random salt that stands in each sealed text, and nonces are
//     counted below it: no nonce is ever used twice under one key, however often the
//     program starts and however much it seals.
//   - [Box.Hash] is HMAC-SHA-256 under another derived key, cut to 128 bits.
//
// # What it does not promise
//
// The key file lies beside the store unless an operator puts it elsewhere: sealing
// protects a copied database, a backup, a disk that is sent in for repair. It does not
// protect against somebody who reads the whole data directory.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

const (
	keySize   = 32
	saltSize  = 16
	nonceSize = 12
	tagSize   = 16
	version   = 1

	// Overhead is by how many bytes a sealed text is longer than its plain text.
	Overhead = 1 + saltSize + nonceSize + tagSize

	// maxPerSalt bounds what is sealed under one derived key; far below what a 96-bit
	// counted nonce would allow.
	maxPerSalt = 1 << 40
	// maxOpeners bounds the derived keys kept in memory for opening.
	maxOpeners = 1024
)

// ErrOpen reports that a sealed text does not open: another key, another purpose,
// or damage.
var ErrOpen = errors.New("sealed text does not open: it is damaged, or the key is not the one it was sealed with")

// A Box seals and opens. It is safe for use by several goroutines.
type Box struct {
	master  []byte
	hashKey []byte
	salt    [saltSize]byte
	sealer  cipher.AEAD

	mu      sync.Mutex
	count   uint64
	openers map[[saltSize]byte]cipher.AEAD
}

// New returns a Box for a key of 32 bytes.
func New(key []byte) (*Box, error) {
	if len(key) != keySize {
		return nil, fmt.Errorf("making a box: key of %d bytes, want %d", len(key), keySize)
	}
	b := &Box{master: key, openers: make(map[[saltSize]byte]cipher.AEAD)}
	if _, err := rand.Read(b.salt[:]); err != nil {
		return nil, fmt.Errorf("drawing a salt: %w", err)
	}
	var err error
	if b.hashKey, err = hkdf.Key(sha256.New, key, nil, "fingerpost hash", keySize); err != nil {
		return nil, fmt.Errorf("deriving the hash key: %w", err)
	}
	if b.sealer, err = b.derive(b.salt); err != nil {
		return nil, err
	}
	b.openers[b.salt] = b.sealer
	return b, nil
}

// OpenFile returns the Box of a key file. A missing file is made, with a new random
// key and mode 0600, and is on disk when OpenFile returns. A file that others may
// read is refused.
func OpenFile(name string) (*Box, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeKey(name); err != nil {
			return nil, fmt.Errorf("making the sealing key: %w", err)
		}
		text, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the sealing key: %w", err)
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("reading the sealing key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("sealing key %q may be read by others (mode %04o): run chmod 600 on it", name, info.Mode().Perm())
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != keySize {
		return nil, fmt.Errorf("sealing key %q is not 32 bytes in base64: restore it from a backup; without it the store cannot be read", name)
	}
	return New(key)
}

// makeKey writes a new key beside name and links it into place, so that of two
// processes one wins and no half-written key is ever seen.
func makeKey(name string) error {
	key := make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	dir := filepath.Dir(name)
	file, err := os.CreateTemp(dir, ".seal-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	if _, err := file.WriteString(base64.StdEncoding.EncodeToString(key) + "\n"); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Link(file.Name(), name); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(dir)
}

func syncDir(name string) error {
	dir, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Seal returns plain encrypted for a purpose, such as "change.content". Empty plain
// text seals to nothing, so that an absent secret costs no bytes.
func (b *Box) Seal(purpose string, plain []byte) ([]byte, error) {
	if len(plain) == 0 {
		return nil, nil
	}
	b.mu.Lock()
	b.count++
	n := b.count
	b.mu.Unlock()
	if n > maxPerSalt {
		return nil, errors.New("sealing: this process has sealed 2^40 texts and has to be started again")
	}
	sealed := make([]byte, 1+saltSize+nonceSize, len(plain)+Overhead)
	sealed[0] = version
	copy(sealed[1:], b.salt[:])
	nonce := sealed[1+saltSize:]
	binary.BigEndian.PutUint64(nonce[nonceSize-8:], n)
	return b.sealer.Seal(sealed, nonce, plain, []byte(purpose)), nil
}

// Open returns what was sealed for a purpose, or an error that wraps [ErrOpen].
func (b *Box) Open(purpose string, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, nil
	}
	if len(sealed) < Overhead || sealed[0] != version {
		return nil, fmt.Errorf("opening %s: %w", purpose, ErrOpen)
	}
	aead, err := b.opener([saltSize]byte(sealed[1:]))
	if err != nil {
		return nil, err
	}
	nonce, text := sealed[1+saltSize:1+saltSize+nonceSize], sealed[1+saltSize+nonceSize:]
	plain, err := aead.Open(nil, nonce, text, []byte(purpose))
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", purpose, ErrOpen)
	}
	return plain, nil
}

// Hash returns a keyed hash of parts as 22 characters. Equal parts give equal
// hashes; ("a","bc") and ("ab","c") differ.
func (b *Box) Hash(parts ...string) string {
	mac := hmac.New(sha256.New, b.hashKey)
	var length [8]byte
	for _, part := range parts {
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		mac.Write(length[:])
		mac.Write([]byte(part))
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

func (b *Box) opener(salt [saltSize]byte) (cipher.AEAD, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if aead, ok := b.openers[salt]; ok {
		return aead, nil
	}
	aead, err := b.derive(salt)
	if err != nil {
		return nil, err
	}
	if len(b.openers) >= maxOpeners { // deriving again costs microseconds
		clear(b.openers)
		b.openers[b.salt] = b.sealer
	}
	b.openers[salt] = aead
	return aead, nil
}

func (b *Box) derive(salt [saltSize]byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, b.master, salt[:], "fingerpost seal", keySize)
	if err != nil {
		return nil, fmt.Errorf("deriving a key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("making a cipher: %w", err)
	}
	return cipher.NewGCM(block)
}

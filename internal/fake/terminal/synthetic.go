package terminal

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"strconv"
)

// NewPassword draws a password for a user: 6 digits.
func (t *Terminal) NewPassword(pin string) string {
	return strconv.Itoa(100_000 + t.draw("password/"+pin).IntN(900_000))
}

// NewCard draws a card number for a user: 10 digits, below 2^32 as cards of 32 bits are.
func (t *Terminal) NewCard(pin string) string {
	return strconv.FormatInt(1_000_000_000+t.draw("card/"+pin).Int64N(3_000_000_000), 10)
}

// NewName draws a name for a user.
func (t *Terminal) NewName(pin string) string {
	r := t.draw("name/" + pin)
	first := []string{"Asha", "Ravi", "Meera", "Omar", "Lena", "Tomas", "Chidi", "Yuki", "Ines", "Pavel"}
	last := []string{"Sample", "Example", "Muster", "Prueba", "Modello", "Exemplo"}
	return first[r.IntN(len(first))] + " " + last[r.IntN(len(last))]
}

// finger returns a drawing of a fingerprint template with the mark of ZKFinger 10: its
// bytes 2 to 5 are "SS21". Drawing 0 is none.
func (t *Terminal) finger(pin string, finger int, times uint64) string {
	if times == 0 {
		return ""
	}
	r := t.drawing(fingerName(pin, finger), times)
	size := t.cfg.TemplateSize
	if size == 0 {
		size = 1100 + r.IntN(901)
	}
	template := noise(r, size)
	copy(template, "J3SS21")
	return base64.StdEncoding.EncodeToString(template)
}

func fingerName(pin string, finger int) string { return "finger/" + pin + "/" + strconv.Itoa(finger) }

// face returns the rows of a drawing of a face: one of 756 characters, beginning as the
// newer templates do, or 15 of 2688 of a near-infrared face.
func (t *Terminal) face(pin string, times uint64) []string {
	if times == 0 {
		return nil
	}
	r := t.drawing(faceName(pin), times)
	rows, size := 1, 567
	if t.cfg.NearInfrared {
		rows, size = 15, 2016
	}
	var face []string
	for range rows {
		template := noise(r, size)
		if rows == 1 {
			copy(template, "\x6a\x95\x01")
		}
		face = append(face, base64.StdEncoding.EncodeToString(template))
	}
	return face
}

func faceName(pin string) string { return "face/" + pin }

// photo returns a drawing of nobody: a JPEG of the configured size.
func (t *Terminal) photo(pin string, times uint64) string {
	if times == 0 {
		return ""
	}
	r := t.drawing(photoName(pin), times)
	picture := portrait(r, t.cfg.PhotoWidth, t.cfg.PhotoHeight)
	var b bytes.Buffer
	// Nothing but a picture of 65,536 pixels or more a side fails, which New refuses.
	_ = jpeg.Encode(&b, picture, &jpeg.Options{Quality: 75})
	return base64.StdEncoding.EncodeToString(fillUp(r, b.Bytes(), t.cfg.PhotoBytes))
}

func photoName(pin string) string { return "photo/" + pin }

// draw returns the random numbers of the next drawing with this name.
func (t *Terminal) draw(name string) *rand.Rand { return t.drawing(name, t.next(name)) }

// next returns the number of the next drawing with this name, from 1.
func (t *Terminal) next(name string) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drawn[name]++
	return t.drawn[name]
}

// drawing returns the random numbers of a drawing. They depend on the seed, the serial
// number, the name and the number of the drawing, on nothing else.
func (t *Terminal) drawing(name string, times uint64) *rand.Rand {
	key := sha256.Sum256(fmt.Appendf(nil, "%d\n%s\n%s\n%d", t.cfg.Seed, t.cfg.Serial, name, times))
	return rand.New(rand.NewChaCha8(key))
}

func noise(r *rand.Rand, size int) []byte {
	b := make([]byte, 0, size+8)
	for len(b) < size {
		b = binary.LittleEndian.AppendUint64(b, r.Uint64())
	}
	return b[:size]
}

// portrait draws a head and shoulders in flat colours on a graded ground.
func portrait(r *rand.Rand, width, height int) image.Image {
	tone := func() uint8 { return uint8(64 + r.IntN(160)) }
	skin := color.RGBA{tone(), tone(), tone(), 255}
	shirt := color.RGBA{tone(), tone(), tone(), 255}
	blue := tone()

	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			pixel := color.RGBA{uint8(255 * x / width), uint8(255 * y / height), blue, 255}
			switch {
			case inEllipse(x, y, width/2, height*2/5, width/4, height/5):
				pixel = skin
			case inEllipse(x, y, width/2, height, width*2/5, height*3/10):
				pixel = shirt
			}
			picture.SetRGBA(x, y, pixel)
		}
	}
	return picture
}

func inEllipse(x, y, middleX, middleY, radiusX, radiusY int) bool {
	if radiusX == 0 || radiusY == 0 {
		return false
	}
	dx, dy := float64(x-middleX)/float64(radiusX), float64(y-middleY)/float64(radiusY)
	return dx*dx+dy*dy <= 1
}

// fillUp returns a JPEG with comments after its first marker, so that it has size
// bytes. One that is larger, or too little smaller for a comment, stays as it is.
func fillUp(r *rand.Rand, picture []byte, size int) []byte {
	const (
		head       = 4                 // marker and length
		maxContent = 1<<16 - 1 - 2     // the length counts itself
		maxComment = head + maxContent // bytes of one comment
	)
	var comments []byte
	for missing := size - len(picture); missing >= head; missing = size - len(picture) - len(comments) {
		content := min(missing, maxComment) - head
		if rest := missing - head - content; rest > 0 && rest < head {
			content -= head // leave room for the head of the last comment
		}
		comments = append(comments, 0xff, 0xfe)
		comments = binary.BigEndian.AppendUint16(comments, uint16(content+2))
		comments = append(comments, noise(r, content)...)
	}
	const startOfImage = 2
	filled := append([]byte{}, picture[:startOfImage]...)
	filled = append(filled, comments...)
	return append(filled, picture[startOfImage:]...)
}

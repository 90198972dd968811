package deliver

import (
	"fmt"
	"testing"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// BenchmarkRender makes the bodies of a fingerprint of 2 KB and a photo of 50 KB.
func BenchmarkRender(b *testing.B) {
	e := enroll.Endpoint{Dialect: "niya", UserIDs: "documented", AuthToken: token}
	finger := aDelivery(2 << 10)
	photo := aDelivery(0)
	photo.Change.Kinds, photo.Change.Templates = enroll.Photo, nil
	photo.Change.Photo = &enroll.Data{Bytes: make([]byte, 50<<10)}
	for _, d := range []enroll.Delivery{finger, photo} {
		b.Run(fmt.Sprintf("%dKB", d.Change.Size()>>10), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				body, _, err := render(d, e)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(len(body)))
			}
		})
	}
}

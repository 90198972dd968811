package load

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestDevice(t *testing.T) {
	t.Parallel()
	d := newDevice(7, "127.0.0.1:1", 2000)
	seen := make(map[string]bool)
	for n := int64(1); n <= users*fingers+2; n++ {
		request := d.next()
		seen[string(d.pin)+"/"+string(d.finger)] = true
		if n > 3 && n%499 != 0 { // reading all of them takes seconds
			continue
		}
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || int64(len(body)) != r.ContentLength || r.URL.Query().Get("SN") != "BENCH000007" {
			t.Fatalf("upload %d: got %d bytes of %d to %v, %v", n, len(body), r.ContentLength, r.URL, err)
		}
		var pin, finger, size, valid int64
		var template string
		line := strings.ReplaceAll(string(body), "\t", " ") // or Sscanf mixes them up
		if _, err := fmt.Sscanf(line, "FP PIN=%d FID=%d Size=%d Valid=%d TMP=%s\n", &pin, &finger, &size, &valid, &template); err != nil {
			t.Fatalf("upload %d: got %q: %v", n, body[:60], err)
		}
		if want := firstUser + (n-1)%users; pin != want || finger != (n-1)/users%fingers || size != 2000 || len(template) != 2000 || valid != 1 {
			t.Fatalf("upload %d: got user %d, finger %d, size %d, valid %d, %d characters", n, pin, finger, size, valid, len(template))
		}
		raw, err := base64.StdEncoding.DecodeString(template)
		if err != nil || !bytes.HasPrefix(raw, []byte("J3SS21")) {
			t.Fatalf("upload %d: the template is no ZKFinger 10 in base64: %v", n, err)
		}
		if again := base64.StdEncoding.EncodeToString(raw); again != template {
			t.Fatalf("upload %d: the template changes when it is decoded and encoded", n)
		}
		if got := numberIn([]byte(`{"Data":"` + template + `"}`)); got != n {
			t.Fatalf("upload %d: got number %d of its callback", n, got)
		}
	}
	if got, want := len(seen), users*fingers; got != want {
		t.Errorf("got %d fingers, want %d", got, want)
	}
	if other := newDevice(8, "127.0.0.1:1", 2000); bytes.Equal(other.request[len(other.request)-100:], d.request[len(d.request)-100:]) {
		t.Error("two devices have the same template")
	}
}

func TestNumberIn_BodiesThatAreNotOurs(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "{}", `{"Data":"AAAA000000000001"}`, `{"Data":"` + mark + `0000000000x1"}`, `{"Data":"` + mark + `0001`} {
		if got := numberIn([]byte(body)); got != 0 {
			t.Errorf("%s: got %d, want 0", body, got)
		}
	}
}

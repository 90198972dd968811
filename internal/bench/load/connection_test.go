package load

import (
	"bufio"
	"strings"
	"testing"
)

func TestAnswer(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer string
		want   string // empty: an error
	}{
		{"a device ack", "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 5\r\n\r\nOK: 1", "OK: 1"},
		{"names of headers in any case", "HTTP/1.1 200 OK\r\ncontent-length:2\r\n\r\nOK: 1", "OK"},
		{"another status", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\n\r\nOK: 1", ""},
		{"no length", "HTTP/1.1 200 OK\r\n\r\nOK: 1", ""},
		{"a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nOK: 1", ""},
		{"a length below nothing", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nOK: 1", ""},
		{"a length beyond all", "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nOK: 1", ""},
		{"headers cut short", "HTTP/1.1 200 OK\r\nContent-Le", ""},
		{"a body cut short", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nOK", ""},
		{"nothing", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := connection{in: bufio.NewReader(strings.NewReader(tt.answer))}
			got, err := c.answer()
			if string(got) != tt.want && err == nil || (err != nil) != (tt.want == "") {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestAnswer_FollowedByTheNext(t *testing.T) {
	t.Parallel()
	one := "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nOK: 1"
	c := connection{in: bufio.NewReader(strings.NewReader(one + one))}
	for range 2 {
		if got, err := c.answer(); string(got) != "OK: 1" || err != nil {
			t.Fatalf("got %q, %v, want OK: 1", got, err)
		}
	}
}

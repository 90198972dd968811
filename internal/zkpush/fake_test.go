package zkpush

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// A memory is a Sink that keeps everything in memory.
type memory struct {
	mu        sync.Mutex
	device    enroll.Device // every approved serial number has these settings
	pending   bool          // no device is approved
	seenErr   error
	acceptErr error
	sightings []enroll.Sighting
	uploads   []enroll.Upload
	committed func() // called at the end of Accept and Answered

	orders   []enroll.Order // to be handed out, in this order
	orderErr error          // of all that has to do with orders
	answers  []enroll.OrderAnswer
	parts    map[int][]byte // of the one answer that comes in parts
}

func (m *memory) Seen(_ context.Context, serial enroll.Serial, s enroll.Sighting) (enroll.Device, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sightings = append(m.sightings, s)
	if m.seenErr != nil {
		return enroll.Device{}, m.seenErr
	}
	if m.pending {
		return enroll.Device{}, fmt.Errorf("device %q: %w", serial, enroll.ErrUnknownDevice)
	}
	d := m.device
	d.Serial = serial
	return d, nil
}

func (m *memory) Accept(_ context.Context, _ enroll.Serial, upload enroll.Upload) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.acceptErr != nil {
		return m.acceptErr
	}
	m.uploads = append(m.uploads, upload)
	if m.committed != nil {
		m.committed()
	}
	return nil
}

func (m *memory) NextOrder(context.Context, enroll.Serial) (enroll.Order, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.orderErr != nil || len(m.orders) == 0 {
		return enroll.Order{}, false, m.orderErr
	}
	next := m.orders[0]
	m.orders = m.orders[1:]
	return next, true, nil
}

func (m *memory) Answered(_ context.Context, _ enroll.Serial, answers []enroll.OrderAnswer) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.orderErr != nil {
		return m.orderErr
	}
	m.answers = append(m.answers, answers...)
	if m.committed != nil {
		m.committed()
	}
	return nil
}

func (m *memory) Join(_ context.Context, _ enroll.Serial, part enroll.Part) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.orderErr != nil {
		return nil, false, m.orderErr
	}
	if m.parts == nil {
		m.parts = make(map[int][]byte)
	}
	m.parts[part.Index] = bytes.Clone(part.Body)
	if len(m.parts) < part.Count {
		return nil, false, nil
	}
	var whole []byte
	for i := range part.Count {
		whole = append(whole, m.parts[i+1]...)
	}
	return whole, true, nil
}

// hashForTest stands for the keyed hash.
func hashForTest(parts ...string) string { return strings.Join(parts, "|") }

// newHandler returns a handler whose device is in India, its sink and its log.
func newHandler(t *testing.T) (*Handler, *memory, *bytes.Buffer) {
	t.Helper()
	sink := &memory{device: enroll.Device{TimeZone: "Asia/Kolkata", Poll: 10 * time.Second, Sighting: enroll.Sighting{Language: "69"}}}
	var log bytes.Buffer
	h, err := New(Config{
		Sink: sink,
		Hash: hashForTest,
		Log:  slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:  func() time.Time { return time.Date(2026, 9, 28, 10, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return h, sink, &log
}

// send has h answer a request without a network.
func send(h http.Handler, method, url, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, url, strings.NewReader(body)))
	return w
}

func checkAnswer(t *testing.T, w *httptest.ResponseRecorder, status int, body string) {
	t.Helper()
	if w.Code != status || w.Body.String() != body {
		t.Errorf("got %d %q, want %d %q", w.Code, w.Body, status, body)
	}
}

// describe prints a report with its content, long ones by length and hash.
func describe(report enroll.Report) string {
	switch r := report.(type) {
	case enroll.UserReport:
		return fmt.Sprintf("user %q name=%s last=%s privilege=%s password=%s card=%s second=%s", r.UserID,
			orNil(r.Name), orNil(r.LastName), orNil(r.Privilege), orNil(r.Password), orNil(r.Card), orNil(r.SecondCard))
	case enroll.TemplateReport:
		return fmt.Sprintf("template %q %s number=%q row=%q algorithm=%q version=%q %s", r.UserID, r.Kind, r.Number, r.Row, r.Algorithm, r.Version, short(r.Data))
	case enroll.PictureReport:
		return fmt.Sprintf("picture %q secondary=%v %s", r.UserID, r.Secondary, short(r.Data))
	case enroll.OperationReport:
		return fmt.Sprintf("operation %d by %q on %q at %q explains=%s removes=%s", r.Code, r.Operator, r.UserID, r.Time, r.Explains, r.Removes)
	case enroll.PunchReport:
		index := ""
		if r.Index != "" {
			index = fmt.Sprintf(" index=%q", r.Index)
		}
		return fmt.Sprintf("punch %q %q status=%d verify=%d workcode=%q temperature=%q mask=%s", r.UserID, r.Time, r.Status, r.Verify, r.WorkCode, r.Temperature, orNil(r.Mask)) + index
	case enroll.UnreadReport:
		return fmt.Sprintf("unread (%s) %s", r.Why, short(enroll.Data{Bytes: r.Line, Text: true}))
	case enroll.KeptReport:
		return fmt.Sprintf("kept (%s) %s", r.Why, short(enroll.Data{Bytes: r.Line, Text: true}))
	}
	return fmt.Sprintf("%#v", report)
}

func orNil[T any](value *T) string {
	if value == nil {
		return "nil"
	}
	return fmt.Sprintf("%#v", *value)
}

func short(d enroll.Data) string {
	wire := d.Wire()
	if len(wire) <= 60 {
		return fmt.Sprintf("text=%v %q", d.Text, wire)
	}
	return fmt.Sprintf("text=%v %d characters, sha256 %.8x", d.Text, len(wire), sha256.Sum256([]byte(wire)))
}

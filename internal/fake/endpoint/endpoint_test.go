package endpoint_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/callback"
	"github.com/fingerpost/fingerpost/internal/fake/endpoint"
)

// noon is when callbacks of these tests are sent and received.
var noon = time.Date(2026, 9, 17, 12, 0, 0, 0, time.UTC)

func newEndpoint(t *testing.T, c endpoint.Config) *endpoint.Endpoint {
	t.Helper()
	if c.Now == nil {
		c.Now = func() time.Time { return noon }
	}
	e, err := endpoint.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// encode returns the body of a password of user 8.
func encode(t *testing.T, operation, token string) []byte {
	t.Helper()
	body, err := callback.Callback{
		OperationID: operation,
		AuthToken:   callback.Masked(token),
		User: &callback.UserUpdated{UserID: "8", FirstName: "Asha Sample", Template: []callback.Template{
			{Type: callback.Password, Data: "124445"},
		}},
	}.Encode(callback.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// newRequest returns a callback as a gateway sends it, signed unless secret is "".
func newRequest(t *testing.T, url, secret string, sequence int, body []byte) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"?stgid=ST-1", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(callback.HeaderLane, "lane-a")
	req.Header.Set(callback.HeaderSequence, strconv.Itoa(sequence))
	req.Header.Set(callback.HeaderAttempt, "1")
	req.Header.Set(callback.HeaderID, "op0000000001")
	if secret != "" {
		signature, err := callback.Sign(secret, "op0000000001", noon, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(callback.HeaderTimestamp, strconv.FormatInt(noon.Unix(), 10))
		req.Header.Set(callback.HeaderSignature, signature)
	}
	return req
}

// send returns status and body of the answer.
func send(t *testing.T, client *http.Client, req *http.Request) (int, string, error) {
	t.Helper()
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(answer), err
}

func TestNew_RefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]endpoint.Config{
		"status of no answer": {Fail: []int{500, 99}},
		"negative delay":      {Delay: -1},
		"broken secret":       {Secret: "whsec_no"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := endpoint.New(c); err == nil {
				t.Error("got no error, want one")
			}
		})
	}
}

func TestEndpoint_RecordsWhatCame(t *testing.T) {
	t.Parallel()
	secret := callback.NewSecret()
	e := newEndpoint(t, endpoint.Config{AuthToken: "tok", Secret: secret})
	server := httptest.NewServer(e)
	defer server.Close()
	body := encode(t, "op0000000001", "tok")

	status, answer, err := send(t, server.Client(), newRequest(t, server.URL+"/hook", secret, 3, body))
	if err != nil || status != 200 || answer != `{"status":"done"}` {
		t.Fatalf("got %d %q %v, want 200 done", status, answer, err)
	}
	all := e.Received()
	if len(all) != 1 {
		t.Fatalf("got %d callbacks, want 1", len(all))
	}
	got := all[0]
	if got.ParseErr != nil || got.TokenErr != nil || got.SignatureErr != nil {
		t.Errorf("got errors %v, %v, %v, want none", got.ParseErr, got.TokenErr, got.SignatureErr)
	}
	if got.StgID != "ST-1" || got.URI != "/hook?stgid=ST-1" || got.Lane != "lane-a" || got.Sequence != 3 ||
		got.Attempt != 1 || got.OperationID != "op0000000001" || got.Status != 200 || !got.At.Equal(noon) || got.Overlaps {
		t.Errorf("got stgid %q, URI %q, lane %q, sequence %d, attempt %d, operation %q, status %d, at %v, overlaps %v",
			got.StgID, got.URI, got.Lane, got.Sequence, got.Attempt, got.OperationID, got.Status, got.At, got.Overlaps)
	}
	if !bytes.Equal(got.Body, body) {
		t.Error("got another body than was sent")
	}
	if got.Callback.User == nil || got.Callback.User.UserID != "8" {
		t.Error("got no user 8 in the callback")
	}
}

func TestEndpoint_ChecksTokenAndSignature(t *testing.T) {
	t.Parallel()
	secret, other := callback.NewSecret(), callback.NewSecret()
	tests := []struct {
		name             string
		config           endpoint.Config
		token, signed    string
		wantToken, wantS error
	}{
		{"both right", endpoint.Config{AuthToken: "tok", Secret: secret}, "tok", secret, nil, nil},
		{"both wrong", endpoint.Config{AuthToken: "tok", Secret: secret}, "tik", other, endpoint.ErrToken, callback.ErrSignature},
		{"both absent", endpoint.Config{AuthToken: "tok", Secret: secret}, "", "", endpoint.ErrToken, callback.ErrUnsigned},
		{"nothing to check with", endpoint.Config{}, "tok", secret, endpoint.ErrNotChecked, endpoint.ErrNotChecked},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := newEndpoint(t, tt.config)
			w := httptest.NewRecorder()
			e.ServeHTTP(w, newRequest(t, "http://host/", tt.signed, 1, encode(t, "op0000000001", tt.token)))
			got := e.Received()[0]
			if !errors.Is(got.TokenErr, tt.wantToken) || !errors.Is(got.SignatureErr, tt.wantS) {
				t.Errorf("got %v and %v, want %v and %v", got.TokenErr, got.SignatureErr, tt.wantToken, tt.wantS)
			}
			if w.Code != 200 {
				t.Errorf("got status %d, want 200", w.Code)
			}
		})
	}
}

func TestEndpoint_RecordsWhatIsNoCallback(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t, endpoint.Config{})
	e.ServeHTTP(httptest.NewRecorder(), newRequest(t, "http://host/", "", 1, []byte("nonsense")))
	got := e.Received()
	if len(got) != 1 || got[0].ParseErr == nil || got[0].OperationID != "op0000000001" {
		t.Errorf("got %d records, want one that says that it is no callback", len(got))
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://host/", nil))
	if w.Code != http.StatusMethodNotAllowed || e.Count() != 1 {
		t.Errorf("got status %d for a GET and %d records, want 405 and 1", w.Code, e.Count())
	}
}

func TestEndpoint_FailsInTurnAndThenAcknowledges(t *testing.T) {
	t.Parallel()
	var told []int
	e := newEndpoint(t, endpoint.Config{
		Fail: []int{500, 404, 204}, Body: "ok",
		OnCallback: func(r endpoint.Received) { told = append(told, r.Status) },
	})
	body := encode(t, "op0000000001", "")
	answer := func() (int, string) {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, newRequest(t, "http://host/", "", 1, body))
		return w.Code, w.Body.String()
	}
	for _, want := range []int{500, 404, 204, 200} {
		if got, _ := answer(); got != want {
			t.Errorf("got status %d, want %d", got, want)
		}
	}
	if err := e.SetFail(503); err != nil {
		t.Fatal(err)
	}
	if got, text := answer(); got != 503 || text == "ok" {
		t.Errorf("got %d %q after SetFail, want 503 without ok", got, text)
	}
	e.SetBehaviour(func(r endpoint.Received) endpoint.Answer {
		if r.StgID == "ST-1" {
			return endpoint.Redirect("http://elsewhere/")
		}
		return endpoint.Done()
	})
	if got, _ := answer(); got != 307 {
		t.Errorf("got status %d of a behaviour, want 307", got)
	}
	e.SetBehaviour(nil)
	if got, text := answer(); got != 200 || text != "ok" {
		t.Errorf("got %d %q, want 200 ok", got, text)
	}
	if err := e.SetFail(42); err == nil {
		t.Error("got no error for status 42, want one")
	}
	want := []int{500, 404, 204, 200, 503, 307, 200}
	if len(told) != len(want) || told[4] != 503 || told[5] != 307 {
		t.Errorf("got statuses %v told, want %v", told, want)
	}
}

func TestEndpoint_ResetCutsTheConnection(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t, endpoint.Config{})
	e.SetBehaviour(func(endpoint.Received) endpoint.Answer { return endpoint.Reset() })
	server := httptest.NewServer(e)
	defer server.Close()
	status, _, err := send(t, server.Client(), newRequest(t, server.URL, "", 1, encode(t, "op0000000001", "")))
	if err == nil {
		t.Errorf("got status %d, want an error", status)
	}
	if got := e.Received()[0]; got.Status != 0 || got.Acknowledged() {
		t.Errorf("got status %d recorded, want 0", got.Status)
	}
}

func TestEndpoint_HangsUntilReleased(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t, endpoint.Config{})
	e.SetBehaviour(func(endpoint.Received) endpoint.Answer { return endpoint.Hang() })
	server := httptest.NewServer(e)
	defer server.Close()
	req := newRequest(t, server.URL, "", 1, encode(t, "op0000000001", ""))

	ended := make(chan error)
	go func() {
		resp, err := server.Client().Do(req)
		if err == nil {
			resp.Body.Close()
		}
		ended <- err
	}()
	if err := e.Wait(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	// Another one of the lane overlaps the one that hangs.
	e.SetBehaviour(nil)
	e.ServeHTTP(httptest.NewRecorder(), newRequest(t, "http://host/", "", 2, encode(t, "op0000000002", "")))
	if got := e.Received(); got[0].Overlaps || !got[1].Overlaps {
		t.Errorf("got overlaps %v and %v, want false and true", got[0].Overlaps, got[1].Overlaps)
	}
	select {
	case err := <-ended:
		t.Fatalf("got %v before the release, want it to hang", err)
	default:
	}

	e.Release()
	if err := <-ended; err == nil {
		t.Error("got an answer of what hung, want an error")
	}
}

func TestWait_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t, endpoint.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Wait(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of the context", err)
	}
	never := func([]endpoint.Received) bool { return false }
	if err := e.WaitFor(ctx, never); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of the context", err)
	}
}

func TestEndpoint_DiscardCountsOnly(t *testing.T) {
	t.Parallel()
	told := 0
	e := newEndpoint(t, endpoint.Config{Discard: true, OnCallback: func(endpoint.Received) { told++ }})
	e.ServeHTTP(httptest.NewRecorder(), newRequest(t, "http://host/", "", 1, encode(t, "op0000000001", "")))
	if got := e.Count(); got != 1 || told != 1 || len(e.Received()) != 0 {
		t.Errorf("got count %d, told %d, kept %d, want 1, 1, 0", got, told, len(e.Received()))
	}
	if err := e.Wait(t.Context(), 1); err != nil {
		t.Error(err)
	}
}

package main

import (
	"context"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/admin"
	"github.com/fingerpost/fingerpost/internal/fake/endpoint"
	"github.com/fingerpost/fingerpost/internal/fake/terminal"
)

// Contract point 11: SIGTERM gives attempts in flight 25 s, and the gateway exits within
// 30 s. A cut attempt is not a failure.
func TestStop_EndpointHangs(t *testing.T) {
	t.Parallel()
	binary, dir, address := buildBinary(t), t.TempDir(), devicePort(t, rand.IntN)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	gateway := mustStart(t, dir, append([]string{binary}, serveArgs(dir, address)...)...)
	receiver, err := endpoint.New(endpoint.Config{})
	if err != nil {
		t.Fatal(err)
	}
	receiver.SetBehaviour(func(endpoint.Received) endpoint.Answer { return endpoint.Hang() })
	client := gateway.client(t)
	if _, err := client.AddEndpoint(ctx, admin.NewEndpoint{Name: "slow", URL: startReceiver(t, receiver), Timeout: "120s"}); err != nil {
		t.Fatal(err)
	}
	addDevice(t, client, "STOP0001", "slow")
	device, err := terminal.New(terminal.Config{Gateway: "http://" + address, Serial: "STOP0001", Habits: terminal.Polite()})
	if err != nil {
		t.Fatal(err)
	}
	if err := device.AddUser(ctx, terminal.User{PIN: "1", Name: "Asha Sample"}); err != nil {
		t.Fatal(err)
	}
	if err := receiver.Wait(ctx, 1); err != nil {
		t.Fatal(err)
	}

	asked := time.Now()
	if err := gateway.signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-gateway.ended
	took := time.Since(asked)
	if gateway.err != nil {
		t.Errorf("got %v, want exit code 0:\n%s", gateway.err, &gateway.output)
	}
	if took < 24*time.Second || took > 30*time.Second {
		t.Errorf("got an end after %v, want 25s for the attempt, and 30s at most", took)
	}

	receiver.SetBehaviour(nil)
	gateway = mustStart(t, dir, append([]string{binary}, serveArgs(dir, address)...)...)
	if err := receiver.Wait(ctx, 2); err != nil {
		t.Fatal(err)
	}
	if err := awaitNothingWaits(ctx, gateway.client(t), "slow"); err != nil {
		t.Fatal(err)
	}
	received := receiver.Received()
	if breaches := endpoint.Check(received); len(breaches) > 0 || len(received) != 2 || received[1].Attempt != 1 {
		t.Errorf("got %d callbacks, the last one attempt %d, and breaches %q, want 2, attempt 1, and none", len(received), received[1].Attempt, breaches)
	}
	checkNoFailure(t, gateway.client(t))
	gateway.stop(t)
}

// checkNoFailure checks that the only delivery shows one attempt, and the endpoint no
// failure.
func checkNoFailure(t *testing.T, client *admin.Client) {
	t.Helper()
	e, err := client.Endpoint(t.Context(), "slow")
	if err != nil {
		t.Fatal(err)
	}
	if e.State != "active" || e.Failures != 0 {
		t.Errorf("got an endpoint that is %s with %d failures, want active with 0", e.State, e.Failures)
	}
	list, err := client.Deliveries(t.Context(), admin.DeliveryQuery{})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Items) != 1 || list.Items[0].State != "delivered" || list.Items[0].Attempts != 1 {
		t.Errorf("got %+v, want one delivery, delivered in one attempt", list.Items)
	}
}

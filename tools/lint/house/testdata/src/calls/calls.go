package calls

import (
	"context"
	"net/http"
	"os"
	"time"
)

func wait() time.Time {
	time.Sleep(time.Second) // want `time.Sleep: wait for the event`
	os.Exit(1)              // want `os.Exit: return an error`
	return time.Now()       // only some packages run in given time
}

func send(ctx context.Context) {
	_ = context.TODO()     // want `context.TODO: take the context`
	_ = http.DefaultClient // want `net/http.DefaultClient: make a client`
	_ = http.Client{Timeout: time.Second}
}

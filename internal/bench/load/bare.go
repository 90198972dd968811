package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Bare measures what a gateway is held against: net/http posting bodies of so many bytes
// straight to a sink, as fast as the connections take them, for d. It returns requests
// per second.
func Bare(ctx context.Context, connections, bodyBytes int, d time.Duration) (float64, error) {
	var rate float64
	var err error
	as("bare", func() { rate, err = bare(ctx, connections, bodyBytes, d) })
	return rate, err
}

func bare(ctx context.Context, connections, bodyBytes int, d time.Duration) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, d+answerWait)
	defer cancel()
	sink, err := NewSink(ctx, 0)
	if err != nil {
		return 0, err
	}
	transport := &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	body := bytes.Repeat([]byte("x"), bodyBytes)

	var done atomic.Int64
	errs := make([]error, connections)
	var group sync.WaitGroup
	start := time.Now()
	for i := range connections {
		group.Go(func() {
			for time.Since(start) < d && errs[i] == nil {
				errs[i] = post(ctx, client, sink.bareURL(), body)
				done.Add(1)
			}
		})
	}
	group.Wait()
	took := time.Since(start)
	if err := errors.Join(append(errs, sink.Close())...); err != nil {
		return 0, fmt.Errorf("bare loop: %w", err)
	}
	return float64(done.Load()) / took.Seconds(), nil
}

func post(ctx context.Context, client *http.Client, url string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the sink answered %d", answer.StatusCode)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

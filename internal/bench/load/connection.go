package load

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// answerWait bounds how long a phase may last after its end, for the last answers.
const answerWait = 30 * time.Second

// A connection is one that a terminal keeps alive. It reads no more of HTTP than a
// terminal does, so that it costs next to nothing: a status line, headers of which one
// counts, a short body.
type connection struct {
	conn net.Conn
	in   *bufio.Reader
}

// each runs work on one connection for each share of the devices, side by side for
// about d, and returns all latencies, ascending.
func (f *Fleet) each(ctx context.Context, d time.Duration, work func(ctx context.Context, c *connection, share int) ([]time.Duration, error)) ([]time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, d+answerWait)
	defer cancel()
	results := make([][]time.Duration, len(f.shares))
	errs := make([]error, len(f.shares))
	var group sync.WaitGroup
	as("terminals", func() {
		for share := range f.shares {
			group.Go(func() {
				results[share], errs[share] = f.on(ctx, share, work)
				if errs[share] != nil {
					cancel() // what one found ends the others
				}
			})
		}
	})
	group.Wait()
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	all := slices.Concat(results...)
	slices.Sort(all)
	return all, nil
}

func (f *Fleet) on(ctx context.Context, share int, work func(ctx context.Context, c *connection, share int) ([]time.Duration, error)) ([]time.Duration, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", f.gateway.DeviceAddress)
	if err != nil {
		return nil, fmt.Errorf("calling the gateway: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	took, err := work(ctx, &connection{conn, bufio.NewReader(conn)}, share)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err() // it was we who closed the connection
	}
	return took, err
}

// upload sends the next change of a device and returns once it is acknowledged.
func (c *connection) upload(d *device) error {
	if _, err := c.conn.Write(d.next()); err != nil {
		return fmt.Errorf("uploading: %w", err)
	}
	answer, err := c.answer()
	if err != nil {
		return err
	}
	if string(answer) != "OK: 1" {
		return fmt.Errorf("uploading: the gateway answered %q, want %q", answer, "OK: 1")
	}
	return nil
}

// answer reads an answer with status 200 and returns its body, good until the next read.
func (c *connection) answer() ([]byte, error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return nil, fmt.Errorf("reading the gateway's answer: %w", err)
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		return nil, fmt.Errorf("the gateway answered %q", bytes.TrimSpace(line))
	}
	length := -1
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return nil, fmt.Errorf("reading the gateway's answer: %w", err)
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return nil, fmt.Errorf("reading the gateway's answer: %w", err)
			}
		}
	}
	if length < 0 {
		return nil, errors.New("the gateway's answer does not tell its length")
	}
	body, err := c.in.Peek(length)
	if err != nil {
		return nil, fmt.Errorf("reading the gateway's answer: %w", err)
	}
	_, err = c.in.Discard(length)
	return body, err
}

//go:build linux

package main

import (
	"bufio"
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/admin"
	"github.com/fingerpost/fingerpost/internal/fake/terminal"
)

// syncUploads is how many uploads the sync test makes.
const syncUploads = 200

// Contract point 1: what a device gets an ack for is on disk. A killed process leaves
// the page cache behind, so here the system calls are watched: between two acks of one
// terminal, and before the second, the log of the store was synced.
func TestSync_BeforeEachAck(t *testing.T) {
	t.Parallel()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatal("this test watches the gateway's system calls with strace: install it, on Debian with: apt-get install strace")
	}
	binary, dir, address := buildBinary(t), t.TempDir(), devicePort(t, rand.IntN)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	file := filepath.Join(t.TempDir(), "trace")
	// -y names the files, -s is enough for a whole answer to a terminal.
	line := []string{strace, "-f", "-y", "-s", "512", "-e", "trace=fsync,fdatasync,write,writev,sendto,sendmsg", "-o", file, binary}
	gateway := mustStart(t, dir, append(line, serveArgs(dir, address)...)...)
	client := gateway.client(t)

	// It wants no user changes: outcomes of callbacks would make syncs of their own.
	if _, err := client.AddEndpoint(ctx, admin.NewEndpoint{Name: "other", URL: "http://127.0.0.1:9/", Kinds: []string{"punches"}}); err != nil {
		t.Fatal(err)
	}
	addDevice(t, client, "SYNC0001", "other")
	device, err := terminal.New(terminal.Config{Gateway: "http://" + address, Serial: "SYNC0001", Habits: terminal.Polite()})
	if err != nil {
		t.Fatal(err)
	}
	if err := device.AddUser(ctx, terminal.User{PIN: "1", Name: "Asha Sample"}); err != nil {
		t.Fatal(err)
	}
	for i := range syncUploads - 1 {
		if err := device.EnrollFinger(ctx, "1", i%10); err != nil {
			t.Fatal(err)
		}
	}
	gateway.stop(t)
	checkTrace(t, file)
}

// checkTrace reads what strace wrote. A line stands where its call ended, or in two
// parts where another thread did something in between.
func checkTrace(t *testing.T, name string) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()               // only read
	acks, synced, total := 0, 0, 0   // synced counts since the last ack
	syncing := make(map[string]bool) // threads that sync the log
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		thread, call, _ := strings.Cut(lines.Text(), " ")
		call = strings.TrimLeft(call, " ")
		isSync := strings.HasPrefix(call, "fsync(") || strings.HasPrefix(call, "fdatasync(")
		resumed := strings.HasPrefix(call, "<... fsync resumed>") || strings.HasPrefix(call, "<... fdatasync resumed>")
		switch {
		case isSync && strings.Contains(call, "fingerpost.db-wal>") && strings.HasSuffix(call, "<unfinished ...>"):
			syncing[thread] = true
		case isSync && strings.Contains(call, "fingerpost.db-wal>"), resumed && syncing[thread]:
			delete(syncing, thread)
			if strings.HasSuffix(call, "= 0") {
				synced++
			}
		case strings.Contains(call, `HTTP/1.1 200 OK`) && strings.Contains(call, `\r\n\r\nOK: `):
			if acks > 0 { // before the first one others synced too
				total += synced
				if synced == 0 {
					t.Errorf("ack %d was written before a sync", acks+1)
				}
			}
			acks++
			synced = 0
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if acks != syncUploads {
		t.Errorf("got %d acks in the trace, want %d", acks, syncUploads)
	}
	t.Logf("%d acks, %d syncs between the first and the last", acks, total)
}

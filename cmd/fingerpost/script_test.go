package main

import (
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"fingerpost": main})
}

// The scripts are the manual of the commands, with what each says to wrong input.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			// The race detector lets a program that ends well sleep a second before.
			env.Setenv("GORACE", "atexit_sleep_ms=0")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"freeport":  freePort,
			"waitport":  waitPort,
			"waitready": waitReady,
			"until":     until,
		},
	})
}

// scriptTimeout bounds the waits of a script, far above what a loaded machine needs.
const scriptTimeout = 30 * time.Second

// freePort sets variables to ports of 127.0.0.1 that nobody uses.
//
//	freeport NAME...
func freePort(ts *testscript.TestScript, neg bool, names []string) {
	if neg || len(names) == 0 {
		ts.Fatalf("usage: freeport NAME...")
	}
	for _, name := range names {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		defer listener.Close() // after the loop, so that no two are the same
		ts.Setenv(name, fmt.Sprint(listener.Addr().(*net.TCPAddr).Port))
	}
}

// waitPort waits until somebody listens on a port of 127.0.0.1.
//
//	waitport PORT
func waitPort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: waitport PORT")
	}
	poll(ts, "somebody listens on port "+args[0], func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+args[0])
		return err == nil && conn.Close() == nil
	})
}

// waitReady waits until the gateway on a data directory is ready, and sets ADMIN to
// the address of its API.
//
//	waitready DIR
func waitReady(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: waitready DIR")
	}
	address := ""
	poll(ts, "the gateway is ready", func() bool {
		matches, err := filepath.Glob(ts.MkAbs(filepath.Join(args[0], "admin-address")))
		ts.Check(err)
		if len(matches) == 0 {
			return false
		}
		address = strings.TrimSpace(ts.ReadFile(matches[0]))
		if address == "" {
			return false
		}
		response, err := http.Get("http://" + address + "/readyz")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	ts.Setenv("ADMIN", address)
}

// until repeats a command until its output matches.
//
//	until REGEXP COMMAND ARG...
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until REGEXP COMMAND ARG...")
	}
	want, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	poll(ts, args[0], func() bool {
		err := ts.Exec(args[1], args[2:]...)
		return err == nil && want.MatchString(ts.ReadFile("stdout"))
	})
}

// poll asks until it is true.
func poll(ts *testscript.TestScript, what string, done func() bool) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(scriptTimeout)
	for !done() {
		select {
		case <-deadline:
			ts.Fatalf("waited %v for: %s", scriptTimeout, what)
		case <-tick.C:
		}
	}
}

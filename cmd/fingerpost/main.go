// Command fingerpost is the gateway between biometric terminals and the callback URLs
// of their owners, with the commands to operate it.
//
// # Exit codes
//
//	0  done
//	1  failed: no gateway answers, a port is taken, a callback was not acknowledged
//	2  wrong input: a flag, an argument, or something that the gateway refused
//
// # Output
//
// Results go to standard output, everything else to standard error. Commands that
// print a table print JSON with --json, in the form of the API.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/fingerpost/fingerpost/internal/admin"
)

func main() {
	os.Exit(Main(os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr))
}

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitInput  = 2
)

// Main is the whole program as a value: it runs the command that args name and returns
// the exit code. lookup is [os.LookupEnv] but for tests; stdout and stderr are written
// by several goroutines, as files may be.
//
// The first SIGINT or SIGTERM stops the command in good order, a second ends it at once.
func Main(args []string, lookup func(string) (string, bool), stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // gives the next signal its usual meaning back

	a := &app{lookup: lookup, in: stdin, out: stdout, err: stderr, version: version()}
	root := a.rootCommand()
	root.SetArgs(args)
	return a.exit(root.ExecuteContext(ctx))
}

// An app is what every command works with.
type app struct {
	lookup   func(string) (string, bool)
	in       io.Reader
	out, err io.Writer
	version  string
}

// say writes a line for a person to standard error.
func (a *app) say(format string, args ...any) { fmt.Fprintf(a.err, format+"\n", args...) }

// exit reports err in one sentence and returns the exit code.
func (a *app) exit(err error) int {
	if err == nil {
		return exitOK
	}
	a.say("fingerpost: %s", describe(err))
	if _, ok := errors.AsType[*inputError](err); ok {
		return exitInput
	}
	if p, ok := errors.AsType[*admin.ProblemError](err); ok {
		switch p.Status {
		case http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity:
			return exitInput
		}
	}
	return exitFailed
}

// An inputError reports wrong input of a person: exit code 2.
type inputError struct{ err error }

func (e *inputError) Error() string { return e.err.Error() }
func (e *inputError) Unwrap() error { return e.err }

func inputErrorf(format string, args ...any) error {
	return &inputError{fmt.Errorf(format, args...)}
}

// describe returns the words of err, with the names of flags where the API names fields.
func describe(err error) string {
	p, ok := errors.AsType[*admin.ProblemError](err)
	if !ok || len(p.Errors) == 0 {
		return err.Error()
	}
	texts := make([]string, len(p.Errors))
	for i, field := range p.Errors {
		texts[i] = field.Sentence(asFlag(field.Field))
	}
	return strings.Join(texts, "; ")
}

// asFlag names the flag or argument that a field of the API comes from.
func asFlag(field string) string {
	switch field {
	case "serial", "name":
		return strings.ToUpper(field)
	case "delivery":
		return "ID"
	case "endpoints":
		return "--endpoint"
	}
	return "--" + strings.ReplaceAll(field, "_", "-")
}

// version is that of the module, which the go command takes from the tag or commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}

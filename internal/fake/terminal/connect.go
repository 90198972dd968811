package terminal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// firmware is what the terminal calls its software.
const firmware = "Ver 8.0.4.4-20190617"

// ErrNotApproved reports a gateway that answers, but gives no init block: an operator
// has to approve the terminal there.
var ErrNotApproved = errors.New("the gateway has not approved this terminal yet")

// Connect shakes hands, again and again until the gateway gives an init block, then
// posts its options if they are wanted and polls for the first time. It ends early
// only with ctx; its error then tells the last failure too.
func (t *Terminal) Connect(ctx context.Context) error {
	if err := t.repeat(ctx, "handshake", t.Handshake); err != nil {
		return err
	}
	if t.Setting("PushOptionsFlag") == "1" {
		if err := t.Push(ctx, "options", t.options()); err != nil {
			return err
		}
	}
	return t.repeat(ctx, "first poll", func(ctx context.Context) error {
		return t.poll(ctx, "&INFO="+url.QueryEscape(t.info()))
	})
}

// repeat calls try until it succeeds or ctx ends. Its error tells the last failure too.
func (t *Terminal) repeat(ctx context.Context, what string, try func(context.Context) error) error {
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		t.cfg.Log.Debug("not acknowledged", "serial", t.cfg.Serial, "what", what, "err", err)
		t.cfg.OnWait(err)
		if ended := wait(ctx, t.retryWait()); ended != nil {
			return fmt.Errorf("terminal %q, %s: %w (last: %w)", t.cfg.Serial, what, ended, err)
		}
	}
}

// Handshake asks for the init block once. It returns [ErrNotApproved] if the gateway
// answers without one.
func (t *Terminal) Handshake(ctx context.Context) error {
	answer, err := t.do(ctx, request{
		method: http.MethodGet,
		path:   "cdata",
		query:  "&options=all&pushver=2.4.1&language=69&DeviceType=att&PushOptionsFlag=1",
	})
	if err != nil {
		return err
	}
	first, rest, _ := strings.Cut(answer, "\n")
	if !strings.HasPrefix(first, "GET OPTION FROM:") {
		return ErrNotApproved
	}
	settings := make(map[string]string)
	for line := range strings.Lines(rest) {
		key, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), "=")
		settings[key] = value
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settings = settings
	return nil
}

// Setting returns what the init block said of a key, "" if nothing.
func (t *Terminal) Setting(key string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.settings[key]
}

// Poll asks once for commands and answers those that came.
func (t *Terminal) Poll(ctx context.Context) error { return t.poll(ctx, "") }

func (t *Terminal) poll(ctx context.Context, query string) error {
	answer, err := t.do(ctx, request{method: http.MethodGet, path: "getrequest", query: query})
	if err != nil {
		return err
	}
	for line := range strings.Lines(answer) {
		id, command, isCommand := parseCommand(line)
		if !isCommand {
			continue // the OK of an empty answer; devices skip other lines silently
		}
		result := "ID=" + id + "&Return=" + strconv.Itoa(execute(command)) + "&CMD=" + commandWord(command) + "\n"
		if _, err := t.do(ctx, request{method: http.MethodPost, path: "devicecmd", body: []byte(result)}); err != nil {
			return err
		}
	}
	return nil
}

// parseCommand reads a line "C:<id>:<command>".
func parseCommand(line string) (string, string, bool) {
	rest, found := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "C:")
	if !found {
		return "", "", false
	}
	id, command, found := strings.Cut(rest, ":")
	return id, command, found && id != "" && command != ""
}

// execute returns the code of a command's answer. This terminal has nothing to do for
// INFO and CHECK and supports no other command.
func execute(command string) int {
	const unsupported = -1002 // PUSH 2.x return codes, attendance manual
	switch commandWord(command) {
	case "INFO", "CHECK":
		return 0
	}
	return unsupported
}

func commandWord(command string) string {
	word, _, _ := strings.Cut(command, " ")
	return word
}

// info is the INFO of the first poll: firmware, users, fingers, attendance lines,
// address, versions of finger and face, pictures a face needs, faces, functions.
func (t *Terminal) info() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	fingers, faces := t.count()
	return fmt.Sprintf("%s,%d,%d,%d,127.0.0.1,10,40,1,%d,111", firmware, len(t.users), fingers, t.punches, faces)
}

func (t *Terminal) options() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	fingers, faces := t.count()
	return fmt.Appendf(nil, "~DeviceName=Fingerpost simulator,~SerialNumber=%s,FWVersion=%s,PushVersion=Ver 2.0.33S-20220623,"+
		"FingerFunOn=1,FaceFunOn=1,FPVersion=10,FaceVersion=40,UserCount=%d,FPCount=%d,FaceCount=%d,TransactionCount=%d,"+
		"Language=69,MultiBioDataSupport=0:1:0:0:0:0:0:0:0:1,MultiBioPhotoSupport=0:0:0:0:0:0:0:0:0:1",
		t.cfg.Serial, firmware, len(t.users), fingers, faces, t.punches)
}

// count returns the fingers and faces held; t.mu is locked.
func (t *Terminal) count() (int, int) {
	fingers, faces := 0, 0
	for _, u := range t.users {
		fingers += len(u.Fingers)
		if u.Face != "" {
			faces++
		}
	}
	return fingers, faces
}

// retryWait is the wait after a failure.
func (t *Terminal) retryWait() time.Duration {
	if t.cfg.Retry > 0 {
		return t.cfg.Retry
	}
	return t.seconds("ErrorDelay", 30*time.Second)
}

// pollWait is the wait between two polls.
func (t *Terminal) pollWait() time.Duration { return t.seconds("Delay", 10*time.Second) }

func (t *Terminal) seconds(key string, otherwise time.Duration) time.Duration {
	n, err := strconv.Atoi(t.Setting(key))
	if err != nil || n <= 0 {
		return otherwise
	}
	return time.Duration(n) * time.Second
}

// wallTime is what the terminal's clock shows. TimeZone counts hours up to 12 and
// minutes beyond 60 (attendance manual); what lies between is not defined and taken
// for UTC.
func (t *Terminal) wallTime() string {
	zone := t.cfg.Zone
	if zone == nil {
		zone = time.UTC
		n, err := strconv.Atoi(t.Setting("TimeZone"))
		switch {
		case err != nil:
		case -12 <= n && n <= 12:
			zone = time.FixedZone("", n*3600)
		case n <= -60 || n >= 60:
			zone = time.FixedZone("", n*60)
		}
	}
	return t.cfg.Now().In(zone).Format("2006-01-02 15:04:05")
}

// wait returns nil after d, or the error of ctx if that ends before.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

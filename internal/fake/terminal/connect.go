package terminal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// firmware is what the terminal calls its software.
const firmware = "Ver 8.0.4.4-20190617"

// ErrNotApproved reports a gateway that answers, but gives no init block: an operator
// has to approve the terminal there.
var ErrNotApproved = errors.New("the gateway has not approved this terminal yet")

// Connect shakes hands, again and again until the gateway gives an init block, then
// tells what the terminal is and polls for the first time. One that was connected before
// may push all its users again. It ends early only with ctx; its error then tells the
// last failure too.
func (t *Terminal) Connect(ctx context.Context) error {
	if err := t.repeat(ctx, "handshake", t.Handshake); err != nil {
		return err
	}
	if t.isAccess() {
		if err := t.repeat(ctx, "asking for the time", t.askTime); err != nil {
			return err
		}
	} else if t.Setting("PushOptionsFlag") == "1" {
		if err := t.Push(ctx, options, t.options()); err != nil {
			return err
		}
	}
	t.mu.Lock()
	again := t.met
	t.met = true
	t.mu.Unlock()
	if again && t.cfg.Habits.shows(Resends, t.draw("resend"), 2) {
		if err := t.resend(ctx); err != nil {
			return err
		}
	}
	return t.repeat(ctx, "first poll", func(ctx context.Context) error {
		if t.isAccess() {
			return t.poll(ctx, nil)
		}
		return t.poll(ctx, []pair{{"INFO", t.info()}})
	})
}

// resend pushes all users and what they have again.
func (t *Terminal) resend(ctx context.Context) error {
	if err := t.pushLate(ctx); err != nil {
		return err
	}
	const most = 40 // records of a post
	var posts []post
	for _, h := range t.copies() {
		for _, p := range append(t.userPosts(h, tellUser), t.templatePosts(h)...) {
			if last := len(posts) - 1; last >= 0 && posts[last].table == p.table && len(posts[last].records) < most {
				posts[last].records = append(posts[last].records, p.records...)
				continue
			}
			posts = append(posts, p)
		}
	}
	for _, p := range posts {
		if err := t.Push(ctx, p.table, t.body(p.records)); err != nil {
			return err
		}
	}
	return nil
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

// Handshake asks for the init block once; a terminal of PUSH 3.x registers first if the
// gateway does not know it. It returns [ErrNotApproved] if the gateway answers without
// one.
func (t *Terminal) Handshake(ctx context.Context) error {
	if t.isAccess() {
		return t.register(ctx)
	}
	answer, err := t.do(ctx, request{method: http.MethodGet, path: "cdata", query: []pair{{"options", "all"},
		{"pushver", "2.4.1"}, {"language", "69"}, {"DeviceType", "att"}, {"PushOptionsFlag", "1"}}})
	if err != nil {
		return err
	}
	first, rest, _ := strings.Cut(answer, "\n")
	if !strings.HasPrefix(first, "GET OPTION FROM:") {
		return ErrNotApproved
	}
	t.set(parseBlock(rest))
	return nil
}

// parseBlock reads key=value lines.
func parseBlock(text string) map[string]string {
	settings := make(map[string]string)
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), "=")
		settings[key] = value
	}
	return settings
}

func (t *Terminal) set(settings map[string]string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settings = settings
}

// Setting returns what the init block said of a key, "" if nothing.
func (t *Terminal) Setting(key string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.settings[key]
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
	for _, h := range t.users {
		fingers += len(h.fingers)
		if h.face != 0 {
			faces++
		}
	}
	return fingers, faces
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

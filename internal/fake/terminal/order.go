package terminal

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Return codes of commands, from the manuals of both families.
const (
	returnUnsupported = -1002
	returnUnfit       = -1004 // a table of PUSH 3.x on a terminal of 2.x
	returnNoTable     = -629  // a table of PUSH 2.x on a terminal of 3.x
	returnParameter   = -1
)

// Poll asks once for commands and answers those that came, after the records that they
// ask for. Lines of the operation log that were kept back go first.
func (t *Terminal) Poll(ctx context.Context) error {
	if err := t.pushLate(ctx); err != nil {
		return err
	}
	t.mu.Lock()
	t.quiet++
	t.mu.Unlock()
	return t.poll(ctx, nil)
}

func (t *Terminal) poll(ctx context.Context, query []pair) error {
	answer, err := t.do(ctx, request{method: http.MethodGet, path: "getrequest", query: query})
	if err != nil {
		return err
	}
	for line := range strings.Lines(answer) {
		id, command, isCommand := parseCommand(line)
		if !isCommand {
			continue // the OK of an empty answer; devices skip other lines silently
		}
		t.wake()
		code, err := t.obey(ctx, id, command)
		if err != nil {
			return err
		}
		if _, err := t.do(ctx, request{method: http.MethodPost, path: "devicecmd", body: t.result(id, command, code)}); err != nil {
			return err
		}
		if err := t.afterwards(ctx, command); err != nil {
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

// result is the answer to a command, as the family words it.
func (t *Terminal) result(id, command string, code int) []byte {
	word, rest, _ := strings.Cut(command, " ")
	if t.isAccess() {
		second, _, _ := strings.Cut(rest, " ")
		return fmt.Appendf(nil, "ID=%s&Return=%d&CMD=%s", id, code, strings.TrimSpace(word+" "+second))
	}
	text := fmt.Appendf(nil, "ID=%s&Return=%d&CMD=%s\n", id, code, word)
	if word == "INFO" {
		text = fmt.Appendf(text, "~SerialNumber=%s\nFWVersion=%s\n", t.cfg.Serial, firmware)
	}
	return text
}

// obey carries out a command and returns the code of its answer. Its error is that of
// the end of ctx.
func (t *Terminal) obey(ctx context.Context, id, command string) (int, error) {
	word, rest, _ := strings.Cut(command, " ")
	switch {
	case command == "INFO", command == "CHECK", command == "LOG", command == "REBOOT", command == "RELOAD OPTIONS":
		return 0, nil
	case word == "SET" && t.isAccess():
		_, packed, clock := strings.Cut(rest, "DateTime=")
		packed, _, _ = strings.Cut(packed, ",")
		if clock && !t.setClock(packed) {
			return returnParameter, nil
		}
		return 0, nil
	case word == "SET":
		return 0, nil
	case word != "DATA":
		return returnUnsupported, nil
	}
	what, asked, _ := strings.Cut(rest, " ")
	named := strings.HasPrefix(asked, "tablename=")
	switch {
	case what != "QUERY":
		return returnUnsupported, nil
	case named && !t.isAccess():
		return returnUnfit, nil
	case named:
		return t.tellRows(ctx, id, asked)
	case t.isAccess():
		return returnNoTable, nil
	}
	return t.tellRecords(ctx, id, asked)
}

// afterwards does what follows the answer to a command.
func (t *Terminal) afterwards(ctx context.Context, command string) error {
	if command == "RELOAD OPTIONS" || command == "CHECK" && !t.isAccess() {
		return t.Handshake(ctx)
	}
	return nil
}

// tellRecords uploads the records that "DATA QUERY" of PUSH 2.x asks for.
func (t *Terminal) tellRecords(ctx context.Context, id, asked string) (int, error) {
	table, text, _ := strings.Cut(asked, " ")
	filter := parseFilter(text)
	var collect func(h held) []post
	switch strings.ToUpper(table) {
	case "USERINFO":
		collect = func(h held) []post {
			posts := t.userPosts(h, tellUser)
			if t.manner.tellsAll && filter["PIN"] != "" {
				posts = append(posts, t.templatePosts(h)...)
			}
			return posts
		}
	case "FINGERTMP":
		collect = func(h held) []post { return t.fingerPosts(h, filter["FID"]) }
	case "BIODATA":
		collect = func(h held) []post { return t.bioPosts(h, filter["TYPE"]) }
	default:
		return returnUnsupported, nil
	}
	for _, p := range t.gather(filter["PIN"], collect) {
		r := t.upload(p.table, t.body(p.records))
		if t.manner.namesOrder {
			r.query = append(r.query, pair{"Count", strconv.Itoa(len(p.records))}, pair{"PackCnt", "1"}, pair{"PackIdx", "1"}, pair{"CmdId", id})
		}
		if err := t.push(ctx, r); err != nil {
			return 0, err
		}
	}
	return 0, nil // done, however many there were
}

// parseFilter reads pairs with TABs between, their keys in upper case.
func parseFilter(text string) map[string]string {
	filter := make(map[string]string)
	for part := range strings.SplitSeq(text, "\t") {
		if key, value, found := strings.Cut(part, "="); found {
			filter[strings.ToUpper(strings.TrimSpace(key))] = value
		}
	}
	return filter
}

// gather joins what is collected of one user, or of all, into posts of a table each.
func (t *Terminal) gather(pin string, collect func(held) []post) []post {
	const most = 50 // records of a post
	users := t.copies()
	if pin != "" {
		users = nil
		if h, found := t.copyOf(pin); found {
			users = []held{h}
		}
	}
	var posts []post
	for _, h := range users {
		for _, p := range collect(h) {
			at := len(posts) - 1
			for ; at >= 0 && (posts[at].table != p.table || len(posts[at].records) >= most); at-- {
			}
			if at < 0 {
				posts = append(posts, p)
				continue
			}
			posts[at].records = append(posts[at].records, p.records...)
		}
	}
	return posts
}

// fingerPosts are the fingers of a user, or one of them.
func (t *Terminal) fingerPosts(h held, only string) []post {
	var posts []post
	for finger := range 10 {
		if times := h.fingers[finger]; times != 0 && (only == "" || only == strconv.Itoa(finger)) {
			posts = append(posts, t.fingerOf(h, finger, t.finger(h.pin, finger, times)))
		}
	}
	return posts
}

// bioPosts are the biometrics of a user that the terminal tells as BIODATA, of one type.
func (t *Terminal) bioPosts(h held, kind string) []post {
	var posts []post
	if t.manner.fingersAsBiodata && (kind == "" || kind == "1") {
		posts = t.fingerPosts(h, "")
	}
	if mine, _, _ := t.faceVersion(); h.face != 0 && (kind == "" || kind == mine) {
		posts = append(posts, t.faceOf(h.pin, t.face(h.pin, h.face)))
	}
	return posts
}

// tellRows posts the rows that "DATA QUERY" of PUSH 3.x asks for, and returns how many.
// Asked for templatev10, a terminal may answer with biodata.
func (t *Terminal) tellRows(ctx context.Context, id, asked string) (int, error) {
	table, rest, _ := strings.Cut(strings.TrimPrefix(asked, "tablename="), ",")
	_, text, _ := strings.Cut(rest, "filter=")
	filter := parseFilter(text)
	var collect func(h held) []post
	switch strings.ToLower(table) {
	case tableUser:
		collect = func(h held) []post { return []post{{tableUser, []string{t.userRow(h, tellUser)}}} }
	case tableCards:
		collect = func(h held) []post { return t.userPosts(h, tellSecondCard) }
	case tableFinger:
		collect = func(h held) []post { return t.fingerPosts(h, filter["FINGERID"]) }
	case tableBio:
		collect = func(h held) []post { return t.bioPosts(h, filter["TYPE"]) }
	case tablePhoto:
		collect = func(h held) []post { return t.only(h.facePhoto, true, h.pin) }
	case tablePic:
		collect = func(h held) []post { return t.only(h.photo, false, h.pin) }
	default:
		return returnNoTable, nil
	}
	rows := 0
	for _, p := range t.gather(filter["PIN"], collect) {
		if err := t.answerQuery(ctx, id, p); err != nil {
			return 0, err
		}
		rows += len(p.records)
	}
	return rows, nil
}

// only is the picture of a user, if there is one.
func (t *Terminal) only(times uint64, compared bool, pin string) []post {
	if times == 0 {
		return nil
	}
	return []post{t.picture(compared, pin, t.photo(pin, times))}
}

// answerQuery posts rows to querydata, in several parts where the habits want it: they
// end wherever it comes to, also inside a row.
func (t *Terminal) answerQuery(ctx context.Context, id string, p post) error {
	body := t.body(p.records)
	parts := [][]byte{body}
	if r := t.draw("parts"); t.cfg.Habits.shows(Splits, r, 2) {
		parts = cutAnywhere(r, body, 2+r.IntN(3))
	}
	for i, part := range parts {
		r := request{method: http.MethodPost, path: "querydata", table: p.table, body: part, query: []pair{{"type", "tabledata"}, {"cmdid", id},
			{"tablename", p.table}, {"count", strconv.Itoa(len(p.records))}, {"packcnt", strconv.Itoa(len(parts))}, {"packidx", strconv.Itoa(i + 1)}}}
		if t.manner.anyOrder { // the manual's example has it twice too
			r.query = append(r.query, pair{"type", "tabledata"})
		}
		if err := t.push(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// retryWait is the wait after a failure.
func (t *Terminal) retryWait() time.Duration {
	if t.cfg.Retry > 0 {
		return t.cfg.Retry
	}
	return t.seconds("ErrorDelay", 30*time.Second)
}

// pollWait is the wait between two polls: what the gateway wants, or growing from one
// second since something happened.
func (t *Terminal) pollWait() time.Duration {
	if !t.manner.adaptive {
		key := "Delay"
		if t.isAccess() {
			key = "RequestDelay"
		}
		return t.seconds(key, 10*time.Second)
	}
	growing := []time.Duration{1, 1, 3, 5, 8, 13, 21, 30}
	t.mu.Lock()
	defer t.mu.Unlock()
	return growing[min(t.quiet, len(growing)-1)] * time.Second
}

// wake notes that something happened.
func (t *Terminal) wake() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.quiet = 0
}

func (t *Terminal) seconds(key string, otherwise time.Duration) time.Duration {
	n, err := strconv.Atoi(t.Setting(key))
	if err != nil || n <= 0 {
		return otherwise
	}
	return time.Duration(n) * time.Second
}

package zkpush

import (
	"strconv"
	"strings"
)

// A commandAnswer is what a device says about a command that it was given.
type commandAnswer struct {
	ID      string // as the command had it
	Return  int    // 0 done, below 0 an error, above 0 a count of rows
	Command string // the command's first words
}

// maxAnswers bounds the answers in one body; devices get one command a poll.
const maxAnswers = 1000

// parseAnswers reads the body of a devicecmd request. It has one of three forms:
//
//	ID=1&Return=0&CMD=DATA          one line an answer
//	ID=26&Return=0&CMD=INFO         and then lines key=value
//	ID=27 SN=… Return=0 CMD=Shell FILENAME=… Content=…   each in a line of its own
//
// The values of INFO and the content, which runs to the end of the body, are not
// taken over.
func parseAnswers(body string) []commandAnswer {
	var answers []commandAnswer
	for line := range strings.SplitSeq(strings.TrimPrefix(body, bom), "\n") {
		key, _, _ := strings.Cut(line, "=")
		switch key = strings.ToUpper(strings.TrimSpace(key)); key {
		case "ID":
			if len(answers) == maxAnswers {
				return answers
			}
			answers = append(answers, commandAnswer{})
			fallthrough
		case "RETURN", "CMD":
			if len(answers) == 0 {
				continue
			}
			for field := range strings.SplitSeq(line, "&") {
				answers[len(answers)-1].set(field)
			}
		case "CONTENT":
			return answers
		}
	}
	return answers
}

// set takes over one key=value; other keys than those of an answer are left out.
func (a *commandAnswer) set(field string) {
	key, value, _ := strings.Cut(field, "=")
	switch strings.ToUpper(strings.TrimSpace(key)) {
	case "ID":
		a.ID = clean(value)
	case "RETURN":
		a.Return, _ = strconv.Atoi(strings.TrimSpace(strings.Trim(value, "\x00")))
	case "CMD":
		a.Command = clean(value)
	}
}

package terminal

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Habits are what terminals in the field do beyond the manual. The zero value has them
// all, now and then, as the field has; [Polite] has none.
type Habits struct {
	Off    Habit    // those that the terminal does not have
	Always Habit    // those of the others that show wherever they can, not now and then
	Log    LogHabit // where lines of the operation log go; LogAnywhere leaves it to [Logs]
}

// Polite returns the habits of a terminal that keeps to the manual.
func Polite() Habits { return Habits{Off: AllHabits} }

// Only returns habits of which the terminal shows these wherever it can, and no others.
func Only(shown Habit) Habits { return Habits{Off: AllHabits &^ shown, Always: shown} }

// A Habit is one of them, or several joined by |.
type Habit uint32

// The habits. Which of them a terminal shows when is drawn from its seed.
const (
	Repeats  Habit = 1 << iota // uploads come again although they were acknowledged
	Cuts                       // connections break in the middle of a body; the upload follows whole
	LostAcks                   // the answer is not read, so the upload comes again
	Clock                      // the clock is minutes off, or its battery is dead: 2000-01-01
	Lines                      // CR LF and LF mixed, no end of the last line, trailing TAB or NUL
	Splits                     // records of one action, rows of one face and bytes of one answer in several posts, in any order
	Pauses                     // posts of one action come seconds apart
	Logs                       // lines of the operation log come before, with, after or long after the data
	Resends                    // the whole user list comes again when the terminal connects again
	Paths                      // .aspx, doubled /iclock/iclock, trailing slash
	Queries                    // names of the query in odd case and any order
	Tables                     // names of tables in lower case
	Polling                    // polls follow quickly after activity and rarely in quiet times
	Forms                      // records in the forms of other firmware: fingers as BIODATA, cards in brackets, keys in odd case
	Sparse                     // rows of PUSH 3.x leave empty what did not change

	AllHabits Habit = 1<<iota - 1
)

// habitNames are the names on the command line, in the order of the constants.
const habitNames = "repeats,cuts,lost-acks,clock,lines,splits,pauses,logs,resends,paths,queries,tables,polling,forms,sparse"

// ParseHabits returns the habits of a list such as "repeats,cuts"; "all" is all of
// them, and an empty list none. The error names the word that is no habit.
func ParseHabits(list string) (Habit, error) {
	var parsed Habit
	for word := range strings.SplitSeq(list, ",") {
		switch word = strings.TrimSpace(word); word {
		case "":
		case "all":
			parsed |= AllHabits
		default:
			found := habitOf(word)
			if found == 0 {
				return 0, fmt.Errorf("habit %q: want some of %s, or all", word, habitNames)
			}
			parsed |= found
		}
	}
	return parsed, nil
}

func habitOf(word string) Habit {
	one := Habit(1)
	for name := range strings.SplitSeq(habitNames, ",") {
		if name == word {
			return one
		}
		one <<= 1
	}
	return 0
}

// String returns the list that [ParseHabits] reads.
func (h Habit) String() string {
	var words []string
	one := Habit(1)
	for name := range strings.SplitSeq(habitNames, ",") {
		if h&one != 0 {
			words = append(words, name)
		}
		one <<= 1
	}
	return strings.Join(words, ",")
}

// A LogHabit is where the operation log line of an action goes. Terminals of PUSH 3.x
// have no operation log.
type LogHabit int

// A gateway that does not wait knows the operation time with LogFirst and LogOwnPost
// only.
const (
	LogAnywhere LogHabit = iota // drawn for each action where the terminal has the habit [Logs], else LogFirst
	LogFirst                    // first line of the first body of the action
	LogOwnPost                  // in a post of its own before the data
	LogLast                     // in a post of its own after the data
	LogLate                     // before the next action, or with the next poll
	LogNever                    // not pushed at all
	LogOnly                     // pushed without the data, which the gateway has to ask for
)

// has reports whether the terminal has the habit at all.
func (h Habits) has(habit Habit) bool { return h.Off&habit == 0 }

// shows reports whether the habit shows this time: once in so many times, or always.
func (h Habits) shows(habit Habit, r *rand.Rand, onceIn int) bool {
	drawn := r.IntN(onceIn) == 0 // drawn at any rate, so that no switch changes what the others draw
	return h.has(habit) && (drawn || h.Always&habit != 0)
}

// log chooses where the log line of an action goes.
func (h Habits) log(r *rand.Rand) LogHabit {
	drawn := []LogHabit{LogFirst, LogOwnPost, LogLast, LogLate}[r.IntN(4)]
	switch {
	case h.Log != LogAnywhere:
		return h.Log
	case h.has(Logs):
		return drawn
	}
	return LogFirst
}

// A manner is what a terminal does in the same way all its life, as its firmware does.
type manner struct {
	aspx, doubled, slash bool // of paths
	oddNames             int  // of the query: 0 as documented, 1 lower case, 2 upper case, 3 first letter
	anyOrder             bool // of the query
	lowerTables          bool
	adaptive             bool // polling
	fingersAsBiodata     bool
	decodedSizes         bool // sizes count the bytes that base64 means
	bracketCards         bool
	oddKeys              bool // keys of records in upper case
	shortLog             bool // the last object of a log line is missing
	tellsAll             bool // a query of a user brings templates and pictures too
	namesOrder           bool // records that answer an order name it
}

// newManner draws a manner.
func newManner(h Habits, r *rand.Rand) manner {
	m := manner{
		aspx:             h.shows(Paths, r, 2),
		doubled:          h.shows(Paths, r, 3),
		slash:            h.shows(Paths, r, 6),
		anyOrder:         h.shows(Queries, r, 2),
		lowerTables:      h.shows(Tables, r, 2),
		adaptive:         h.shows(Polling, r, 2),
		fingersAsBiodata: h.shows(Forms, r, 3),
		decodedSizes:     h.shows(Forms, r, 3),
		bracketCards:     h.shows(Forms, r, 3),
		oddKeys:          h.shows(Forms, r, 3),
		shortLog:         h.shows(Forms, r, 3),
		tellsAll:         h.shows(Forms, r, 3) || h.Log == LogOnly,
		namesOrder:       h.shows(Forms, r, 3),
	}
	if names := 1 + r.IntN(3); h.shows(Queries, r, 2) {
		m.oddNames = names
	}
	if m.aspx {
		m.slash = false // that would be no path of any firmware
	}
	return m
}

// clockOffset draws how far the clock is off at now: not at all, some minutes, or by the
// years since a battery that is dead counts from.
func clockOffset(h Habits, now time.Time, r *rand.Rand) time.Duration {
	offset := time.Duration(2+r.IntN(60)) * time.Minute
	if r.IntN(2) == 0 {
		offset = -offset
	}
	dead := r.IntN(8) == 0
	switch {
	case !h.shows(Clock, r, 2):
		return 0
	case dead:
		return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Sub(now.Truncate(24 * time.Hour))
	}
	return offset
}

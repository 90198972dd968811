package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/fingerpost/fingerpost/internal/admin"
)

// printJSON writes v in the form of the API, indented.
func (a *app) printJSON(v any) error {
	encoder := json.NewEncoder(a.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// printTable writes rows below a head, in columns.
func (a *app) printTable(head []string, rows [][]string) error {
	return writeTable(a.out, append([][]string{head}, rows...))
}

// printFields writes a name and a value a line.
func (a *app) printFields(fields [][2]string) error {
	rows := make([][]string, len(fields))
	for i, field := range fields {
		rows[i] = field[:]
	}
	return writeTable(a.out, rows)
}

func writeTable(w io.Writer, rows [][]string) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			if cells[i] = printable(cell); cells[i] == "" {
				cells[i] = "-"
			}
		}
		if _, err := fmt.Fprintln(table, strings.Join(cells, "\t")); err != nil {
			return err
		}
	}
	return table.Flush()
}

// printable replaces what could steer a terminal: names come from devices, answers from
// endpoints.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '�'
	}, text)
}

func printTime(t admin.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/fingerpost/fingerpost/internal/admin"
)

// importColumns are the columns of a file with devices, in the order that help shows.
// The first four are required.
var importColumns = [...]string{"serial", "stgid", "time_zone", "endpoints", "label", "site"}

const (
	importRequired = 4
	maxImportFile  = 8 << 20
)

func (a *app) deviceImport(g *gateway) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "import FILE.csv",
		Short: "add many terminals, all or none",
		Long: `Add the terminals of a CSV file, UTF-8, whose first line names the columns:

  serial,stgid,time_zone,endpoints,label,site

label and site may be left out. Several endpoints stand in quotes, joined by commas:
"hr,payroll". If a line is wrong nothing is added. At most 20,000 at once; - is standard input.`,
		Example: "  fingerpost device import terminals.csv",
		Args:    wantArgs("FILE.csv"),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := a.importFile(args[0])
			if err != nil {
				return err
			}
			devices, lines, err := readDevices(args[0], text)
			if err != nil {
				return err
			}
			client, err := g.client()
			if err != nil {
				return err
			}
			imported, err := client.ImportDevices(cmd.Context(), devices)
			if err != nil {
				return atLine(err, args[0], lines)
			}
			if asJSON {
				return a.printJSON(imported)
			}
			a.say("%d devices added", imported.Added)
			return nil
		},
	}
	addJSON(cmd, &asJSON)
	return cmd
}

func (a *app) importFile(name string) ([]byte, error) {
	from := a.in
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, inputErrorf("FILE.csv: %w", err)
		}
		defer func() { _ = file.Close() }() // only read
		from = file
	}
	text, err := io.ReadAll(io.LimitReader(from, maxImportFile+1))
	switch {
	case err != nil:
		return nil, inputErrorf("FILE.csv: %w", err)
	case len(text) > maxImportFile:
		return nil, inputErrorf("FILE.csv %q: want a file of at most 8 MiB", name)
	}
	return bytes.TrimPrefix(text, []byte("\uFEFF")), nil
}

// readDevices reads a file of devices, and on which line each of them stands.
func readDevices(name string, text []byte) ([]admin.NewDevice, []int, error) {
	r := csv.NewReader(bytes.NewReader(text))
	r.TrimLeadingSpace = true
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil, inputErrorf("%s: the file is empty: want the header %s", name, strings.Join(importColumns[:], ","))
	}
	if err != nil {
		return nil, nil, csvError(name, err)
	}
	columns, err := columnsOf(name, header)
	if err != nil {
		return nil, nil, err
	}
	var devices []admin.NewDevice
	var lines []int
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, csvError(name, err)
		}
		line, _ := r.FieldPos(0)
		d, err := deviceIn(row, columns)
		if err != nil {
			return nil, nil, inputErrorf("%s line %d: %w", name, line, err)
		}
		devices, lines = append(devices, d), append(lines, line)
	}
	if len(devices) == 0 {
		return nil, nil, inputErrorf("%s: want a line for each device below the header", name)
	}
	return devices, lines, nil
}

// columnsOf returns the names of the columns, each known and once.
func columnsOf(name string, header []string) ([]string, error) {
	var columns []string
	for _, text := range header {
		column := strings.ToLower(strings.TrimSpace(text))
		if !slices.Contains(importColumns[:], column) || slices.Contains(columns, column) {
			return nil, inputErrorf("%s line 1: column %q: want each of %s at most once", name, text, strings.Join(importColumns[:], ","))
		}
		columns = append(columns, column)
	}
	for _, column := range importColumns[:importRequired] {
		if !slices.Contains(columns, column) {
			return nil, inputErrorf("%s line 1: the column %s is missing: want the header %s", name, column, strings.Join(importColumns[:], ","))
		}
	}
	return columns, nil
}

func deviceIn(row, columns []string) (admin.NewDevice, error) {
	var d admin.NewDevice
	for i, text := range row {
		text = strings.TrimSpace(text)
		if !utf8.ValidString(text) {
			return d, fmt.Errorf("%s: want a file in UTF-8", columns[i])
		}
		switch columns[i] {
		case "serial":
			d.Serial = text
		case "stgid":
			d.StgID = text
		case "time_zone":
			d.TimeZone = text
		case "endpoints":
			if text != "" {
				d.Endpoints = strings.Split(text, ",")
			}
		case "label":
			d.Label = text
		case "site":
			d.Site = text
		}
	}
	return d, nil
}

// csvError says where a file is no CSV, and what would be right.
func csvError(name string, err error) error {
	wrong, ok := errors.AsType[*csv.ParseError](err)
	switch {
	case !ok:
		return inputErrorf("%s: %w", name, err)
	case errors.Is(wrong.Err, csv.ErrFieldCount):
		return inputErrorf("%s line %d: want as many fields as the header has, with commas between and text with commas in quotes", name, wrong.Line)
	}
	return inputErrorf(`%s line %d: want a text with quotes in it in quotes, and each quote in it twice: "the ""main"" gate"`, name, wrong.Line)
}

// atLine has a refusal name the line that it is about, and the columns as they are.
func atLine(err error, name string, lines []int) error {
	p, ok := errors.AsType[*admin.ProblemError](err)
	if !ok || p.Item == nil || *p.Item < 0 || *p.Item >= len(lines) {
		return err
	}
	return inputErrorf("%s line %d: %s", name, lines[*p.Item], p.Error())
}

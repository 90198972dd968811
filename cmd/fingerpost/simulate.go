package main

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/spf13/cobra"

	"github.com/fingerpost/fingerpost/internal/fake/terminal"
)

func (a *app) simulateCommand() *cobra.Command {
	var cfg terminal.SimulateConfig
	var chosen chosenHabits
	cmd := &cobra.Command{
		Use:   "simulate --gateway URL --serial SN",
		Short: "a simulated terminal that enrols users",
		Long: `A simulated terminal: it connects, waits to be approved, enrols users with a name, a
password, a card, a fingerprint and a photo each, and ends when the gateway has
acknowledged them all. With --users 0 it only calls until it is stopped.

Like terminals in the field it misbehaves now and then. Its habits, each of which
--without switches off and --always has it show wherever it can:

  repeats    uploads come again although they were acknowledged
  cuts       connections break in the middle of a body
  lost-acks  answers are not read, so uploads come again
  clock      the clock is minutes off, or its battery is dead
  lines      line endings are mixed, the last is missing, TAB or NUL trail
  splits     records of one action come in several posts, in any order
  pauses     posts of one action come seconds apart
  logs       lines of the operation log come before, with, after or long after the data
  resends    all users come again when the terminal connects again
  paths      paths end with .aspx or /, or are doubled
  queries    names of the query have an odd case and order
  tables     names of tables are in lower case
  polling    polls come quickly after activity and rarely in quiet times
  forms      records have the forms of other firmware
  sparse     rows of PUSH 3.x leave empty what did not change`,
		Example: `  fingerpost simulate --gateway http://127.0.0.1:8081 --serial SIM0001
  fingerpost simulate --gateway http://127.0.0.1:8081 --serial SIM0001 --users 100 --rate 5 --polite
  fingerpost simulate --gateway http://127.0.0.1:8081 --serial SIM0002 --protocol 3 --without cuts,clock`,
		Args: wantArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needFlags(cmd, "gateway", "serial"); err != nil {
				return err
			}
			var err error
			if cfg.Habits, err = chosen.habits(); err != nil {
				return err
			}
			if err := checkSimulation(cfg); err != nil {
				return err
			}
			return a.simulate(cmd.Context(), cfg)
		},
	}
	set := cmd.Flags()
	set.StringVar(&cfg.Gateway, "gateway", "", "`URL` of the gateway's device side, such as http://127.0.0.1:8081")
	set.StringVar(&cfg.Serial, "serial", "", "serial `number` that it calls itself")
	set.IntVar(&cfg.Users, "users", 1, "`number` of users to enrol")
	set.Float64Var(&cfg.Rate, "rate", 0, "changes a second, a `number` (default as fast as they are acknowledged)")
	set.IntVar(&cfg.Protocol, "protocol", 2, "PUSH protocol: `2|3`, attendance or access control")
	set.BoolVar(&cfg.Face, "face", false, "enrol a face instead of a photo")
	set.BoolVar(&chosen.polite, "polite", false, "have no habits")
	set.StringVar(&chosen.without, "without", "", "`habits` that it does not have, such as repeats,cuts")
	set.StringVar(&chosen.always, "always", "", "`habits` that show wherever they can, such as repeats,cuts")
	return cmd
}

// chosenHabits are the flags that choose habits.
type chosenHabits struct {
	polite          bool
	without, always string
}

func (c chosenHabits) habits() (terminal.Habits, error) {
	off, err := terminal.ParseHabits(c.without)
	if err != nil {
		return terminal.Habits{}, inputErrorf("--without: %v", err)
	}
	always, err := terminal.ParseHabits(c.always)
	if err != nil {
		return terminal.Habits{}, inputErrorf("--always: %v", err)
	}
	if c.polite {
		off = terminal.AllHabits
	}
	if both := off & always; both != 0 {
		return terminal.Habits{}, inputErrorf("--always %s: these are switched off too", both)
	}
	return terminal.Habits{Off: off, Always: always}, nil
}

func checkSimulation(cfg terminal.SimulateConfig) error {
	switch {
	case cfg.Protocol != 2 && cfg.Protocol != 3:
		return inputErrorf("--protocol %d: want 2 or 3", cfg.Protocol)
	case cfg.Users < 0:
		return inputErrorf("--users %d: want 0 or more", cfg.Users)
	case cfg.Rate < 0:
		return inputErrorf("--rate %v: want more than 0, or 0 for as fast as it goes", cfg.Rate)
	}
	t, err := terminal.New(cfg.Config)
	if err != nil {
		return &inputError{err}
	}
	t.Close()
	return nil
}

func (a *app) simulate(ctx context.Context, cfg terminal.SimulateConfig) error {
	cfg.Seed = rand.Uint64() // else a second run would repeat the first, and repeats make no callbacks
	var done terminal.Progress
	told := ""
	cfg.Progress = func(p terminal.Progress) {
		switch p.State {
		case terminal.Waiting:
			if why := p.Err.Error(); why != told {
				told = why
				a.say("waiting: %s", why)
			}
		case terminal.Connected:
			a.say("connected to %s as %s", cfg.Gateway, cfg.Serial)
		default:
			done = p
		}
	}
	err := terminal.Simulate(ctx, cfg)
	if cfg.Users == 0 {
		if ctx.Err() != nil {
			return nil // being stopped is how it ends, also while it waits for approval
		}
		return err
	}
	if _, printErr := fmt.Fprintf(a.out, "%d users enrolled, %d changes acknowledged\n", done.Users, done.Changes); err == nil {
		err = printErr
	}
	return err
}

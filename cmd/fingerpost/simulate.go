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
	var protocol int
	cmd := &cobra.Command{
		Use:   "simulate --gateway URL --serial SN",
		Short: "a simulated terminal that enrols users",
		Long: `A simulated terminal: it connects, waits to be approved, enrols users with a name, a
password, a card, a fingerprint and a photo each, and ends when the gateway has
acknowledged them all. With --users 0 it only calls until it is stopped.`,
		Example: `  fingerpost simulate --gateway http://127.0.0.1:8081 --serial SIM0001
  fingerpost simulate --gateway http://127.0.0.1:8081 --serial SIM0001 --users 100 --rate 5`,
		Args: wantArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needFlags(cmd, "gateway", "serial"); err != nil {
				return err
			}
			if err := checkSimulation(cfg, protocol); err != nil {
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
	set.IntVar(&protocol, "protocol", 2, "PUSH protocol: `2|3` (3 comes later)")
	return cmd
}

func checkSimulation(cfg terminal.SimulateConfig, protocol int) error {
	switch {
	case protocol == 3:
		return inputErrorf("--protocol 3 comes with a later version of Fingerpost: want 2")
	case protocol != 2:
		return inputErrorf("--protocol %d: want 2", protocol)
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

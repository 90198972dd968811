package main

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) rootCommand() *cobra.Command {
	root := a.group("fingerpost", "gateway between biometric terminals and callback URLs",
		a.serveCommand(), a.demoCommand(),
		a.deviceCommand(), a.endpointCommand(), a.deliveryCommand(),
		a.listenCommand(), a.simulateCommand(), a.versionCommand())
	root.Long = `Fingerpost takes what is enrolled at ZKTeco terminals and posts it as JSON callbacks
to your URL, in order, again and again until each one is acknowledged.

Begin with "fingerpost demo", or with "fingerpost serve" and what it prints.`
	root.SilenceErrors = true
	root.SilenceUsage = true
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return inputErrorf("%w (see %s --help)", err, cmd.CommandPath())
	})
	return root
}

// group returns a command that only has others below it.
func (a *app) group(name, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   name,
		Short: short,
		Args:  cobra.ArbitraryArgs, // else cobra takes a misspelt command for a wish for help
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		hint := "see " + cmd.CommandPath() + " --help"
		cmd.SuggestionsMinimumDistance = 2
		if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
			hint = "did you mean " + strings.Join(similar, " or ") + "?"
		}
		return inputErrorf("%s has no command %q (%s)", cmd.CommandPath(), args[0], hint)
	}
	cmd.AddCommand(commands...)
	return cmd
}

// wantArgs takes exactly the arguments of these names.
func wantArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > len(names) {
			return inputErrorf("%q is one argument too many (see %s --help)", args[len(names)], cmd.CommandPath())
		}
		if len(args) < len(names) {
			return inputErrorf("%s is missing (see %s --help)", names[len(args)], cmd.CommandPath())
		}
		return nil
	}
}

// needFlags reports the first of these flags that was not given.
func needFlags(cmd *cobra.Command, names ...string) error {
	for _, name := range names {
		if !cmd.Flags().Changed(name) {
			return inputErrorf("--%s is missing (see %s --help)", name, cmd.CommandPath())
		}
	}
	return nil
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "print the version",
		Example: "  fingerpost version",
		Args:    wantArgs(),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(a.out, "fingerpost %s %s %s/%s\n", a.version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fingerpost/fingerpost/internal/admin"
)

// change returns the settings whose flags are given.
func (f *deviceFlags) change(a *app, set *pflag.FlagSet) (admin.DeviceChange, error) {
	var c admin.DeviceChange
	d := &f.device
	for flag, field := range map[string]struct {
		to    **string
		value *string
	}{
		"stgid": {&c.StgID, &d.StgID}, "time-zone": {&c.TimeZone, &d.TimeZone}, "label": {&c.Label, &d.Label},
		"site": {&c.Site, &d.Site}, "settle": {&c.Settle, &d.Settle}, "direction": {&c.Direction, &d.Direction},
		"poll": {&c.Poll, &d.Poll}, "compare": {&c.Compare, &d.Compare},
	} {
		if set.Changed(flag) {
			*field.to = field.value
		}
	}
	if set.Changed("endpoint") {
		c.Endpoints = append([]string{}, d.Endpoints...)
	}
	if set.Changed("allow-from") {
		c.AllowFrom = append([]string{}, d.AllowFrom...)
	}
	if set.Changed("roaming") {
		c.Roaming = &d.Roaming
	}
	if set.Changed("auth-token-file") {
		token := ""
		if f.tokenFile != "" {
			var err error
			if token, err = a.secretFile("auth-token-file", f.tokenFile); err != nil {
				return c, err
			}
		}
		c.AuthToken = &token
	}
	return c, nil
}

func (a *app) deviceSet(g *gateway) *cobra.Command {
	var flags deviceFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "set SERIAL",
		Short: "change settings of a terminal",
		Long: `Change settings of a terminal: those whose flags are given, all others stay. What waits
for an endpoint already stays there; endpoints that are new get later changes only.`,
		Example: `  fingerpost device set CQZ7224460246 --settle 8s
  fingerpost device set CQZ7224460246 --endpoint hr,payroll --label "Main gate"
  fingerpost device set CQZ7224460246 --allow-from "" --auth-token-file ""`,
		Args: wantArgs("SERIAL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			change, err := flags.change(a, cmd.Flags())
			if err != nil {
				return err
			}
			given := false
			cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) { given = given || f.Changed && f.Name != "json" })
			if !given {
				return inputErrorf("nothing to change: give at least one setting (see %s --help)", cmd.CommandPath())
			}
			client, err := g.client()
			if err != nil {
				return err
			}
			device, err := client.SetDevice(cmd.Context(), args[0], change)
			if err != nil {
				return err
			}
			return a.deviceKept(device, "changed", asJSON)
		},
	}
	flags.addTo(cmd.Flags())
	addJSON(cmd, &asJSON)
	return cmd
}

func (a *app) deviceSync(g *gateway) *cobra.Command {
	var tell string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "sync SERIAL",
		Short: "ask a terminal for its users",
		Long: `Ask a terminal for its users, when it calls next. What comes is known from then on, and
makes no callbacks. With --tell all every user that comes makes a callback, also those
known already; with --tell missing users that do not come are taken for deleted.`,
		Example: "  fingerpost device sync CQZ7224460246\n  fingerpost device sync CQZ7224460246 --tell all",
		Args:    wantArgs("SERIAL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := g.client()
			if err != nil {
				return err
			}
			device, err := client.SyncDevice(cmd.Context(), args[0], tell)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(device)
			}
			a.say("device %s is asked for its users when it calls next, within %s if it is online", device.Serial, device.Poll)
			return nil
		},
	}
	cmd.Flags().StringVar(&tell, "tell", "", "which users make callbacks: `all|missing` (default none)")
	addJSON(cmd, &asJSON)
	return cmd
}

func (a *app) deviceReplace(g *gateway) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "replace OLD NEW",
		Short: "put a new terminal into the place of an approved one",
		Long: `Put a new terminal into the place of an approved one: stgid, settings, known users and
numbering of its callbacks go on under the serial number NEW. The users that you restore
to the new terminal make no callbacks. OLD is unknown from then on, as if it had never called.`,
		Example: "  fingerpost device replace CQZ7224460246 CQZ7225550001",
		Args:    wantArgs("OLD", "NEW"),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := g.client()
			if err != nil {
				return err
			}
			device, err := client.ReplaceDevice(cmd.Context(), args[0], args[1])
			if err != nil {
				return renamed(err, "SERIAL", "NEW")
			}
			return a.deviceKept(device, "is in the place of "+printable(args[0]), asJSON)
		},
	}
	addJSON(cmd, &asJSON)
	return cmd
}

// renamed has a refusal name the argument that this command calls otherwise.
func renamed(err error, from, to string) error {
	p, ok := errors.AsType[*admin.ProblemError](err)
	if !ok || len(p.Errors) == 0 || asFlag(p.Errors[0].Field) != from {
		return err
	}
	return inputErrorf("%s", p.Errors[0].Sentence(to))
}

func (a *app) deviceRemove(g *gateway) *cobra.Command {
	var discard, asJSON bool
	cmd := &cobra.Command{
		Use:   "remove SERIAL",
		Short: "forget a terminal",
		Long: `Forget a terminal, its users and its records that were not understood. Its deliveries can
still be listed; its serial number and stgid may be used again. That is refused while
deliveries of it wait, or changes that are not complete yet; --discard gives those up, and
records the deliveries as skipped.`,
		Example: "  fingerpost device remove CQZ7224460246\n  fingerpost device remove CQZ7224460246 --discard",
		Args:    wantArgs("SERIAL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := g.client()
			if err != nil {
				return err
			}
			removed, err := client.RemoveDevice(cmd.Context(), args[0], discard)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(removed)
			}
			given := ""
			if removed.Skipped+removed.Dropped > 0 {
				given = fmt.Sprintf(": %d deliveries are skipped, %d changes that were not complete are dropped", removed.Skipped, removed.Dropped)
			}
			a.say("device %s removed%s", removed.Serial, given)
			return nil
		},
	}
	cmd.Flags().BoolVar(&discard, "discard", false, "also while something of it waits")
	addJSON(cmd, &asJSON)
	return cmd
}

func (a *app) deviceReread(g *gateway) *cobra.Command {
	var dismiss, asJSON bool
	cmd := &cobra.Command{
		Use:   "reread SERIAL",
		Short: "try records again that were not understood",
		Long: `Try the records of a terminal again that were not understood when they came, for instance
after an upgrade. What is understood now counts as uploaded now; what still is not stays,
and is listed. --dismiss deletes them all, unread.`,
		Example: "  fingerpost device reread CQZ7224460246\n  fingerpost device reread CQZ7224460246 --dismiss",
		Args:    wantArgs("SERIAL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := g.client()
			if err != nil {
				return err
			}
			if dismiss {
				dismissed, err := client.DismissUnread(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if asJSON {
					return a.printJSON(dismissed)
				}
				a.say("%d unread records dismissed", dismissed.Dismissed)
				return nil
			}
			reread, err := client.RereadDevice(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(reread)
			}
			a.say("%d records are understood now, %d still are not", reread.Understood, reread.Left)
			return a.printUnread(cmd, client, args[0], reread.Left)
		},
	}
	cmd.Flags().BoolVar(&dismiss, "dismiss", false, "delete them instead")
	addJSON(cmd, &asJSON)
	return cmd
}

// unreadShown is how many unread records are listed.
const unreadShown = 100

// printUnread lists the oldest of the records that are left, never what stands in them.
func (a *app) printUnread(cmd *cobra.Command, client *admin.Client, serial string, left int) error {
	if left == 0 {
		return nil
	}
	list, err := client.UnreadRecords(cmd.Context(), serial, admin.Page{Limit: unreadShown})
	if err != nil {
		return err
	}
	var rows [][]string
	for _, u := range list.Items {
		rows = append(rows, []string{u.ID, printTime(u.ReceivedAt), u.Table, u.Why})
	}
	if err := a.printTable([]string{"ID", "RECEIVED", "TABLE", "WHY"}, rows); err != nil {
		return err
	}
	if list.NextCursor != "" {
		a.say("these are the oldest %d of %d", len(rows), left)
	}
	return nil
}

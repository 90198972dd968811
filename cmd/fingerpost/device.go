package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fingerpost/fingerpost/internal/admin"
)

func (a *app) deviceCommand() *cobra.Command {
	g := &gateway{app: a}
	cmd := a.group("device", "terminals: add, approve, list, show, change, replace, remove",
		a.deviceAdd(g), a.deviceList(g), a.deviceShow(g), a.deviceApprove(g), a.deviceSet(g), a.deviceImport(g),
		a.deviceSync(g), a.deviceReread(g), a.deviceReplace(g), a.deviceRemove(g))
	g.addFlags(cmd.PersistentFlags())
	return cmd
}

// deviceFlags are the settings of a device as flags.
type deviceFlags struct {
	device    admin.NewDevice
	tokenFile string
}

func (f *deviceFlags) addTo(set *pflag.FlagSet) {
	d := &f.device
	set.StringVar(&d.StgID, "stgid", "", "`id` of the device at the customer's, sent as ?stgid=")
	set.StringVar(&d.TimeZone, "time-zone", "", "IANA `zone` of the terminal's clock, such as Asia/Kolkata")
	set.StringSliceVar(&d.Endpoints, "endpoint", nil, "`names` of the endpoints that get its changes, joined by commas")
	set.StringVar(&d.Label, "label", "", "`text` for people")
	set.StringVar(&d.Site, "site", "", "`place` where it stands")
	set.StringVar(&d.Settle, "settle", "", "`time` that a change waits for what belongs to it (default 5s)")
	set.StringVar(&d.Direction, "direction", "", "what a punch without a direction means: `actual|in|out` (default actual)")
	set.StringVar(&d.Poll, "poll", "", "`time` between its questions for commands (default 10s)")
	set.StringVar(&f.tokenFile, "auth-token-file", "", "`file` with an auth token for this device instead of the endpoint's (- is standard input)")
	set.BoolVar(&d.Roaming, "roaming", false, "several source addresses are normal (later version)")
	set.StringSliceVar(&d.AllowFrom, "allow-from", nil, "`networks` from which it may call, joined by commas (default any)")
	set.StringVar(&d.Compare, "compare", "", "`time` between comparisons of its users (later version)")
}

// read returns the settings with the contents of files.
func (f *deviceFlags) read(a *app, serial string) (admin.NewDevice, error) {
	d := f.device
	d.Serial = serial
	if f.tokenFile != "" {
		token, err := a.secretFile("auth-token-file", f.tokenFile)
		if err != nil {
			return d, err
		}
		d.AuthToken = token
	}
	return d, nil
}

func (a *app) deviceAdd(g *gateway) *cobra.Command {
	var flags deviceFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "add SERIAL --stgid ID --time-zone ZONE --endpoint NAME",
		Short: "add a terminal before or after it calls",
		Example: `  fingerpost device add CQZ7224460246 --stgid gate-1 --time-zone Asia/Kolkata --endpoint hr
  fingerpost device add CQZ7224460246 --stgid gate-1 --time-zone Asia/Kolkata --endpoint hr,payroll --label "Main gate"`,
		Args: wantArgs("SERIAL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needFlags(cmd, "stgid", "time-zone", "endpoint"); err != nil {
				return err
			}
			in, client, err := a.deviceInput(g, &flags, args[0])
			if err != nil {
				return err
			}
			device, err := client.AddDevice(cmd.Context(), in)
			if err != nil {
				return err
			}
			return a.deviceKept(device, "added", asJSON)
		},
	}
	flags.addTo(cmd.Flags())
	addJSON(cmd, &asJSON)
	return cmd
}

func (a *app) deviceApprove(g *gateway) *cobra.Command {
	var flags deviceFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "approve SERIAL",
		Short: "take the changes of a terminal that has called",
		Long: `Take the changes of a terminal that has called and waits in "fingerpost device list".
Left out, --stgid is the serial number, --time-zone the gateway's, --endpoint the only one.`,
		Example: `  fingerpost device approve CQZ7224460246
  fingerpost device approve CQZ7224460246 --stgid gate-1 --time-zone Asia/Kolkata --endpoint hr`,
		Args: wantArgs("SERIAL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			in, client, err := a.deviceInput(g, &flags, args[0])
			if err != nil {
				return err
			}
			device, err := client.ApproveDevice(cmd.Context(), in)
			if err != nil {
				return err
			}
			return a.deviceKept(device, "approved", asJSON)
		},
	}
	flags.addTo(cmd.Flags())
	addJSON(cmd, &asJSON)
	return cmd
}

func (a *app) deviceInput(g *gateway, flags *deviceFlags, serial string) (admin.NewDevice, *admin.Client, error) {
	in, err := flags.read(a, serial)
	if err != nil {
		return in, nil, err
	}
	client, err := g.client()
	return in, client, err
}

// deviceKept reports a device that was added or approved, with the settings in force.
func (a *app) deviceKept(d admin.Device, what string, asJSON bool) error {
	if asJSON {
		return a.printJSON(d)
	}
	a.say("device %s %s: its changes go to %s", d.Serial, what, strings.Join(d.Endpoints, ", "))
	return a.printFields([][2]string{{"stgid", d.StgID}, {"time zone", d.TimeZone}})
}

func (a *app) deviceList(g *gateway) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "list terminals, also those that wait for approval",
		Example: "  fingerpost device list\n  fingerpost device list --json",
		Args:    wantArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := g.client()
			if err != nil {
				return err
			}
			list, err := allPages(cmd.Context(), client.Devices)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(list)
			}
			if len(list.Items) == 0 {
				a.say("no terminal has called yet: type the address that `fingerpost serve` prints into its menu")
				return nil
			}
			rows := make([][]string, len(list.Items))
			for i, d := range list.Items {
				rows[i] = []string{d.Serial, d.State, d.StgID, d.TimeZone, strings.Join(d.Endpoints, ","), printTime(d.LastSeenAt), d.Label}
			}
			return a.printTable([]string{"SERIAL", "STATE", "STGID", "TIME ZONE", "ENDPOINTS", "LAST SEEN", "LABEL"}, rows)
		},
	}
	addJSON(cmd, &asJSON)
	return cmd
}

func (a *app) deviceShow(g *gateway) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "show SERIAL",
		Short:   "show a terminal: settings, when it called last, its clock, its alarms, what of it was not understood",
		Example: "  fingerpost device show CQZ7224460246",
		Args:    wantArgs("SERIAL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := g.client()
			if err != nil {
				return err
			}
			device, err := client.Device(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(device)
			}
			return a.printDevice(device)
		},
	}
	addJSON(cmd, &asJSON)
	return cmd
}

func (a *app) printDevice(d admin.Device) error {
	fields := [][2]string{
		{"serial", d.Serial},
		{"state", d.State},
		{"stgid", d.StgID},
		{"time zone", d.TimeZone},
		{"endpoints", strings.Join(d.Endpoints, ", ")},
		{"label", d.Label},
		{"site", d.Site},
		{"settle", d.Settle.String()},
		{"direction", d.Direction},
		{"poll", d.Poll.String()},
		{"roaming", yesNo(d.Roaming)},
		{"allow from", strings.Join(d.AllowFrom, ", ")},
		{"compare", d.Compare.String()},
		{"last seen", printTime(d.LastSeenAt)},
		{"address", d.Address},
		{"family", familyInWords(d.Family)},
		{"protocol", d.Protocol},
		{"firmware", d.Firmware},
		{"clock", clockInWords(d.ClockOffset)},
		{"late times", lateInWords(d)},
		{"unread records", strconv.FormatInt(d.UnreadRecords, 10)},
	}
	for _, alarm := range d.Alarms {
		fields = append(fields, [2]string{"alarm", printTime(alarm.At) + " " + alarm.Text})
	}
	return a.printFields(fields)
}

func familyInWords(family string) string {
	switch family {
	case "att":
		return "attendance (PUSH 2.x)"
	case "acc":
		return "access control (PUSH 3.x)"
	}
	return family
}

func clockInWords(offset *admin.Duration) string {
	switch {
	case offset == nil:
		return ""
	case *offset == 0:
		return "right"
	case *offset < 0:
		return (-*offset).String() + " behind ours"
	}
	return offset.String() + " ahead of ours"
}

// lateInWords says what to do about operation times that come too late.
func lateInWords(d admin.Device) string {
	if d.LateTimes == 0 {
		return "none"
	}
	settle := (time.Duration(d.LateSettle) + time.Second - 1).Truncate(time.Second)
	return fmt.Sprintf("an operation time came too late %d times; --settle %s would have caught the last", d.LateTimes, admin.Duration(settle))
}

func addJSON(cmd *cobra.Command, asJSON *bool) {
	cmd.Flags().BoolVar(asJSON, "json", false, "print JSON, in the form of the API")
}

package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fingerpost/fingerpost/internal/admin"
)

func (a *app) endpointCommand() *cobra.Command {
	g := &gateway{app: a}
	cmd := a.group("endpoint", "callback URLs: add, list, show, resume",
		a.endpointAdd(g), a.endpointList(g), a.endpointShow(g), a.endpointResume(g))
	g.addFlags(cmd.PersistentFlags())
	return cmd
}

// endpointFlags are the settings of an endpoint as flags.
type endpointFlags struct {
	endpoint    admin.NewEndpoint
	authToken   string
	maxInFlight int
	appendStgID bool
	files       map[string]*string // names of files, by flag
}

func (f *endpointFlags) addTo(set *pflag.FlagSet) {
	e := &f.endpoint
	set.StringVar(&e.URL, "url", "", "`URL` that callbacks are posted to")
	set.StringVar(&f.authToken, "auth-token", "", "`token` in each callback, by which the receiver knows us (default a new one)")
	set.StringVar(&e.Dialect, "dialect", "", "form of the callbacks: `niya|cams|iso` (default niya; the others come later)")
	set.StringSliceVar(&e.Kinds, "kinds", nil, "`kinds` of change it gets: updates, punches, all, or a list (default updates)")
	set.StringVar(&e.Ack, "ack", "", "what acknowledges: `status|body|2xx` (default status, that is 200 or 201)")
	set.StringVar(&e.Stop, "stop", "", "what a failure stops: `lane|url` (default lane; url comes later)")
	set.StringVar(&e.Timeout, "timeout", "", "`time` for one attempt, 1s to 120s (default 30s)")
	set.IntVar(&f.maxInFlight, "max-in-flight", 16, "most callbacks at once, a `number`")
	set.StringVar(&e.UserID, "user-id", "", "JSON type of user ids: `documented|number|string` (default documented)")
	set.StringVar(&e.Times, "times", "", "form of times: `gmt|plain|iso` (default as the dialect has it)")
	set.BoolVar(&e.DeviceFields, "device-fields", false, "send SerialNumber and LabelName too")
	set.StringVar(&e.Face, "face", "", "how faces are sent: `auto|always|jpeg` (default auto; the others come later)")
	set.BoolVar(&f.appendStgID, "append-stgid", true, "append ?stgid= to the URL")
	set.BoolVar(&e.RootCopies, "root-copies", false, "send AuthToken and OperationID at the root too")
	f.files = map[string]*string{
		"auth-token-file": set.String("auth-token-file", "", "`file` with the auth token (- is standard input)"),
		"header-file":     set.String("header-file", "", "`file` with headers to send (later version)"),
		"basic-auth-file": set.String("basic-auth-file", "", "`file` with user:password (later version)"),
		"ca":              set.String("ca", "", "`file` with a certificate authority (later version)"),
		"cert":            set.String("cert", "", "`file` with a client certificate (later version)"),
		"key":             set.String("key", "", "`file` with the key of --cert (later version)"),
	}
}

// read returns the settings with the contents of files.
func (f *endpointFlags) read(a *app, set *pflag.FlagSet, name string) (admin.NewEndpoint, error) {
	e := f.endpoint
	e.Name = name
	if set.Changed("max-in-flight") {
		e.MaxInFlight = &f.maxInFlight
	}
	if set.Changed("append-stgid") {
		e.AppendStgID = &f.appendStgID
	}
	if set.Changed("auth-token") && set.Changed("auth-token-file") {
		return e, inputErrorf("--auth-token and --auth-token-file: want one of them")
	}
	if set.Changed("auth-token") {
		e.AuthToken = &f.authToken
	}
	var tokenFromFile string
	for _, file := range []struct {
		flag string
		to   *string
	}{
		{"auth-token-file", &tokenFromFile}, {"header-file", &e.Headers}, {"basic-auth-file", &e.BasicAuth},
		{"ca", &e.CA}, {"cert", &e.Cert}, {"key", &e.Key},
	} {
		if !set.Changed(file.flag) {
			continue
		}
		var err error
		if *file.to, err = a.secretFile(file.flag, *f.files[file.flag]); err != nil {
			return e, err
		}
	}
	if tokenFromFile != "" {
		e.AuthToken = &tokenFromFile
	}
	return e, nil
}

func (a *app) endpointAdd(g *gateway) *cobra.Command {
	var flags endpointFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "add NAME --url URL",
		Short: "add a URL that gets callbacks",
		Long: `Add a URL that gets callbacks. Its auth token, if you give none, and its signing secret
are made here and printed once.`,
		Example: `  fingerpost endpoint add hr --url https://hr.example.com/callback
  fingerpost endpoint add hr --url http://10.0.0.5/cb --auth-token-file token.txt --kinds updates,user-deleted`,
		Args: wantArgs("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needFlags(cmd, "url"); err != nil {
				return err
			}
			in, err := flags.read(a, cmd.Flags(), args[0])
			if err != nil {
				return err
			}
			client, err := g.client()
			if err != nil {
				return err
			}
			endpoint, err := client.AddEndpoint(cmd.Context(), in)
			if err != nil {
				return err
			}
			a.warnOf(endpoint)
			if asJSON {
				return a.printJSON(endpoint)
			}
			return a.endpointAdded(endpoint)
		},
	}
	flags.addTo(cmd.Flags())
	addJSON(cmd, &asJSON)
	return cmd
}

// warnOf tells what is known to go wrong at receivers with the settings of e.
func (a *app) warnOf(e admin.Endpoint) {
	if e.Dialect == "niya" && slices.Contains(e.Kinds, "punch") {
		a.say("warning: with dialect niya, ten receivers of the field read Type of a punch as the direction," +
			" store it wrong and answer done: check yours (the dialect that they want, cams, comes later)")
	}
	if e.UserID == "number" {
		a.say("warning: with --user-id number some receivers take user 007 for user 7, and some refuse numbers: choose string if yours is one of them")
	}
}

func (a *app) endpointAdded(e admin.Endpoint) error {
	a.say("endpoint %s added: callbacks go to %s", e.Name, printable(e.URL))
	fields := [][2]string{}
	if e.AuthToken != "" {
		fields = append(fields, [2]string{"auth token", e.AuthToken})
	}
	fields = append(fields, [2]string{"signing secret", e.Secret})
	if err := a.printFields(fields); err != nil {
		return err
	}
	a.say("This is what the receiver checks; it will not be shown again.")
	a.say("Next: fingerpost device list, and fingerpost device approve SERIAL --endpoint %s", e.Name)
	return nil
}

func (a *app) endpointList(g *gateway) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "list endpoints, their state, and how much each is owed",
		Example: "  fingerpost endpoint list\n  fingerpost endpoint list --json",
		Args:    wantArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := g.client()
			if err != nil {
				return err
			}
			list, err := allPages(cmd.Context(), client.Endpoints)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(list)
			}
			if len(list.Items) == 0 {
				a.say("there is no endpoint yet: add one with fingerpost endpoint add NAME --url URL")
				return nil
			}
			rows := make([][]string, len(list.Items))
			for i, e := range list.Items {
				rows[i] = []string{e.Name, e.State, strconv.FormatInt(e.Waiting, 10), strconv.Itoa(e.BlockedLanes), printTime(e.NextAttemptAt), e.URL}
			}
			return a.printTable([]string{"NAME", "STATE", "WAITING", "BLOCKED LANES", "NEXT ATTEMPT", "URL"}, rows)
		},
	}
	addJSON(cmd, &asJSON)
	return cmd
}

func (a *app) endpointShow(g *gateway) *cobra.Command {
	return a.endpointByName(g, &cobra.Command{
		Use:     "show NAME",
		Short:   "show an endpoint: settings, state, why it is suspended",
		Example: "  fingerpost endpoint show hr",
	}, (*admin.Client).Endpoint)
}

func (a *app) endpointResume(g *gateway) *cobra.Command {
	return a.endpointByName(g, &cobra.Command{
		Use:     "resume NAME",
		Short:   "end a pause or a suspension: the next attempt leaves at once",
		Example: "  fingerpost endpoint resume hr",
	}, (*admin.Client).ResumeEndpoint)
}

// An endpointAction is a method of [admin.Client] that takes the name of an endpoint.
type endpointAction func(*admin.Client, context.Context, string) (admin.Endpoint, error)

// endpointByName completes a command that does something with one endpoint and prints it.
func (a *app) endpointByName(g *gateway, cmd *cobra.Command, do endpointAction) *cobra.Command {
	var asJSON bool
	cmd.Args = wantArgs("NAME")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		client, err := g.client()
		if err != nil {
			return err
		}
		endpoint, err := do(client, cmd.Context(), args[0])
		if err != nil {
			return err
		}
		if asJSON {
			return a.printJSON(endpoint)
		}
		return a.printEndpoint(endpoint)
	}
	addJSON(cmd, &asJSON)
	return cmd
}

func (a *app) printEndpoint(e admin.Endpoint) error {
	times := e.Times
	if times == "" {
		times = "as the dialect has it"
	}
	return a.printFields([][2]string{
		{"name", e.Name},
		{"url", e.URL},
		{"state", e.State},
		{"reason", e.Reason},
		{"failures", strconv.Itoa(e.Failures)},
		{"next attempt", printTime(e.NextAttemptAt)},
		{"waiting", fmt.Sprintf("%d (fingerpost delivery list --endpoint %s --state waiting)", e.Waiting, e.Name)},
		{"blocked lanes", strconv.Itoa(e.BlockedLanes)},
		{"dialect", e.Dialect},
		{"kinds", strings.Join(e.Kinds, ",")},
		{"ack", e.Ack},
		{"stop", e.Stop},
		{"timeout", e.Timeout.String()},
		{"max in flight", strconv.Itoa(e.MaxInFlight)},
		{"user id", e.UserID},
		{"times", times},
		{"device fields", yesNo(e.DeviceFields)},
		{"face", e.Face},
		{"append stgid", yesNo(e.AppendStgID)},
		{"root copies", yesNo(e.RootCopies)},
	})
}

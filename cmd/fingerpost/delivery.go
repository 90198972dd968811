package main

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fingerpost/fingerpost/internal/admin"
)

func (a *app) deliveryCommand() *cobra.Command {
	g := &gateway{app: a}
	cmd := a.group("delivery", "callbacks, owed and delivered: list, show", a.deliveryList(g), a.deliveryShow(g))
	g.addFlags(cmd.PersistentFlags())
	return cmd
}

func (a *app) deliveryList(g *gateway) *cobra.Command {
	var query admin.DeliveryQuery
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "list deliveries, lane by lane",
		Example: `  fingerpost delivery list --state waiting
  fingerpost delivery list --endpoint hr --device CQZ7224460246 --json`,
		Args: wantArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if query.Limit < 1 {
				return inputErrorf("--limit %d: want 1 to 1000", query.Limit)
			}
			client, err := g.client()
			if err != nil {
				return err
			}
			list, err := client.Deliveries(cmd.Context(), query)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(list)
			}
			return a.printDeliveries(list)
		},
	}
	set := cmd.Flags()
	set.StringVar(&query.Endpoint, "endpoint", "", "only to this endpoint, a `name`")
	set.StringVar(&query.Device, "device", "", "only of this device, a `serial` number")
	set.StringVar(&query.State, "state", "", "only in this state: `waiting|delivered|parked|skipped`")
	set.IntVar(&query.Limit, "limit", 100, "at most so many, a `number` up to 1000")
	set.StringVar(&query.Cursor, "cursor", "", "`text` that the page before ended with")
	addJSON(cmd, &asJSON)
	return cmd
}

func (a *app) printDeliveries(list admin.List[admin.Delivery]) error {
	if len(list.Items) == 0 {
		a.say("no delivery is like that")
		return nil
	}
	rows := make([][]string, len(list.Items))
	for i, d := range list.Items {
		rows[i] = []string{d.ID, d.State, d.Endpoint, d.Device, d.UserID, strings.Join(d.Kinds, ","),
			strconv.Itoa(d.Attempts), printTime(d.ReceivedAt), d.OperationID}
	}
	err := a.printTable([]string{"ID", "STATE", "ENDPOINT", "DEVICE", "USER", "KINDS", "ATTEMPTS", "RECEIVED", "OPERATION ID"}, rows)
	if list.NextCursor != "" {
		a.say("There are more: add --cursor %s", list.NextCursor)
	}
	return err
}

func (a *app) deliveryShow(g *gateway) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "show ID",
		Short:   "show a delivery with every attempt and what was answered",
		Example: "  fingerpost delivery show 3.17",
		Args:    wantArgs("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := g.client()
			if err != nil {
				return err
			}
			delivery, err := client.Delivery(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(delivery)
			}
			return a.printDelivery(delivery)
		},
	}
	addJSON(cmd, &asJSON)
	return cmd
}

func (a *app) printDelivery(d admin.Delivery) error {
	err := a.printFields([][2]string{
		{"id", d.ID},
		{"state", d.State},
		{"endpoint", d.Endpoint},
		{"device", d.Device},
		{"class", d.Class},
		{"sequence", strconv.FormatInt(d.Sequence, 10)},
		{"operation id", d.OperationID},
		{"kinds", strings.Join(d.Kinds, ",")},
		{"user", d.UserID},
		{"received", printTime(d.ReceivedAt)},
		{"attempts", strconv.Itoa(d.Attempts)},
	})
	if err != nil || len(d.Tries) == 0 {
		return err
	}
	rows := make([][]string, len(d.Tries))
	for i, t := range d.Tries {
		status := ""
		if t.Status != 0 {
			status = strconv.Itoa(t.Status)
		}
		rows[i] = []string{strconv.Itoa(t.Attempt), printTime(t.StartedAt), t.Duration.String(), status,
			yesNo(t.Acknowledged), t.Error, strings.Join(strings.Fields(t.Answer), " ")}
	}
	a.say("")
	return a.printTable([]string{"ATTEMPT", "STARTED", "DURATION", "STATUS", "ACKNOWLEDGED", "ERROR", "ANSWER"}, rows)
}

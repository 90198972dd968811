package config_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/fingerpost/fingerpost/internal/config"
)

func load(t *testing.T, env map[string]string, args ...string) (config.Config, error) {
	t.Helper()
	set := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	flags := config.AddFlags(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	return flags.Config(func(name string) (string, bool) {
		text, found := env[name]
		return text, found
	})
}

func TestConfig(t *testing.T) {
	t.Parallel()
	standard := config.Config{
		Data:         "fingerpost-data",
		KeyFile:      filepath.Join("fingerpost-data", "seal.key"),
		DeviceListen: ":8081",
		AdminListen:  "127.0.0.1:8080",
		LogFormat:    "text",
	}
	with := func(change func(*config.Config)) config.Config {
		c := standard
		change(&c)
		return c
	}
	tests := []struct {
		name string
		env  map[string]string
		args []string
		want config.Config
	}{
		{"nothing given is the documented defaults", nil, nil, standard},
		{"the environment counts", map[string]string{"FINGERPOST_LOG_FORMAT": "json", "FINGERPOST_PUBLIC_ONLY": "true"}, nil,
			with(func(c *config.Config) { c.LogFormat, c.PublicOnly = "json", true })},
		{"a flag wins over its twin, also with the default value",
			map[string]string{"FINGERPOST_ADMIN_LISTEN": ":9"}, []string{"--admin-listen=127.0.0.1:8080"}, standard},
		{"an empty twin counts as not set", map[string]string{"FINGERPOST_DATA": ""}, nil, standard},
		{"the key file lies in the data directory", nil, []string{"--data", "d"},
			with(func(c *config.Config) { c.Data, c.KeyFile = "d", filepath.Join("d", "seal.key") })},
		{"or where it is said to lie", nil, []string{"--key-file", "k"},
			with(func(c *config.Config) { c.KeyFile = "k" })},
		{"networks are lists", nil, []string{"--trusted-proxy", "10.0.0.0/8, fd00::/8"},
			with(func(c *config.Config) {
				c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
			})},
		{"both ports may be found by the system", nil, []string{"--device-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"},
			with(func(c *config.Config) { c.DeviceListen, c.AdminListen = "127.0.0.1:0", "127.0.0.1:0" })},
		{"levels have names", nil, []string{"--log-level", "warn"},
			with(func(c *config.Config) { c.LogLevel = slog.LevelWarn })},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := load(t, tt.env, tt.args...)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestConfig_WrongInputSaysWhereAndWhatWouldBeRight(t *testing.T) {
	t.Parallel()
	tests := []struct {
		env   map[string]string
		args  []string
		where string
		want  string
	}{
		{nil, []string{"--data="}, "--data", "directory"},
		{nil, []string{"--store=postgres://u:hidden@h/db"}, "--store", "later version"},
		{nil, []string{"--store=mysql://h"}, "--store", "postgres://"},
		{nil, []string{"--store-listen=h"}, "--store-listen", "postgres://"},
		{nil, []string{"--device-listen=8081"}, "--device-listen", `":8081"`},
		{nil, []string{"--device-listen=:99999"}, "--device-listen", "host:port"},
		{nil, []string{"--device-listen=a b:1"}, "--device-listen", "host:port"},
		{map[string]string{"FINGERPOST_ADMIN_LISTEN": "x"}, nil, "FINGERPOST_ADMIN_LISTEN", "host:port"},
		{nil, []string{"--admin-listen=:8081"}, "--admin-listen", "other than"},
		{nil, []string{"--device-address=http://h/"}, "--device-address", "192.168.1.20"},
		{nil, []string{"--device-address=h:0"}, "--device-address", "192.168.1.20"},
		{nil, []string{"--trusted-proxy=10.0.0.1"}, "--trusted-proxy", "10.1.0.0/16"},
		{nil, []string{"--allow-network=10.0.0.1/8"}, "--allow-network", "10.1.0.0/16"},
		{map[string]string{"FINGERPOST_PUBLIC_ONLY": "perhaps"}, nil, "FINGERPOST_PUBLIC_ONLY", "true or false"},
		{nil, []string{"--log-format=xml"}, "--log-format", "text or json"},
		{nil, []string{"--log-level=warn+1"}, "--log-level", "debug"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.args, tt.env), func(t *testing.T) {
			t.Parallel()
			_, err := load(t, tt.env, tt.args...)
			input, ok := errors.AsType[*config.InputError](err)
			if !ok {
				t.Fatalf("got error %v, want an InputError", err)
			}
			if input.Where != tt.where || !strings.Contains(input.Want, tt.want) {
				t.Errorf("got %q, want it to name %s and to say %q", err, tt.where, tt.want)
			}
			if strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %q, want one line without the store's password", err)
			}
		})
	}
}

func TestConfig_PrintsWithoutThePasswordOfTheStore(t *testing.T) {
	t.Parallel()
	c := config.Config{
		Data:        "d",
		Store:       "postgres://u:hidden@db.example:5432/fp?password=hidden",
		StoreListen: "host=db password=hidden",
	}
	var out bytes.Buffer
	if err := c.Print(&out); err != nil {
		t.Fatal(err)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("started", "config", c)
	fmt.Fprintf(&out, "%v %+v %#v %s", c, c, &c, c)
	if strings.Contains(out.String(), "hidden") {
		t.Errorf("got %s, want no password in it", out.String())
	}
	if !strings.Contains(out.String(), "postgres://db.example:5432/fp") {
		t.Errorf("got %s, want the store's address in it", out.String())
	}
}

func TestLater_NamesEverySettingThatDoesNothingYet(t *testing.T) {
	t.Parallel()
	c, err := load(t, nil, "--public-only", "--allow-network=10.0.0.0/8", "--store-listen=postgres://h/d")
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(c.Later(), "\n")
	for _, flag := range []string{"--public-only", "--allow-network", "--store-listen"} {
		if !strings.Contains(got, flag) {
			t.Errorf("got %q, want a line about %s", got, flag)
		}
	}
	standard, err := load(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	if lines := standard.Later(); len(lines) != 0 {
		t.Errorf("got %q for the defaults, want nothing", lines)
	}
}

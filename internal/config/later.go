package config

import "fmt"

// Later returns a line for each setting that is accepted and does nothing yet, so
// that nobody relies on it. "serve" prints them at start.
func (c Config) Later() []string {
	var lines []string
	for _, later := range []struct {
		flag string
		set  bool
		what string
	}{
		{"store-listen", c.StoreListen != "", "there is no PostgreSQL store yet"},
		{"allow-network", len(c.AllowNetworks) > 0, "no network is refused yet"},
		{"public-only", c.PublicOnly, "endpoints on private networks are NOT refused yet"},
	} {
		if later.set {
			lines = append(lines, fmt.Sprintf("--%s does nothing in this version: %s", later.flag, later.what))
		}
	}
	return lines
}

package callback

import (
	"errors"
	"net/url"
	"strings"
)

// ErrURL reports what no callback can be posted to. The URL itself stays out of the
// error: its query may hold a key.
var ErrURL = errors.New("want an absolute http or https URL without blanks")

const stgidKey = "stgid"

// URL returns where the callbacks of the device with this service tag id are posted:
// base without its fragment. With appendStgID its query names the device: an existing
// stgid is replaced in place (further ones, which receivers resolve differently, are
// removed), else stgid comes last. All other bytes of the query stay as they are.
//
// An existing stgid is one that a receiver would decode to exactly this name, with a
// value or without. The error is [ErrURL].
func URL(base, stgid string, appendStgID bool) (string, error) {
	base, _, _ = strings.Cut(base, "#")
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" ||
		strings.ContainsAny(base, " \t\r\n") {
		return "", ErrURL
	}
	if !appendStgID {
		return base, nil
	}
	head, query, _ := strings.Cut(base, "?")
	return head + "?" + withStgID(query, stgidKey+"="+url.QueryEscape(stgid)), nil
}

// withStgID puts pair into query.
func withStgID(query, pair string) string {
	var kept []string
	found := false
	for part := range strings.SplitSeq(query, "&") {
		if !isStgID(part) {
			kept = append(kept, part)
			continue
		}
		if !found {
			kept = append(kept, pair)
		}
		found = true
	}
	joined := strings.Join(kept, "&")
	switch {
	case found:
		return joined
	case joined == "" || strings.HasSuffix(joined, "&"):
		return joined + pair
	}
	return joined + "&" + pair
}

func isStgID(part string) bool {
	name, _, _ := strings.Cut(part, "=")
	decoded, err := url.QueryUnescape(name)
	return err == nil && decoded == stgidKey
}

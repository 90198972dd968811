package admin

import (
	"html/template"
	"net/http"
)

// page serves /, for who opens the address in a browser. It needs no token and so
// tells nothing but the version.
func (h *handler) page(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET")
		writeProblem(w, problem(http.StatusMethodNotAllowed, "this path takes GET"))
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	_ = h.front.Execute(w, h.cfg.Version) // fails only if the client is gone
}

func parsePage() (*template.Template, error) { return template.New("page").Parse(pageText) }

const pageText = `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Fingerpost</title></head>
<body>
<h1>Fingerpost {{.}} runs</h1>
<p>The dashboard comes with a later version. Until then these commands show what goes on:</p>
<dl>
<dt><code>fingerpost device list</code></dt><dd>terminals, also those that wait for approval</dd>
<dt><code>fingerpost endpoint list</code></dt><dd>endpoints, their state, and how much each is owed</dd>
<dt><code>fingerpost delivery list --state waiting</code></dt><dd>callbacks that are not acknowledged yet</dd>
<dt><code>fingerpost delivery show ID</code></dt><dd>every attempt of one callback, and what was answered</dd>
</dl>
<p>The same as JSON is below <code>/api/v1/</code>, with the token that stands in <code>admin-token</code> of the data directory.</p>
</body>
</html>
`

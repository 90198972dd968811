package admin

// laterWords end the refusal of what is documented and not built yet.
const laterWords = "comes with a later version of Fingerpost: leave it out for now"

// A laterField is a setting that is documented and not built yet, and whether a
// request asks for it. This file is the only list of them.
type laterField struct {
	field string
	asked bool
	what  string
}

func (n *NewEndpoint) later() []laterField {
	return []laterField{
		{"dialect", n.Dialect == "cams" || n.Dialect == "iso", n.Dialect},
		{"stop", n.Stop == "url", n.Stop},
		{"face", n.Face == "always" || n.Face == "jpeg", n.Face},
		{"header_file", n.Headers != "", "sending headers of your own"},
		{"basic_auth_file", n.BasicAuth != "", "basic authentication"},
		{"ca", n.CA != "", "a certificate authority of your own"},
		{"cert", n.Cert != "", "a client certificate"},
		{"key", n.Key != "", "a client certificate"},
	}
}

// refuseLater refuses every field that asks for something not built yet.
func refuseLater(fields []laterField) error {
	var asked []FieldError
	for _, later := range fields {
		if later.asked {
			asked = append(asked, FieldError{later.field, later.what + " " + laterWords})
		}
	}
	if asked == nil {
		return nil
	}
	return refused(asked...)
}

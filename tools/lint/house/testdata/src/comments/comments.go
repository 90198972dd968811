// Package comments has a list of to-dos, which is fine.
package comments

/* TODO: later */ // want `comment promises later work`

/* FIXME */ // want `comment promises later work`

//nolint:all // because // want `no analyzer listens`
func silent() {}

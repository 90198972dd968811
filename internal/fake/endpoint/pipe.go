package endpoint

import (
	"context"
	"net"
	"sync"
)

// A Dial is the DialContext of an [http.Transport].
type Dial func(ctx context.Context, network, addr string) (net.Conn, error)

// NewPipe returns a listener for [http.Server.Serve] and the dial function that
// reaches it, whatever the address, over [net.Pipe]. There is no socket, so both sides
// work in the virtual time of a testing/synctest bubble. Once the listener is closed,
// dialling fails as a refused connection does.
func NewPipe() (net.Listener, Dial) {
	p := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	return p, p.dial
}

type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	var err error
	select {
	case p.conns <- server:
		return client, nil
	case <-p.closed:
		err = net.ErrClosed
	case <-ctx.Done():
		err = ctx.Err()
	}
	client.Close()
	server.Close()
	return nil, &net.OpError{Op: "dial", Net: "pipe", Err: err}
}

// Accept waits for the next connection.
func (p *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close makes Accept and dialling fail. Connections stay open.
func (p *pipeListener) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// Addr returns a name; there is nothing to connect to.
func (p *pipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

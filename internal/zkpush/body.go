package zkpush

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

var (
	// errTooLarge: a body, or what it unpacks to, is beyond a limit.
	errTooLarge = errors.New("larger than any terminal sends")
	// errPacked: a body that begins like a packed one and cannot be unpacked. It came
	// whole, so sending it again would not help.
	errPacked = errors.New("packed body cannot be unpacked")
)

// readBody returns the body as it came, whatever its Content-Type says. The error is
// errTooLarge or errFull, or says that the body was cut short or came too slowly.
func readBody(w http.ResponseWriter, r *http.Request, held *hold, now time.Time) ([]byte, error) {
	if r.ContentLength > maxBody {
		return nil, errTooLarge
	}
	var body bytes.Buffer
	if r.ContentLength > 0 && r.ContentLength <= 64<<10 { // trust a claim no further
		body.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	source := &bodyReader{ctx: r.Context(), body: http.MaxBytesReader(w, r.Body, maxBody), held: held,
		deadline: http.NewResponseController(w).SetReadDeadline, began: now}
	_, err := body.ReadFrom(source)
	// Writers that know no deadlines, those of tests, have no slow links either.
	_ = source.deadline(time.Time{})
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, errTooLarge
	}
	if err != nil {
		return nil, fmt.Errorf("reading body: %w", err)
	}
	return body.Bytes(), nil
}

// A bodyReader reads a body, moves the deadline as its bytes arrive, and takes memory
// for them.
type bodyReader struct {
	ctx      context.Context
	body     io.Reader
	held     *hold
	deadline func(time.Time) error
	began    time.Time
	got      int64
}

func (b *bodyReader) Read(p []byte) (int, error) {
	_ = b.deadline(b.began.Add(slowStart + time.Duration(b.got)*time.Second/minRate))
	n, err := b.body.Read(p)
	b.got += int64(n)
	if missing := b.got - b.held.read; missing > 0 {
		if err := b.held.forReading(b.ctx, max(missing, 64<<10)); err != nil {
			return 0, err
		}
	}
	return n, err
}

// unpackCost returns how much memory unpacking may take: gzip packs 1032 to 1 at best,
// and an archive is held beside its files.
func unpackCost(body []byte) int64 { return min(int64(len(body))*1032, 2*maxUnpacked) }

// unpack undoes Content-Encoding: gzip and, for tgz, the tar and gzip of a
// ContentType=tgz upload, whose files hold ordinary lines. A body that is not packed,
// although it says so, is returned as it is: proxies unpack and leave the header. The
// error is errTooLarge or errPacked.
func unpack(body []byte, encoding string, tgz bool) ([]byte, error) {
	encoding = strings.ToLower(strings.TrimSpace(encoding))
	if encoding == "gzip" || encoding == "x-gzip" {
		plain, err := gunzip(body)
		if err != nil {
			return nil, err
		}
		body = plain
	}
	if !tgz {
		return body, nil
	}
	plain, err := gunzip(body)
	if err != nil {
		return nil, err
	}
	return untar(plain)
}

func gunzip(body []byte) ([]byte, error) {
	if !bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		return body, nil
	}
	packed, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, errPacked
	}
	return readLimited(packed, maxUnpacked)
}

// untar joins the files of an archive, each ended by a line break. Their names are
// not looked at. What is no archive is returned as it is.
func untar(archive []byte) ([]byte, error) {
	var lines []byte
	files := tar.NewReader(bytes.NewReader(archive))
	for n := 0; ; n++ {
		header, err := files.Next()
		switch {
		case errors.Is(err, io.EOF) && n > 0:
			return lines, nil
		case err != nil && n == 0:
			return archive, nil
		case err != nil:
			return nil, errPacked
		case header.Typeflag != tar.TypeReg:
			continue
		}
		file, err := readLimited(files, maxUnpacked-len(lines))
		if err != nil {
			return nil, err
		}
		lines = append(lines, bytes.TrimPrefix(file, []byte(bom))...)
		lines = append(lines, '\n')
	}
}

func readLimited(r io.Reader, limit int) ([]byte, error) {
	plain, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	switch {
	case err != nil:
		return nil, errPacked
	case len(plain) > limit:
		return nil, errTooLarge
	}
	return plain, nil
}

package zkpush

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

var (
	// errTooLarge: a body, or what it unpacks to, is beyond a limit.
	errTooLarge = errors.New("larger than any terminal sends")
	// errPacked: a body that begins like a packed one and cannot be unpacked. It came
	// whole, so sending it again would not help.
	errPacked = errors.New("packed body cannot be unpacked")
)

// readBody returns the body as it came, whatever its Content-Type says. The error is
// errTooLarge, or says that the body was cut short.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > maxBody {
		return nil, errTooLarge
	}
	var body bytes.Buffer
	if r.ContentLength > 0 && r.ContentLength <= 1<<20 { // trust a claim no further
		body.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, errTooLarge
	}
	if err != nil {
		return nil, fmt.Errorf("reading body: %w", err)
	}
	return body.Bytes(), nil
}

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

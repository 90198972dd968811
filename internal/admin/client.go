package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxAnswer bounds what the client reads of an answer, in bytes.
const maxAnswer = 16 << 20

// A Client asks a running gateway. When the gateway refuses, its methods return a
// [*ProblemError]; when none answers, an [*UnreachableError].
type Client struct {
	server string // without a slash at the end
	token  string
	http   *http.Client
}

// NewClient returns a client of the gateway at server, such as "http://127.0.0.1:8080".
// A nil hc is a client of its own with a timeout of 30 s.
func NewClient(server, token string, hc *http.Client) *Client {
	if hc == nil {
		hc = &http.Client{Timeout: 30 * time.Second}
	}
	return &Client{server: strings.TrimRight(server, "/"), token: token, http: hc}
}

// An UnreachableError reports that no gateway answers at an address.
type UnreachableError struct {
	Server string
	Err    error // why; nil if something else than a gateway answered
}

func (e *UnreachableError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("what answers at %s is not Fingerpost: name the gateway with --server", e.Server)
	}
	return fmt.Sprintf("no Fingerpost answers at %s: start one with `fingerpost serve`, or name it with --server (%v)", e.Server, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// A Page chooses a part of a list.
type Page struct {
	Cursor string // NextCursor of the page before; "" is the beginning
	Limit  int    // 0 is the gateway's choice
}

func (p Page) query() url.Values {
	query := url.Values{}
	if p.Cursor != "" {
		query.Set("cursor", p.Cursor)
	}
	if p.Limit != 0 {
		query.Set("limit", strconv.Itoa(p.Limit))
	}
	return query
}

// Devices returns a page of the devices, in the order of their serials.
func (c *Client) Devices(ctx context.Context, p Page) (List[Device], error) {
	return call[List[Device]](ctx, c, http.MethodGet, "/devices", p.query(), nil)
}

// Device returns one device.
func (c *Client) Device(ctx context.Context, serial string) (Device, error) {
	return call[Device](ctx, c, http.MethodGet, "/devices/"+url.PathEscape(serial), nil, nil)
}

// AddDevice adds a device, or approves one that has called.
func (c *Client) AddDevice(ctx context.Context, d NewDevice) (Device, error) {
	return call[Device](ctx, c, http.MethodPost, "/devices", nil, d)
}

// ApproveDevice approves the device d.Serial, which has called.
func (c *Client) ApproveDevice(ctx context.Context, d NewDevice) (Device, error) {
	return call[Device](ctx, c, http.MethodPost, "/devices/"+url.PathEscape(d.Serial)+"/approve", nil, d)
}

// SetDevice changes what c gives of an approved device.
func (c *Client) SetDevice(ctx context.Context, serial string, change DeviceChange) (Device, error) {
	return call[Device](ctx, c, http.MethodPatch, "/devices/"+url.PathEscape(serial), nil, change)
}

// ImportDevices adds all of these devices or none.
func (c *Client) ImportDevices(ctx context.Context, list []NewDevice) (Imported, error) {
	return call[Imported](ctx, c, http.MethodPost, importPath, nil, list)
}

// RemoveDevice removes a device; with discard also what waits of it.
func (c *Client) RemoveDevice(ctx context.Context, serial string, discard bool) (Removed, error) {
	query := url.Values{}
	if discard {
		query.Set("discard", "true")
	}
	return call[Removed](ctx, c, http.MethodDelete, "/devices/"+url.PathEscape(serial), query, nil)
}

// ReplaceDevice puts another terminal into the place of an approved one.
func (c *Client) ReplaceDevice(ctx context.Context, old, serial string) (Device, error) {
	return call[Device](ctx, c, http.MethodPost, "/devices/"+url.PathEscape(old)+"/replace", nil, Replacement{serial})
}

// SyncDevice has a device asked for its users. See [Sync].
func (c *Client) SyncDevice(ctx context.Context, serial, tell string) (Device, error) {
	return call[Device](ctx, c, http.MethodPost, "/devices/"+url.PathEscape(serial)+"/sync", nil, Sync{tell})
}

// UnreadRecords returns a page of the records of a device that were not understood.
func (c *Client) UnreadRecords(ctx context.Context, serial string, p Page) (List[UnreadRecord], error) {
	return call[List[UnreadRecord]](ctx, c, http.MethodGet, "/devices/"+url.PathEscape(serial)+"/unread", p.query(), nil)
}

// DismissUnread deletes the records of a device that were not understood.
func (c *Client) DismissUnread(ctx context.Context, serial string) (Dismissed, error) {
	return call[Dismissed](ctx, c, http.MethodDelete, "/devices/"+url.PathEscape(serial)+"/unread", nil, nil)
}

// RereadDevice tries the records of a device again that were not understood.
func (c *Client) RereadDevice(ctx context.Context, serial string) (Reread, error) {
	return call[Reread](ctx, c, http.MethodPost, "/devices/"+url.PathEscape(serial)+"/reread", nil, nil)
}

// Endpoints returns a page of the endpoints, in the order of their names.
func (c *Client) Endpoints(ctx context.Context, p Page) (List[Endpoint], error) {
	return call[List[Endpoint]](ctx, c, http.MethodGet, "/endpoints", p.query(), nil)
}

// Endpoint returns one endpoint.
func (c *Client) Endpoint(ctx context.Context, name string) (Endpoint, error) {
	return call[Endpoint](ctx, c, http.MethodGet, "/endpoints/"+url.PathEscape(name), nil, nil)
}

// AddEndpoint adds an endpoint. What it returns has the secret, and the token if the
// gateway made it; neither can be asked for again.
func (c *Client) AddEndpoint(ctx context.Context, e NewEndpoint) (Endpoint, error) {
	return call[Endpoint](ctx, c, http.MethodPost, "/endpoints", nil, e)
}

// ResumeEndpoint ends a pause or a suspension: the next attempt leaves at once.
func (c *Client) ResumeEndpoint(ctx context.Context, name string) (Endpoint, error) {
	return call[Endpoint](ctx, c, http.MethodPost, "/endpoints/"+url.PathEscape(name)+"/resume", nil, nil)
}

// A DeliveryQuery chooses deliveries; empty fields choose all.
type DeliveryQuery struct {
	Page
	Endpoint string
	Device   string
	State    string // waiting, delivered, parked, skipped
}

// Deliveries returns a page of deliveries.
func (c *Client) Deliveries(ctx context.Context, q DeliveryQuery) (List[Delivery], error) {
	query := q.query()
	for name, value := range map[string]string{"endpoint": q.Endpoint, "device": q.Device, "state": q.State} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return call[List[Delivery]](ctx, c, http.MethodGet, "/deliveries", query, nil)
}

// Delivery returns one delivery with its attempts.
func (c *Client) Delivery(ctx context.Context, id string) (Delivery, error) {
	return call[Delivery](ctx, c, http.MethodGet, "/deliveries/"+url.PathEscape(id), nil, nil)
}

// call sends one request and reads its answer. A nil in sends no body.
func call[T any](ctx context.Context, c *Client, method, path string, query url.Values, in any) (T, error) {
	var out T
	request, err := c.request(ctx, method, path, query, in)
	if err != nil {
		return out, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return out, c.unreachable(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return out, c.unreachable(err)
	}
	contentType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	switch {
	case response.StatusCode < 300 && contentType == "application/json":
		if json.Unmarshal(body, &out) == nil {
			return out, nil
		}
	case contentType == "application/problem+json":
		var p Problem
		if json.Unmarshal(body, &p) == nil && p.Status == response.StatusCode {
			return out, &ProblemError{p}
		}
	}
	return out, &UnreachableError{Server: c.server}
}

func (c *Client) request(ctx context.Context, method, path string, query url.Values, in any) (*http.Request, error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("writing the request: %w", err)
		}
		body = bytes.NewReader(data)
	}
	target := c.server + "/api/v1" + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, fmt.Errorf("server %q: want an address such as \"http://127.0.0.1:8080\"", c.server)
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return request, nil
}

// unreachable drops what [url.Error] repeats: method and URL with its query. An end
// that the caller asked for stays what it is.
func (c *Client) unreachable(err error) error {
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	return &UnreachableError{Server: c.server, Err: err}
}

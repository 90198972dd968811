package enroll

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

// contentHead is the part of a content's binary form that is JSON; the bytes of
// templates and photo follow it, so that they are not blown up by base64. Keys are
// stored: never change their meaning, only add.
type contentHead struct {
	Serial    Serial         `json:"sn"`
	Label     string         `json:"label,omitempty"`
	TimeZone  string         `json:"zone"`
	Name      string         `json:"name,omitempty"`
	LastName  string         `json:"last,omitempty"`
	Privilege int            `json:"pri,omitempty"`
	Time      WallTime       `json:"time,omitempty"`
	Templates []templateHead `json:"tpl,omitempty"`
	Photo     *dataHead      `json:"photo,omitempty"`
	Removed   *removedHead   `json:"gone,omitempty"`
	Punch     *PunchDetail   `json:"punch,omitempty"`
}

type dataHead struct {
	Size int  `json:"n"`
	Text bool `json:"t,omitempty"`
}

type templateHead struct {
	Kind      string `json:"k"`
	Index     string `json:"i,omitempty"`
	Algorithm string `json:"a,omitempty"`
	Version   string `json:"v,omitempty"`
	dataHead
}

type removedHead struct {
	Kind  string `json:"k"`
	Index string `json:"i,omitempty"`
}

func (d Data) head() dataHead { return dataHead{Size: len(d.Bytes), Text: d.Text} }

// MarshalBinary returns c as the stores keep it (sealed, always): the length of the
// head as a varint, the head as JSON, the bytes of the templates in their order and
// of the photo.
func (c Content) MarshalBinary() ([]byte, error) {
	head := contentHead{Serial: c.Serial, Label: c.Label, TimeZone: c.TimeZone, Name: c.Name,
		LastName: c.LastName, Privilege: c.Privilege, Time: c.OperationTime, Punch: c.Punch}
	size := 0
	for _, t := range c.Templates {
		head.Templates = append(head.Templates, templateHead{t.Kind.String(), t.Index, t.Algorithm, t.Version, t.Data.head()})
		size += len(t.Data.Bytes)
	}
	if c.Photo != nil {
		photo := c.Photo.head()
		head.Photo = &photo
		size += len(c.Photo.Bytes)
	}
	if c.Removed != nil {
		head.Removed = &removedHead{c.Removed.Kind.String(), c.Removed.Index}
	}
	text, err := json.Marshal(head)
	if err != nil {
		return nil, fmt.Errorf("encoding a change's content: %w", err)
	}
	out := make([]byte, 0, binary.MaxVarintLen32+len(text)+size)
	out = binary.AppendUvarint(out, uint64(len(text)))
	out = append(out, text...)
	for _, t := range c.Templates {
		out = append(out, t.Data.Bytes...)
	}
	if c.Photo != nil {
		out = append(out, c.Photo.Bytes...)
	}
	return out, nil
}

var errContent = errors.New("decoding a change's content: damaged")

// UnmarshalBinary reads what [Content.MarshalBinary] wrote. c keeps parts of data.
func (c *Content) UnmarshalBinary(data []byte) error {
	length, n := binary.Uvarint(data)
	if n <= 0 || length > uint64(len(data)-n) {
		return errContent
	}
	text, rest := data[n:n+int(length)], data[n+int(length):]
	var head contentHead
	if err := json.Unmarshal(text, &head); err != nil {
		return errContent // its text could quote a credential
	}
	take := func(h dataHead) (Data, bool) {
		if h.Size < 0 || h.Size > len(rest) {
			return Data{}, false
		}
		d := Data{Bytes: rest[:h.Size:h.Size], Text: h.Text}
		rest = rest[h.Size:]
		return d, true
	}
	*c = Content{Serial: head.Serial, Label: head.Label, TimeZone: head.TimeZone, Name: head.Name,
		LastName: head.LastName, Privilege: head.Privilege, OperationTime: head.Time, Punch: head.Punch}
	for _, h := range head.Templates {
		d, ok := take(h.dataHead)
		if !ok {
			return errContent
		}
		c.Templates = append(c.Templates, Template{kindOf(h.Kind), h.Index, h.Algorithm, h.Version, d})
	}
	if head.Photo != nil {
		d, ok := take(*head.Photo)
		if !ok {
			return errContent
		}
		c.Photo = &d
	}
	if head.Removed != nil {
		c.Removed = &Removed{kindOf(head.Removed.Kind), head.Removed.Index}
	}
	return nil
}

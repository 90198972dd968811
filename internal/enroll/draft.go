package enroll

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"
)

// draftHead is the part of a draft's binary form that is JSON; its content follows.
// Keys are stored: never change their meaning, only add.
type draftHead struct {
	Kinds      string   `json:"kinds"`
	UserID     PIN      `json:"user"`
	ReceivedMS int64    `json:"received_ms"`
	Credential string   `json:"credential,omitempty"`
	Elements   []string `json:"elements,omitempty"`
	Secondary  bool     `json:"secondary,omitempty"`
	Closed     bool     `json:"closed,omitempty"`
	Named      bool     `json:"named,omitempty"`
	Awaits     bool     `json:"awaits,omitempty"`
	Row        OrderID  `json:"row,omitempty"`
}

// MarshalBinary returns d as the stores keep it (sealed, always), without its ID,
// Device and DueAt: the length of the head as a varint, the head as JSON, the content.
func (d Draft) MarshalBinary() ([]byte, error) {
	head, err := json.Marshal(draftHead{Kinds: d.Kinds.String(), UserID: d.UserID, ReceivedMS: d.ReceivedAt.UnixMilli(),
		Credential: d.Credential, Elements: d.Elements, Secondary: d.Secondary, Closed: d.Closed, Named: d.Named, Awaits: d.Awaits, Row: d.Row})
	if err != nil {
		return nil, fmt.Errorf("encoding a draft: %w", err)
	}
	content, err := d.Content.MarshalBinary()
	if err != nil {
		return nil, err
	}
	out := binary.AppendUvarint(nil, uint64(len(head)))
	return append(append(out, head...), content...), nil
}

// UnmarshalBinary reads what [Draft.MarshalBinary] wrote. d keeps parts of data.
func (d *Draft) UnmarshalBinary(data []byte) error {
	length, n := binary.Uvarint(data)
	if n <= 0 || length > uint64(len(data)-n) {
		return errContent
	}
	var head draftHead
	if err := json.Unmarshal(data[n:n+int(length)], &head); err != nil {
		return errContent // its text could quote a name
	}
	kinds, err := ParseKinds(head.Kinds)
	if err != nil {
		return errContent
	}
	*d = Draft{Credential: head.Credential, Elements: head.Elements, Secondary: head.Secondary,
		Closed: head.Closed, Named: head.Named, Awaits: head.Awaits, Row: head.Row,
		Change: Change{Kinds: kinds, UserID: head.UserID, ReceivedAt: time.UnixMilli(head.ReceivedMS).UTC()}}
	return d.Content.UnmarshalBinary(data[n+int(length):])
}

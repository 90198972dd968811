package zkpush

import (
	"strconv"
	"strings"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// userReport reads USER, which always tells the whole user:
// PIN Name Pri Passwd Card Grp TZ Verify ViceCard and more. A key that old firmware
// leaves out was not told; a key without a value, or with a word for nothing, was
// told to be empty.
func userReport(r Record) enroll.Report {
	pin, ok := r.pin()
	if !ok {
		return r.unread("user record without a user id")
	}
	if r.tooLong("Name", "Passwd", "Card", "ViceCard") {
		return r.unread("user record with a text too long")
	}
	return enroll.UserReport{
		UserID:     pin,
		Name:       r.optional("Name", present),
		Privilege:  r.privilege("Pri"),
		Password:   r.optional("Passwd", present),
		Card:       r.optional("Card", parseCard),
		SecondCard: r.optional("ViceCard", parseCard),
	}
}

// tooLong reports whether the value of one of keys is longer than any that is honest.
func (r Record) tooLong(keys ...string) bool {
	for _, key := range keys {
		if len(r.fields.get(key)) > maxText {
			return true
		}
	}
	return false
}

// optional returns the value of key as read makes it, nil if there is no such key.
func (r Record) optional(key string, read func(string) string) *string {
	value, ok := r.fields.find(key)
	if !ok {
		return nil
	}
	text := read(decodeText(value, r.language))
	return &text
}

// privilege returns the device's number under key: 0 user, 2 enroller, 6 and 14
// administrators, an odd one is disabled; nil if the record does not tell one.
func (r Record) privilege(key string) *int {
	n, err := strconv.ParseUint(strings.TrimSpace(r.fields.get(key)), 10, 16)
	if err != nil {
		return nil
	}
	privilege := int(n)
	return &privilege
}

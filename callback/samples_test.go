package callback_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/callback"
)

// finger is a template of the form that ZKFinger 10 makes, jpeg the beginning of a picture.
var (
	finger = callback.Masked(base64.StdEncoding.EncodeToString([]byte("J3SS21" + strings.Repeat("\x01\x7f\xfe", 40))))
	jpeg   = callback.Masked(base64.StdEncoding.EncodeToString([]byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00" + strings.Repeat("\x5a\xa5", 60))))
)

func kolkata() *time.Location { return time.FixedZone("IST", 5*3600+1800) }

// user returns a callback of user 8 without a credential.
func user() callback.Callback {
	return callback.Callback{
		User:          &callback.UserUpdated{UserID: "8", FirstName: "ALOK SINGH", UserType: callback.RoleUser},
		OperationID:   "ibqk6yc1w3pd",
		AuthToken:     "kN4uW0qZ7sTz2pXe",
		OperationTime: time.Date(2020, 9, 17, 15, 33, 38, 0, kolkata()),
		DownloadedAt:  time.Date(2025, 4, 29, 5, 43, 4, 474e6, time.UTC),
	}
}

func withTemplate(templates ...callback.Template) callback.Callback {
	c := user()
	c.User.Template = templates
	return c
}

func withPhoto() callback.Callback {
	c := user()
	c.User.Photo = &callback.Photo{Data: jpeg}
	return c
}

func withUserID(c callback.Callback, id string) callback.Callback {
	c.User.UserID = id
	return c
}

func punch() callback.Callback {
	c := user()
	c.User = nil
	c.Punch = &callback.PunchLog{UserID: "259623", Status: 0, Verify: 15, Direction: "CheckIn", Method: "Face"}
	return c
}

func deleted() callback.Callback {
	c := user()
	c.User = nil
	c.Deleted = &callback.UserDeleted{UserID: "8"}
	return c
}

func unknownTime(c callback.Callback) callback.Callback {
	c.OperationTime = time.Time{}
	return c
}

// sample reads a file of testdata.
func sample(t *testing.T, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// same reports whether two callbacks say the same; a zone is its offset.
func same(a, b callback.Callback) bool {
	for _, c := range []*callback.Callback{&a, &b} {
		_, offset := c.OperationTime.Zone()
		if c.OperationTime = c.OperationTime.UTC(); offset != 0 {
			c.OperationTime = c.OperationTime.In(time.FixedZone("", offset))
		}
	}
	return reflect.DeepEqual(a, b)
}

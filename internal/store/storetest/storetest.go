// Package storetest is the suite of behaviour that every store of Fingerpost has to
// pass. A store's own test calls [Run] with a function that opens a fresh one.
package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/fingerpost/fingerpost/internal/admin"
	"github.com/fingerpost/fingerpost/internal/deliver"
	"github.com/fingerpost/fingerpost/internal/enroll"
	"github.com/fingerpost/fingerpost/internal/intake"
)

// Store is all that the parts of Fingerpost ask of storage.
type Store interface {
	intake.Store
	deliver.Store
	admin.Store
	UnreadLine(ctx context.Context, id int64) ([]byte, error)
	AddAdminToken(ctx context.Context, hash string) error
	Ready(ctx context.Context) error
	// Subscribe is called before the store is used.
	Subscribe(func(enroll.Committed))
}

// Opened is a store that runs until the test ends, and a way to open it again as
// after a crash: what was not committed is lost.
type Opened struct {
	Store
	Reopen func(t *testing.T) Opened
}

// Run runs the suite. open opens an empty store, whose clock is now, has subscribe
// told its commits, and closes it when the test ends.
func Run(t *testing.T, open func(t *testing.T, now func() time.Time, subscribe func(enroll.Committed)) Opened) {
	for name, test := range map[string]func(*testing.T, *bench){
		"Devices":                    testDevices,
		"DevicesTogether":            testDevicesTogether,
		"SetDevice":                  testSetDevice,
		"ReplaceDevice":              testReplaceDevice,
		"RemoveDevice":               testRemoveDevice,
		"DeviceOrders":               testDeviceOrders,
		"Unread":                     testUnread,
		"Alarms":                     testAlarms,
		"Endpoints":                  testEndpoints,
		"Mirror":                     testMirror,
		"Operations":                 testOperations,
		"Lanes":                      testLanes,
		"TwoWriters":                 testTwoWriters,
		"OneFailureSparesTheOthers":  testOneFailureSparesTheOthers,
		"Outcomes":                   testOutcomes,
		"HealthIsTheOperatorsFirst":  testHealthIsTheOperatorsFirst,
		"PagesAreBounded":            testPagesAreBounded,
		"DeliveryStates":             testDeliveryStates,
		"CommittedSurvivesACrash":    testCommittedSurvivesACrash,
		"OperationIDsAreNeverReused": testOperationIDs,
		"AdminTokens":                testAdminTokens,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bench{at: time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)}
			b.Opened = open(t, b.now, b.tell)
			test(t, b)
		})
	}
}

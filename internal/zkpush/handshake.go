package zkpush

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// What we say of ourselves. The lower version of both sides is spoken. 2.4.1 has
// BIODATA for all biometrics and knows encryption, which is used only where both
// sides offer it: Encrypt=0 refuses. A device that asks for the exchange of keys all
// the same is told 2.3.0 from then on, the last version without it.
const (
	ourVersion   = "2.4.1"
	plainVersion = "2.3.0"
)

// transFlag names what a device sends by itself: words, since the manuals disagree
// about the order of the older bits, and at most 90 characters, which an old manual
// wants. FPImag (pictures of fingers), AttPhoto (pictures of who passed) and WORKCODE
// are left out: nobody is told of them, and pictures that are not needed are not asked
// for. Without OpLog some firmware sends no users either.
const transFlag = "TransData AttLog\tOpLog\tEnrollUser\tChgUser\tEnrollFP\tChgFP\tFACE\tUserPic\tFVEIN\tBioPhoto"

// What biometrics are wanted, by type of BIODATA from 0 to 10: templates of fingers, both
// faces, veins and palms; pictures of visible-light faces and palms.
const (
	multiBioData  = "0:1:1:0:0:0:0:1:1:1:1"
	multiBioPhoto = "0:0:0:0:0:0:0:0:0:1:1"
)

// initBlock returns the answer to the handshake. Until a device gets it, it uploads
// nothing. The stamps are 9999: what the device holds from before is not sent again.
// The error says that the device's time zone cannot be loaded.
func initBlock(d enroll.Device, serial enroll.Serial, version string, now time.Time) (string, error) {
	zone, err := enroll.ParseZone(d.TimeZone)
	if err != nil {
		return "", fmt.Errorf("making init block: %w", err)
	}
	return strings.Join([]string{
		"GET OPTION FROM: " + string(serial),
		"ATTLOGStamp=9999",
		"OPERLOGStamp=9999",
		"ATTPHOTOStamp=9999",
		"BIODATAStamp=9999",
		"IDCARDStamp=9999",
		"ERRORLOGStamp=9999",
		"ErrorDelay=30", // seconds between tries after a failure
		"Delay=" + strconv.Itoa(pollSeconds(d.Poll)),
		"TransTimes=00:00;14:05",
		"TransInterval=1", // minutes between looks for unsent records
		"TransFlag=" + transFlag,
		"TimeZone=" + zoneOffset(now.In(zone)),
		"Realtime=1",
		"Encrypt=0",
		"ServerVer=" + version,
		"PushProtVer=" + version,
		"PushOptionsFlag=1",
		"PushOptions=FingerFunOn,FaceFunOn,MultiBioDataSupport,MultiBioPhotoSupport,MultiBioVersion,~DeviceName,~Platform,FWVersion",
		"MultiBioDataSupport=" + multiBioData,
		"MultiBioPhotoSupport=" + multiBioPhoto,
		"SupportPing=1",
		"MaxPostSize=1048576", // bytes
	}, "\n") + "\n", nil
}

// pollSeconds returns the seconds between polls, 2 to 60 as the manual advises.
func pollSeconds(poll time.Duration) int {
	if poll == 0 {
		poll = enroll.DefaultPoll
	}
	return int(min(max(poll, 2*time.Second), time.Minute) / time.Second)
}

// zoneOffset returns the offset from GMT in force at t as devices read it: whole
// hours from -12 to 12 as hours, all else as minutes (330 is +5:30, 780 is +13).
// Devices set their clock from the Date header and this.
func zoneOffset(t time.Time) string {
	_, seconds := t.Zone()
	minutes := seconds / 60
	if hours := minutes / 60; minutes%60 == 0 && -12 <= hours && hours <= 12 {
		return strconv.Itoa(hours)
	}
	return strconv.Itoa(minutes)
}

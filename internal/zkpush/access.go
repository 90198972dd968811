package zkpush

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// accessVersion is what we say of ourselves to access terminals. Encryption belongs to
// 3.1.1 and later.
const accessVersion = "3.0.1"

// configBlock returns the settings that an access terminal works with. It gets them
// when it registers, and at each handshake, so that a device that is known goes on
// without registering. The token that it makes of code and session is not checked:
// nobody could reproduce the one in the manual.
func (h *Handler) configBlock(c call) string {
	return strings.Join([]string{
		h.registration(c.serial),
		"ServerVersion=" + accessVersion,
		"ServerName=ADMS",
		"PushProtVer=" + accessVersion,
		"ErrorDelay=30", // seconds between tries after a failure
		"RequestDelay=" + strconv.Itoa(pollSeconds(c.device.Poll)),
		"TransTimes=00:00;14:00",
		"TransInterval=1", // minutes between looks for unsent records
		"TransTables=User Transaction Facev7 templatev10",
		"Realtime=1",
		"SessionID=" + h.derive("session", c.serial),
		"TimeoutSec=10",
		"BioPhotoFun=1",
		"BioDataFun=1",
		"MultiBioDataSupport=" + multiBioData,
		"MultiBioPhotoSupport=" + multiBioPhoto,
	}, "\n") + "\n"
}

// configure answers the request for settings that follows a registration.
func (h *Handler) configure(w http.ResponseWriter, c call) {
	h.log.Debug("configured", "serial", c.serial, "version", accessVersion)
	answer(w, http.StatusOK, h.configBlock(c))
}

// registration returns the answer to a registration: at most 32 characters of code, the
// same for a device every time.
func (h *Handler) registration(serial enroll.Serial) string {
	return "RegistryCode=" + h.derive("registry code", serial)[:16]
}

// derive returns 32 letters and digits that nobody without the key can tell, and that
// need not be stored.
func (h *Handler) derive(purpose string, serial enroll.Serial) string {
	sum := sha256.Sum256([]byte(h.hash("zkpush "+purpose, string(serial))))
	return hex.EncodeToString(sum[:16])
}

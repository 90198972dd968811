package terminal

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// ErrOtherFamily reports a gateway that takes this terminal for one of PUSH 2.x.
var ErrOtherFamily = errors.New("the gateway answered in the form of PUSH 2.x")

// register is the handshake of PUSH 3.x. A gateway that knows the terminal answers the
// first request with its settings; else the terminal registers and asks for them.
func (t *Terminal) register(ctx context.Context) error {
	answer, err := t.do(ctx, request{method: http.MethodGet, path: "cdata", query: []pair{{"options", "all"},
		{"pushver", "3.1.2"}, {"DeviceType", "acc"}, {"PushOptionsFlag", "1"}, {"language", "69"}}})
	if err != nil {
		return err
	}
	if strings.HasPrefix(answer, "GET OPTION") {
		return ErrOtherFamily
	}
	block := parseBlock(answer)
	if block["registry"] != "ok" || block["RegistryCode"] == "" {
		if block, err = t.introduce(ctx); err != nil {
			return err
		}
	}
	// As the manual says it; its own example does not come out so.
	sum := md5.Sum([]byte(block["RegistryCode"] + t.cfg.Serial + block["SessionID"]))
	t.set(block)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.session = hex.EncodeToString(sum[:])
	return nil
}

// introduce registers the terminal and returns the settings that it gets then.
func (t *Terminal) introduce(ctx context.Context) (map[string]string, error) {
	answer, err := t.do(ctx, request{method: http.MethodPost, path: "registry", body: t.registration()})
	if refused, ok := errors.AsType[*AnswerError](err); ok && refused.Status == http.StatusNotAcceptable {
		return nil, ErrNotApproved
	}
	if err != nil {
		return nil, err
	}
	code := parseBlock(answer)["RegistryCode"]
	if code == "" {
		return nil, ErrNotApproved
	}
	answer, err = t.do(ctx, request{method: http.MethodPost, path: "push"})
	if err != nil {
		return nil, err
	}
	block := parseBlock(answer)
	if block["SessionID"] == "" {
		return nil, &AnswerError{Path: "push", Status: http.StatusOK}
	}
	if block["RegistryCode"] == "" {
		block["RegistryCode"] = code
	}
	return block, nil
}

// registration is what the terminal tells of itself: one comma list.
func (t *Terminal) registration() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return fmt.Appendf(nil, "DeviceType=acc,~DeviceName=Fingerpost simulator,~SerialNumber=%s,FirmVer=%s,"+
		"PushVersion=Ver 3.1.2S-20220623,CommType=ethernet,MaxPackageSize=2048000,LockCount=1,ReaderCount=2,MachineType=101,"+
		"~MaxUserCount=50,~ZKFPVersion=10,FaceFunOn=1,FingerFunOn=1,MultiBioDataSupport=0:1:0:0:0:0:0:0:0:1,"+
		"MultiBioPhotoSupport=0:0:0:0:0:0:0:0:0:1,IPAddress=127.0.0.1", t.cfg.Serial, firmware)
}

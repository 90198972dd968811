package zkpush

import (
	"strings"

	"github.com/fingerpost/fingerpost/internal/enroll"
)

// fingerReport reads FP, one finger: PIN FID Size Valid TMP. FID is 0 to 9 from the
// left little to the right little finger. The record names no algorithm, so none is
// told. Size is not compared: some count characters, some bytes, some leave it out.
func fingerReport(r Record) enroll.Report {
	finger, ok := r.number("FID")
	if !ok {
		return r.unread("fingerprint record without a finger")
	}
	return r.template(enroll.TemplateReport{Kind: enroll.Fingerprint, Number: finger}, "TMP")
}

// faceReport reads FACE, one of the twelve records of a near-infrared face of older
// terminals (FID 0 to 11), or all of them in one (FID 50).
func faceReport(r Record) enroll.Report {
	row, ok := r.number("FID")
	if !ok {
		return r.unread("face record without a number")
	}
	return r.template(enroll.TemplateReport{Kind: enroll.Face, Row: row}, "TMP")
}

// biodataReport reads BIODATA, which newer terminals send for all biometrics:
// Pin No Index Valid Duress Type MajorVer MinorVer Format Tmp. The answer of an access
// terminal to an enrolment spells MAJOR_VER and MINOR_VER.
func biodataReport(r Record) enroll.Report {
	t := enroll.TemplateReport{Algorithm: clean(r.first("MajorVer", "MAJOR_VER")), Version: clean(r.first("MinorVer", "MINOR_VER"))}
	number, numbered := r.number("No")
	row, _ := r.number("Index")
	kind, _ := r.number("Type")
	switch kind {
	case "1":
		t.Kind, t.Number = enroll.Fingerprint, number
	case "2", "9": // near-infrared, visible light
		t.Kind, t.Row = enroll.Face, row
		return r.template(t, "TMP")
	case "6", "8", "10": // print, vein, visible light
		t.Kind, t.Number, t.Row = enroll.Palm, number, row
	case "0", "3", "4", "5", "7": // generic, voice, iris, retina, finger vein
		return r.kept("a biometric that makes no callback")
	default:
		return r.unread("biometric record of an unknown type")
	}
	if !numbered {
		return r.unread("biometric record without the number of the finger or hand")
	}
	return r.template(t, "TMP")
}

// template adds the user, and the content under key, to t. A template that the device itself calls
// invalid (Valid=0) is kept: told on, it would look like a credential that works.
func (r Record) template(t enroll.TemplateReport, key string) enroll.Report {
	pin, ok := r.pin()
	if !ok {
		return r.unread("biometric record without a user id")
	}
	if valid, ok := r.number("Valid"); ok && valid == "0" {
		return r.kept("a template that the device marks as invalid")
	}
	data, ok := r.data(key)
	if !ok {
		return r.unread("biometric record without a template")
	}
	t.UserID, t.Data = pin, data
	return t
}

// photoReport reads BIOPHOTO, the picture that a terminal compares faces with:
// PIN No Index FileName Type Size Content. Types are those of BIODATA; a picture of a
// hand is no picture of the user.
func photoReport(r Record) enroll.Report {
	switch strings.TrimSpace(present(r.fields.get("Type"))) {
	case "", "0", "2", "9":
		return pictureReport(r, false)
	}
	return r.kept("a picture of something else than a face")
}

// pictureReport reads the fields that BIOPHOTO and USERPIC share. The file name is
// not used.
func pictureReport(r Record, secondary bool) enroll.Report {
	pin, ok := r.pin()
	if !ok {
		return r.unread("picture without a user id")
	}
	data, ok := r.data("Content")
	if !ok {
		return r.unread("picture without content")
	}
	return enroll.PictureReport{UserID: pin, Secondary: secondary, Data: data}
}

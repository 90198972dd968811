package daemon

import (
	"context"
	"errors"
	"slices"

	"github.com/fingerpost/fingerpost/internal/enroll"
	"github.com/fingerpost/fingerpost/internal/zkpush"
)

// Bounds of what is read again in one commit.
const (
	rereadRecords = 256
	rereadBytes   = 4 << 20
)

// reread tries the unread records of a device again. What is understood now is taken in
// as if it were uploaded now, and is unread no more in the same commit; the rest stays.
// It returns how many are understood, and how many are left.
func (d *Daemon) reread(ctx context.Context, serial enroll.Serial) (int, int, error) {
	device, err := d.store.Device(ctx, serial)
	if err != nil {
		return 0, 0, err
	}
	var understood, left int
	for after := int64(0); ; {
		page, err := d.store.UnreadRecords(ctx, serial, after, rereadRecords)
		if err != nil || len(page) == 0 {
			return understood, left, err
		}
		after = page[len(page)-1].ID
		n, err := d.rereadPage(ctx, device.Device, page)
		understood, left = understood+n, left+len(page)-n
		if err != nil {
			return understood, left, err
		}
	}
}

// rereadPage returns how many records of a page are understood, and taken in.
func (d *Daemon) rereadPage(ctx context.Context, device enroll.Device, page []enroll.UnreadRecord) (int, error) {
	var upload enroll.Upload
	understood, size := 0, 0
	commit := func() error {
		if len(upload.Unread) == 0 {
			return nil
		}
		if err := d.intake.Accept(ctx, device.Serial, upload); err != nil {
			return err
		}
		understood += len(upload.Unread)
		upload, size = enroll.Upload{}, 0
		return nil
	}
	for _, record := range page {
		line, err := d.store.UnreadLine(ctx, record.ID)
		if errors.Is(err, enroll.ErrNotFound) {
			continue // dismissed in the meantime
		}
		if err != nil {
			return understood, err
		}
		reports := zkpush.Reread(device, record.Table, line)
		if slices.ContainsFunc(reports, isUnread) {
			continue
		}
		if upload.Table != record.Table || size+len(line) > rereadBytes {
			if err := commit(); err != nil {
				return understood, err
			}
		}
		upload.Table, size = record.Table, size+len(line)
		upload.Reports = append(upload.Reports, reports...)
		upload.Unread = append(upload.Unread, record.ID)
	}
	return understood, commit()
}

func isUnread(r enroll.Report) bool {
	_, unread := r.(enroll.UnreadReport)
	return unread
}

package load

import (
	"fmt"
	"os"
	"syscall"
)

// dataSync waits until what was written to a file is on the disk, as SQLite does.
func dataSync(file *os.File) error {
	if err := syscall.Fdatasync(int(file.Fd())); err != nil {
		return fmt.Errorf("fdatasync: %w", err)
	}
	return nil
}

//go:build !linux

package load

import "os"

// dataSync waits until what was written to a file is on the disk.
func dataSync(file *os.File) error { return file.Sync() }

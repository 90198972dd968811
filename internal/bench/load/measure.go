package load

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Usage is what a process has taken of the machine since its start.
type Usage struct {
	CPU  time.Duration // user and system, in steps of 10 ms
	Peak int64         // resident memory at its highest, in bytes
}

// tick is the unit of times in /proc, the same on all systems with Linux that Go knows.
const tick = 10 * time.Millisecond

func selfPID() int { return os.Getpid() }

// UsageOf reads the usage of a process from /proc, so it fails where that is not Linux's.
func UsageOf(pid int) (Usage, error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return Usage{}, fmt.Errorf("reading the usage of a process: %w", err)
	}
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return Usage{}, fmt.Errorf("reading the usage of a process: %w", err)
	}
	return usageIn(string(stat), string(status))
}

// usageIn reads the texts of /proc/PID/stat and /proc/PID/status (proc(5)).
func usageIn(stat, status string) (Usage, error) {
	// The second field is the program's name in brackets, which may hold anything.
	fields := strings.Fields(stat[strings.LastIndex(stat, ")")+1:])
	const user, system = 14 - 3, 15 - 3 // fields count from 1, and 2 are cut off
	if len(fields) <= system {
		return Usage{}, errors.New("reading the usage of a process: /proc/PID/stat is too short")
	}
	var ticks int64
	for _, field := range []int{user, system} {
		n, err := strconv.ParseInt(fields[field], 10, 64)
		if err != nil {
			return Usage{}, fmt.Errorf("reading the usage of a process: %w", err)
		}
		ticks += n
	}
	peak, err := kilobytes(status, "VmHWM:")
	return Usage{CPU: time.Duration(ticks) * tick, Peak: peak}, err
}

// kilobytes returns the bytes of a line such as "VmHWM:   1234 kB".
func kilobytes(text, name string) (int64, error) {
	_, rest, _ := strings.Cut(text, name)
	line, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(line), " kB"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading %q: %w", name, err)
	}
	return n << 10, nil
}

// Machine describes this one in a line, as far as it can be found out.
func Machine() string {
	parts := []string{fmt.Sprintf("%d CPUs", runtime.NumCPU())}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		if memory, err := kilobytes(string(text), "MemTotal:"); err == nil {
			parts = append(parts, fmt.Sprintf("%.1f GiB", float64(memory)/(1<<30)))
		}
	}
	kernel := runtime.GOOS
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		kernel += " " + strings.TrimSpace(string(text))
	}
	return strings.Join(append(parts, kernel, runtime.Version()), ", ")
}

// Syncs measures the disk below dir: how many times a second 4 KB can be appended to a
// file and be on the disk, one after the other, tried for d.
func Syncs(dir string, d time.Duration) (float64, error) {
	file, err := os.CreateTemp(dir, "sync-")
	if err != nil {
		return 0, fmt.Errorf("measuring the disk: %w", err)
	}
	defer os.Remove(file.Name())
	page := make([]byte, 4<<10)
	n, start := 0, time.Now()
	for time.Since(start) < d && err == nil {
		if _, err = file.Write(page); err == nil {
			err = dataSync(file)
		}
		n++
	}
	took := time.Since(start)
	if err = errors.Join(err, file.Close()); err != nil {
		return 0, fmt.Errorf("measuring the disk: %w", err)
	}
	return float64(n) / took.Seconds(), nil
}

// Median returns the middle of values, or what lies between the two in the middle; NaN
// of none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// Percentile returns the smallest of ascending latencies that p percent of them do not
// exceed; 0 of none.
func Percentile(ascending []time.Duration, p float64) time.Duration {
	if len(ascending) == 0 {
		return 0
	}
	rank := int(math.Ceil(p / 100 * float64(len(ascending))))
	return ascending[min(max(rank, 1), len(ascending))-1]
}

package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// residentKB returns the resident memory of a process in KiB, 0 where the system does not
// tell it in /proc.
func residentKB(pid int) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, "VmRSS:"); found {
			kb, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
			return kb
		}
	}
	return 0
}

// growth returns the memory in the middle third of samples and in the last third, medians
// in KiB, and whether it grew: by more than a tenth and 8 MiB. The first third is warm-up.
func growth(samples []int) (int, int, bool) {
	n := len(samples)
	if n < 3 {
		return 0, 0, false
	}
	middle, last := median(samples[n/3:2*n/3]), median(samples[2*n/3:])
	return middle, last, last > middle+middle/10 && last > middle+8<<10
}

func median(samples []int) int {
	sorted := slices.Sorted(slices.Values(samples))
	return sorted[len(sorted)/2]
}

package load

import (
	"math"
	"os"
	"strings"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		values []float64
		want   float64
	}{
		{"the middle, whatever the order", []float64{9, 1, 5}, 5},
		{"between the two in the middle", []float64{4, 1, 2, 9}, 3},
		{"one", []float64{7}, 7},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Median(tt.values); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	t.Run("of none there is none", func(t *testing.T) {
		t.Parallel()
		if got := Median(nil); !math.IsNaN(got) {
			t.Errorf("got %v, want NaN", got)
		}
	})
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i + 1)
	}
	tests := []struct {
		name      string
		ascending []time.Duration
		p         float64
		want      time.Duration
	}{
		{"half do not exceed the 50th", hundred, 50, 50},
		{"one in a hundred exceeds the 99th", hundred, 99, 99},
		{"none exceeds the 100th", hundred, 100, 100},
		{"the lowest", hundred, 0, 1},
		{"few values", hundred[:3], 99, 3},
		{"none", nil, 99, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Percentile(tt.ascending, tt.p); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestUsageIn(t *testing.T) {
	t.Parallel()
	const stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 10 0 0 0 250 75 0 0 20 0 8 0 100 1000 200"
	const status = "Name:\ta\nVmPeak:\t  900 kB\nVmHWM:\t  123 kB\nVmRSS:\t  100 kB\n"
	t.Run("user and system time, and the highest memory", func(t *testing.T) {
		t.Parallel()
		got, err := usageIn(stat, status)
		if want := (Usage{CPU: 3250 * time.Millisecond, Peak: 123 << 10}); got != want || err != nil {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	})
	for name, texts := range map[string][2]string{
		"a stat that is cut short":  {stat[:40], status},
		"a time that is no number":  {strings.Replace(stat, "250", "x", 1), status},
		"a status without a memory": {stat, "Name:\ta\n"},
		"nothing at all":            {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := usageIn(texts[0], texts[1]); err == nil {
				t.Errorf("got %+v, want an error", got)
			}
		})
	}
}

func TestSyncs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rate, err := Syncs(dir, time.Millisecond)
	if err != nil || rate <= 0 {
		t.Errorf("got %v, %v, want a rate above 0", rate, err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("got %d files left, %v, want none", len(left), err)
	}
	if _, err := Syncs(dir+"/absent", time.Millisecond); err == nil {
		t.Error("got no error for a directory that is not there")
	}
}

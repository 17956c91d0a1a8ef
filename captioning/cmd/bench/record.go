package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"captionlab/captioning/experiment"
)

// record is a benchmark's result file.
type record struct {
	Benchmark string            `json:"benchmark"`
	Command   string            `json:"command"`
	Commit    string            `json:"commit"`
	Date      string            `json:"date"`
	Host      experiment.Host   `json:"host"`
	Load      string            `json:"load_average_before"` // of the machine, over 1, 5 and 15 minutes
	Threads   int               `json:"threads"`             // on either side
	Versions  map[string]string `json:"versions"`
	Data      string            `json:"data"`
	Rounds    int               `json:"rounds"`
	Series    []*series         `json:"series"`
	Ratios    []ratio           `json:"ratios"`
	Notes     []string          `json:"notes,omitempty"`
}

// series is one quantity, measured once per round.
type series struct {
	Name   string    `json:"name"`
	Unit   string    `json:"unit"`
	Values []float64 `json:"values"`
	Median float64   `json:"median"`
	Min    float64   `json:"min"`
	Max    float64   `json:"max"`
}

// ratio compares two medians. A larger value is better for captionlab.
type ratio struct {
	Name   string  `json:"name"`
	Value  float64 `json:"value"`
	Target float64 `json:"target,omitempty"`
	Met    bool    `json:"met"`
}

func newRecord(name string, rounds int) *record {
	r := &record{
		Benchmark: name, Command: "go run ./captioning/cmd/bench " + name,
		Commit: "unknown", Date: time.Now().UTC().Format(time.RFC3339),
		Host: experiment.Host{
			System: runtime.GOOS + "/" + runtime.GOARCH, Cores: runtime.NumCPU(), CPU: experiment.CPUName()},
		Threads: runtime.NumCPU(), Rounds: rounds, Versions: map[string]string{"go": runtime.Version()},
	}
	if out, err := exec.Command("git", "describe", "--always", "--dirty", "--abbrev=40").Output(); err == nil {
		r.Commit = strings.TrimSpace(string(out))
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		r.Load = strings.Join(strings.Fields(string(load))[:3], " ")
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if strings.HasPrefix(m.Path, "github.com/gomlx/") {
				r.Versions[m.Path] = m.Version
			}
		}
	}
	for _, p := range pinned {
		if name, version, ok := strings.Cut(p, "=="); ok {
			r.Versions[name] = version
		}
	}
	return r
}

// add appends a value to a series and prints it.
func (r *record) add(name, unit string, value float64) {
	i := slices.IndexFunc(r.Series, func(s *series) bool { return s.Name == name })
	if i < 0 {
		i = len(r.Series)
		r.Series = append(r.Series, &series{Name: name, Unit: unit})
	}
	s := r.Series[i]
	s.Values = append(s.Values, value)
	sorted := slices.Sorted(slices.Values(s.Values))
	n := len(sorted)
	s.Median, s.Min, s.Max = (sorted[(n-1)/2]+sorted[n/2])/2, sorted[0], sorted[n-1]
	fmt.Fprintf(os.Stderr, "%-60s %12.4g %s\n", name, value, unit)
}

func (r *record) median(name string) float64 {
	for _, s := range r.Series {
		if s.Name == name {
			return s.Median
		}
	}
	panic("no series " + name)
}

// compare adds a ratio. A target of 0 means that there is none.
func (r *record) compare(name string, value, target float64) {
	r.Ratios = append(r.Ratios, ratio{name, value, target, value >= target})
}

// compareMedians adds the ratio of two series' medians.
func (r *record) compareMedians(name, numerator, denominator string, target float64) {
	r.compare(name, r.median(numerator)/r.median(denominator), target)
}

// finish prints the record as a table and writes it to path.
func (r *record) finish(path string) error {
	fmt.Printf("\n%s, %s, %d rounds, %d threads, load before %s\n",
		r.Benchmark, r.Host.CPU, r.Rounds, r.Threads, r.Load)
	for _, s := range r.Series {
		fmt.Printf("%-60s median %10.4g %-10s (%.4g to %.4g)\n", s.Name, s.Median, s.Unit, s.Min, s.Max)
	}
	for _, x := range r.Ratios {
		verdict := ""
		switch {
		case x.Target == 0:
		case x.Met:
			verdict = fmt.Sprintf("target %g: met", x.Target)
		default:
			verdict = fmt.Sprintf("target %g: MISSED", x.Target)
		}
		fmt.Printf("ratio %-54s %17.3g            %s\n", x.Name, x.Value, verdict)
	}
	return experiment.WriteJSON(path, r)
}

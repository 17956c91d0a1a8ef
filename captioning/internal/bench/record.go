package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"captionlab/captioning/experiment"
)

// bench is one benchmark while it runs.
type bench struct {
	ctx    context.Context
	dir    string // temporary
	python string
	rounds int
	record *record
}

// record is what a benchmark leaves behind.
type record struct {
	Benchmark string            `json:"benchmark"`
	Command   string            `json:"command"`
	Commit    string            `json:"commit"`
	Date      string            `json:"date"`
	Host      experiment.Host   `json:"host"`
	Load      string            `json:"load_average_before"` // of the machine, 1, 5 and 15 minutes
	Threads   int               `json:"threads"`             // of both sides
	Versions  map[string]string `json:"versions"`
	Data      string            `json:"data"`
	Rounds    int               `json:"rounds"`
	Series    []*series         `json:"series"`
	Ratios    []ratio           `json:"ratios"`
	Notes     []string          `json:"notes,omitempty"`
}

// series is one figure, measured once a round.
type series struct {
	Name   string    `json:"name"`
	Unit   string    `json:"unit"`
	Values []float64 `json:"values"`
	Median float64   `json:"median"`
	Min    float64   `json:"min"`
	Max    float64   `json:"max"`
}

// ratio lays two medians beside each other, such that more is better.
type ratio struct {
	Name   string  `json:"name"`
	Value  float64 `json:"value"`
	Target float64 `json:"target,omitempty"`
	Met    bool    `json:"met"`
}

func newRecord(name string, rounds int) *record {
	r := &record{Benchmark: name, Command: "go run ./captioning/internal/bench " + name, Commit: "unknown", Date: time.Now().UTC().Format(time.RFC3339),
		Host:    experiment.Host{System: runtime.GOOS + "/" + runtime.GOARCH, Cores: runtime.NumCPU(), CPU: experiment.CPUName()},
		Threads: runtime.NumCPU(), Rounds: rounds, Versions: map[string]string{"go": runtime.Version()}}
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

// add notes a value of a series.
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

// compare notes how many times better ours is than theirs; target 0 is none.
func (r *record) compare(name string, value, target float64) {
	r.Ratios = append(r.Ratios, ratio{name, value, target, value >= target})
}

// finish prints the record as a table and writes it.
func (r *record) finish(path string) error {
	fmt.Printf("\n%s, %s, %d rounds, %d threads, load before %s\n", r.Benchmark, r.Host.CPU, r.Rounds, r.Threads, r.Load)
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

// measured is one process that was run to its end.
type measured struct {
	seconds  float64 // wall time
	peakMB   float64 // of the largest process among it and its children
	standard []byte  // what it printed
	errors   string  // what it printed to standard error
}

// process runs a command and measures it.
func (b *bench) process(name string, args ...string) (measured, error) {
	cmd := exec.CommandContext(b.ctx, name, args...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("OMP_NUM_THREADS=%d", runtime.NumCPU()), fmt.Sprintf("%s=%d", startVariable, time.Now().UnixNano()))
	var errs strings.Builder
	cmd.Stderr = &errs
	started := time.Now()
	out, err := cmd.Output()
	m := measured{seconds: time.Since(started).Seconds(), standard: out, errors: errs.String()}
	usage, known := (*syscall.Rusage)(nil), false
	if cmd.ProcessState != nil {
		if usage, known = cmd.ProcessState.SysUsage().(*syscall.Rusage); known {
			m.peakMB = float64(usage.Maxrss) / 1024
		}
	}
	if err != nil {
		return m, fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, m.errors)
	}
	if !known {
		return m, errors.New("the peak memory of a process is not known on this system")
	}
	return m, nil
}

// script runs one of the Python scripts beside this file and reads the JSON it prints.
func (b *bench) script(to any, script string, args ...string) (measured, error) {
	path := filepath.Join("captioning", "internal", "bench", script)
	if _, err := os.Stat(path); err != nil {
		return measured{}, fmt.Errorf("run it from the root of the repository: %w", err)
	}
	return b.decode(to, b.python, append([]string{path}, args...)...)
}

// worker runs this program again as one of its workers and reads the JSON it prints.
func (b *bench) worker(to any, args ...string) (measured, error) {
	self, err := os.Executable()
	if err != nil {
		return measured{}, err
	}
	return b.decode(to, self, append([]string{workerCommand}, args...)...)
}

func (b *bench) decode(to any, name string, args ...string) (measured, error) {
	m, err := b.process(name, args...)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(m.standard, to); err != nil {
		return m, fmt.Errorf("%s %s printed %q: %w", filepath.Base(name), strings.Join(args, " "), m.standard, err)
	}
	return m, nil
}

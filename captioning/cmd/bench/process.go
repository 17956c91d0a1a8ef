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
	"strings"
	"syscall"
	"time"
)

// startVariable passes a worker its start time, in nanoseconds of Unix time.
const startVariable = "CAPTIONLAB_BENCH_START"

// bench is a running benchmark.
type bench struct {
	ctx    context.Context
	dir    string // temporary
	python string
	rounds int
	record *record
}

// measured holds the measurements of a finished process.
type measured struct {
	seconds  float64 // wall time
	peakMB   float64 // of the largest among the process and its children
	standard []byte  // standard output
	errors   string  // standard error
}

// process runs a command and measures it.
func (b *bench) process(name string, args ...string) (measured, error) {
	cmd := exec.CommandContext(b.ctx, name, args...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("OMP_NUM_THREADS=%d", runtime.NumCPU()),
		fmt.Sprintf("%s=%d", startVariable, time.Now().UnixNano()))
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
		return m, errors.New("this system does not report the peak memory of a process")
	}
	return m, nil
}

// script runs a Python script of this folder and decodes the JSON that it prints.
func (b *bench) script(to any, script string, args ...string) (measured, error) {
	path := filepath.Join("captioning", "cmd", "bench", script)
	if _, err := os.Stat(path); err != nil {
		return measured{}, fmt.Errorf("run this program from the root of the repository: %w", err)
	}
	return b.decode(to, b.python, append([]string{path}, args...)...)
}

// worker runs this program as a worker and decodes the JSON that it prints.
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

// build compiles the command line captionlab and returns the program's path.
func (b *bench) build() (string, error) {
	program := filepath.Join(b.dir, "captionlab")
	_, err := b.process("go", "build", "-o", program, "./captioning/cmd/captionlab")
	return program, err
}

// resNet50Weights has torch write ResNet-50 weights. It returns each encoder's weights file, "-" for the encoder's own.
func (b *bench) resNet50Weights() (map[string]string, error) {
	weights := map[string]string{"resnet50": filepath.Join(b.dir, "resnet50.pth"), "efficientnet-lite0": "-"}
	_, err := b.script(new(any), "resnet50_reference.py", "weights", b.dir)
	return weights, err
}

// Package fuzzing runs fuzz targets from the long tests: go test fuzzes only one target at a time.
package fuzzing

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// Run fuzzes each target (the name of a function such as FuzzDecode) of the package under test, for the time that
// CAPTIONLAB_FUZZ_TIME says (such as 10m; 60s if it is not set). The test fails if a target does, with the output of go
// test, which names the file below testdata/fuzz that holds the failing input.
func Run(t *testing.T, targets ...string) {
	t.Helper()
	duration := time.Minute
	if text := os.Getenv("CAPTIONLAB_FUZZ_TIME"); text != "" {
		var err error
		if duration, err = time.ParseDuration(text); err != nil || duration <= 0 {
			t.Fatalf("CAPTIONLAB_FUZZ_TIME is %q, want a duration such as 30s or 10m", text)
		}
	}
	for _, target := range targets {
		t.Run(target, func(t *testing.T) {
			if err := fuzz(t.Context(), ".", target, duration); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// fuzz fuzzes a target of the package in the folder dir. A test runs in the folder of its package.
func fuzz(ctx context.Context, dir, target string, duration time.Duration) error {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-fuzz", "^"+target+"$",
		"-fuzztime", duration.String(), "-fuzzminimizetime", "2s", "-parallel", "1",
		"-timeout", (duration + 10*time.Minute).String(), ".")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	switch {
	case err != nil && bytes.Contains(out, []byte("\n    context deadline exceeded\n")) &&
		!bytes.Contains(out, []byte("Failing input written to")):
		return nil // go test sometimes reports the end of the time as a failure: https://go.dev/issue/75804
	case err != nil:
		return fmt.Errorf("%w\n%s", err, out)
	case bytes.Contains(out, []byte("no fuzz tests to fuzz")):
		return fmt.Errorf("the package has no fuzz target %s", target)
	}
	return nil
}

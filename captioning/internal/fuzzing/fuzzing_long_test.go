//go:build long

package fuzzing

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLongFuzz(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"go.mod": "module fuzzed\n\ngo 1.26\n",
		"fuzzed_test.go": `package fuzzed

import "testing"

func FuzzGood(f *testing.F) {
	f.Fuzz(func(*testing.T, []byte) {})
}

func FuzzBad(f *testing.F) {
	f.Add([]byte("whole"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if string(data) != "whole" {
			t.Error("not whole")
		}
	})
}
`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for target, want := range map[string]string{
		"FuzzGood": "", "FuzzBad": "not whole", "FuzzNone": "no fuzz target FuzzNone",
	} {
		err := fuzz(t.Context(), dir, target, time.Second)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", target, err, want)
		}
	}
}

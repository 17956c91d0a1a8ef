package programs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"captionlab/captioning/xla/xlatest"
)

const childCache = "CAPTIONLAB_PROGRAMS_TEST"

// TestMain lets the test binary be the process that compiles: a process keeps the programs of one folder only.
func TestMain(m *testing.M) {
	if os.Getenv(childCache) == "" {
		os.Exit(m.Run())
	}
	os.Setenv("CAPTIONLAB_CACHE", os.Getenv(childCache))
	os.Exit(m.Run())
}

// TestChild computes something and prints it. It does nothing unless another test calls it.
func TestChild(t *testing.T) {
	if os.Getenv(childCache) == "" {
		return
	}
	out, err := graph.CallOnce(xlatest.OpenForTest(t), func(x *graph.Node) *graph.Node {
		return graph.Tanh(graph.Dot(x, x).Product())
	}, tensors.FromFlatDataAndDimensions([]float32{0.1, 0.2, 0.3, 0.4}, 2, 2))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("RESULT", out.Value())
}

// compute runs TestChild in a process with the cache folder and returns what it computed.
func compute(t *testing.T, folder string, environment ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestChild$", "-test.v")
	cmd.Env = append(append(os.Environ(), childCache+"="+folder), environment...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if result, ok := strings.CutPrefix(line, "RESULT "); ok {
			return result
		}
	}
	t.Skipf("SKIPPED, NOT PASSED: the process computed nothing:\n%s", out)
	return ""
}

func stored(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "programs", "*.program"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// age makes a file look old and returns a function that reports whether it was used since.
func age(t *testing.T, file string) (used func() bool) {
	t.Helper()
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(file, old, old); err != nil {
		t.Fatal(err)
	}
	return func() bool {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		return time.Since(info.ModTime()) < time.Minute
	}
}

func TestSecondProcessLoadsTheProgram(t *testing.T) {
	folder := t.TempDir()
	want := compute(t, folder)
	files := stored(t, folder)
	if len(files) != 1 {
		t.Fatalf("%d stored programs, want 1", len(files))
	}
	used := age(t, files[0])
	if got := compute(t, folder); got != want {
		t.Errorf("the loaded program computed %s, the compiled one %s", got, want)
	}
	if !used() || len(stored(t, folder)) != 1 {
		t.Error("the second process did not load the stored program")
	}
	used = age(t, files[0])
	if got := compute(t, folder, "XLA_FLAGS=--xla_backend_optimization_level=0"); got == "" || used() {
		t.Error("a process with other flags loaded the stored program")
	}
}

func TestDamagedProgramIsCompiledAgain(t *testing.T) {
	folder := t.TempDir()
	want := compute(t, folder)
	file := stored(t, folder)[0]
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	flipped := append([]byte(nil), whole...)
	flipped[len(flipped)/2] ^= 1
	for name, damaged := range map[string][]byte{
		"empty": nil, "short": whole[:10], "truncated": whole[:len(whole)/2], "flipped bit": flipped,
	} {
		if err := os.WriteFile(file, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := compute(t, folder); got != want {
			t.Errorf("%s: computed %s, want %s", name, got, want)
		}
		if now, err := os.ReadFile(file); err != nil || len(now) != len(whole) {
			t.Errorf("%s: the program was not stored again (%d bytes of %d, %v)", name, len(now), len(whole), err)
		}
	}
}

func TestProgramThatOthersCanWriteIsNotLoaded(t *testing.T) {
	folder := t.TempDir()
	want := compute(t, folder)
	file := stored(t, folder)[0]
	if err := os.Chmod(file, 0o666); err != nil {
		t.Fatal(err)
	}
	used := age(t, file)
	if got := compute(t, folder); got != want {
		t.Errorf("computed %s, want %s", got, want)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 || !used() {
		t.Errorf("the file was not replaced by one that only the user can write: %v, %v", info.Mode(), err)
	}
	programs := filepath.Join(folder, "programs")
	if err := os.Chmod(programs, 0o777); err != nil {
		t.Fatal(err)
	}
	used = age(t, file)
	if got := compute(t, folder); got != want || used() {
		t.Errorf("computed %s, want %s, without the programs in a folder that others can write to", got, want)
	}
}

func TestOff(t *testing.T) {
	folder := t.TempDir()
	compute(t, folder, "CAPTIONLAB_PROGRAMS=off")
	if files := stored(t, folder); len(files) != 0 {
		t.Errorf("stored %v", files)
	}
}

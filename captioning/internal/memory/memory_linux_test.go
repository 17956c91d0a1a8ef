//go:build linux && cgo

package memory

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestMain is also the program that TestReload starts.
func TestMain(m *testing.M) {
	if os.Getenv("MEMORY_TEST") != "" {
		fmt.Printf("tunables=%s arguments=%s", os.Getenv("GLIBC_TUNABLES"), strings.Join(os.Args[1:], "|"))
		return
	}
	os.Exit(m.Run())
}

// The program was loaded again, for huge pages or not, with its arguments, and without a trace in its environment.
func TestReload(t *testing.T) {
	for _, tunables := range []string{"", "glibc.malloc.check=0"} {
		command := exec.Command(os.Args[0], "an argument", "")
		command.Env = append(os.Environ(), "MEMORY_TEST=1")
		if tunables != "" {
			command.Env = append(command.Env, "GLIBC_TUNABLES="+tunables)
		}
		out, err := command.CombinedOutput()
		if want := "tunables=" + tunables + " arguments=an argument|"; err != nil || string(out) != want {
			t.Errorf("%q, %v, want %q", out, err, want)
		}
	}
}

// Where the kernel gives huge pages to those who ask, the heap asks.
func TestHeapAsksForHugePages(t *testing.T) {
	enabled, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	if err != nil || !bytes.Contains(enabled, []byte("[madvise]")) {
		t.Skipf("huge pages: %s, %v", enabled, err)
	}
	if os.Getenv("GLIBC_TUNABLES") != "" || os.Getenv("MALLOC_ARENA_MAX") != "" {
		t.Skip("the environment has its own settings of the heap")
	}
	grow()
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	_, heap, found := strings.Cut(string(maps), "[heap]")
	_, flags, _ := strings.Cut(heap, "VmFlags:")
	flags, _, _ = strings.Cut(flags, "\n")
	if !found || !strings.Contains(flags+" ", " hg ") {
		t.Errorf("the heap has the flags %q, want hg among them", flags)
	}
}

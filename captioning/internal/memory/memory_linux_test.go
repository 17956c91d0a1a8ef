//go:build linux && cgo

package memory

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestMain is also the program that TestReload starts. It prints its arguments, its tunables, and whether its heap asks
// for huge pages.
func TestMain(m *testing.M) {
	if os.Getenv("MEMORY_TEST") == "" {
		os.Exit(m.Run())
	}
	grow()
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	_, heap, _ := strings.Cut(string(maps), "[heap]")
	_, flags, _ := strings.Cut(heap, "VmFlags:")
	flags, _, _ = strings.Cut(flags, "\n")
	fmt.Printf("%q tunables=%s huge=%v", os.Args[1:], os.Getenv("GLIBC_TUNABLES"),
		slices.Contains(strings.Fields(flags), "hg"))
}

// The program is loaded again where the kernel gives huge pages to those who ask, unless the environment has its own
// settings: with its arguments, and without a trace in its environment.
func TestReload(t *testing.T) {
	enabled, _ := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled") // no such file, no huge pages
	for _, c := range []struct {
		variable, tunables string
		huge               bool
	}{
		{"", "", bytes.Contains(enabled, []byte("[madvise]"))},
		{"GLIBC_TUNABLES=glibc.malloc.check=0", "glibc.malloc.check=0", false},
		{"MALLOC_ARENA_MAX=2", "", false},
	} {
		command := exec.Command(os.Args[0], "an argument", "")
		command.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
			return strings.HasPrefix(v, "GLIBC_TUNABLES=") || strings.HasPrefix(v, "MALLOC_ARENA_MAX=")
		}), "MEMORY_TEST=1")
		if c.variable != "" {
			command.Env = append(command.Env, c.variable)
		}
		out, err := command.CombinedOutput()
		want := fmt.Sprintf(`["an argument" ""] tunables=%s huge=%v`, c.tunables, c.huge)
		if err != nil || string(out) != want {
			t.Errorf("%s: %s, %v, want %s", c.variable, out, err, want)
		}
	}
}

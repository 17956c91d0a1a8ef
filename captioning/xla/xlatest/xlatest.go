// Package xlatest opens the XLA backend for tests, once per test binary.
package xlatest

import (
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute"

	"captionlab/captioning/xla"
)

var open = sync.OnceValues(func() (compute.Backend, error) {
	backend, _, err := xla.Open(xla.OpenOptions{})
	return backend, err
})

// OpenForTest returns the backend. Without a plugin it skips the test with a clear message, or fails it if
// CAPTIONLAB_REQUIRE_XLA is set, as in `make test`.
func OpenForTest(t testing.TB) compute.Backend {
	t.Helper()
	backend, err := open()
	switch {
	case err == nil:
		return backend
	case os.Getenv("CAPTIONLAB_REQUIRE_XLA") != "":
		t.Fatal(err)
	default:
		t.Skip("SKIPPED, NOT PASSED: ", err)
	}
	return nil
}

// hostDevices is set in the process of a test that has several devices: the plugin reads XLA_FLAGS when it is loaded.
const hostDevices = "CAPTIONLAB_TEST_HOST_DEVICES"

// OnHostDevices runs a test in a process whose CPU is four devices. It returns true in that process.
func OnHostDevices(t *testing.T) bool {
	t.Helper()
	if os.Getenv(hostDevices) != "" {
		return true
	}
	OpenForTest(t) // skips the test where there is no plugin
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), hostDevices+"=4", "XLA_FLAGS="+os.Getenv("XLA_FLAGS")+
		" --xla_force_host_platform_device_count=4")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("%v\n%s", err, out)
	}
	return false
}

// Package xlatest opens the XLA backend for tests, once per test binary.
package xlatest

import (
	"os"
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

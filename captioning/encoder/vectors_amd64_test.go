package encoder

import "testing"

// withoutVectors makes a test run as on a processor without vectors.
func withoutVectors(t *testing.T) {
	before := vectors
	vectors = false
	t.Cleanup(func() { vectors = before })
}

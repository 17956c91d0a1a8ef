//go:build long

package decoder

import "testing"

// Programs with only one of the filters.
func TestLongSamplingFrequencies(t *testing.T) {
	for _, o := range []GenerateOptions{
		sampled(1.5, 5, 0), sampled(1, 0, 0.8), sampled(1.5, 0, 0.9), sampled(2, 5, 0.7),
	} {
		testFrequencies(t, o)
	}
}

//go:build long

package decoder

import "testing"

func TestLongPureGoBackendAgrees(t *testing.T) {
	for _, cell := range []Cell{LSTM{}, RNN{}} {
		testPureGoBackend(t, cell, GenerateOptions{MaxWords: 6}, GenerateOptions{MaxWords: 6, Beam: 3},
			GenerateOptions{MaxWords: 6, Temperature: 1, TopK: 5, TopP: 0.9, Seed: 3})
	}
}

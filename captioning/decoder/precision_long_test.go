//go:build long

package decoder

import "testing"

func TestLongGradientsInBfloat16(t *testing.T) {
	for name := range precisionModels {
		testGradientsInBfloat16(t, name, false)
		testGradientsInBfloat16(t, name, true)
	}
}

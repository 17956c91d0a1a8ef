//go:build long

package safetensors

import (
	"testing"

	"captionlab/captioning/internal/fuzzing"
)

func TestLongFuzz(t *testing.T) { fuzzing.Run(t, "FuzzSafetensors") }

//go:build long

package meteor

import (
	"testing"

	"captionlab/captioning/internal/fuzzing"
)

func TestLongFuzz(t *testing.T) { fuzzing.Run(t, "FuzzScore") }

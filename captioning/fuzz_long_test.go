//go:build long

package captioning

import (
	"testing"

	"captionlab/captioning/internal/fuzzing"
)

func TestLongFuzzCheckpoint(t *testing.T) { fuzzing.Run(t, "FuzzCheckpoint") }

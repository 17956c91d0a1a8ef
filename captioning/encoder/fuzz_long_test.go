//go:build long

package encoder

import (
	"testing"

	"captionlab/captioning/internal/fuzzing"
)

func TestLongFuzz(t *testing.T) {
	fuzzing.Run(t, "FuzzTorchFile", "FuzzTorchPickle", "FuzzTorchLegacy")
}

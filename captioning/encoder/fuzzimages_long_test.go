//go:build long

package encoder

import (
	"testing"

	"captionlab/captioning/internal/fuzzing"
)

func TestLongFuzzImages(t *testing.T) {
	fuzzing.Run(t, "FuzzJPEG", "FuzzPNG", "FuzzGIF", "FuzzWebP", "FuzzOrientation", "FuzzDecode")
}

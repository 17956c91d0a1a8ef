//go:build long

package jpeg

import (
	"testing"

	"captionlab/captioning/internal/fuzzing"
)

func TestLongFuzzJPEG(t *testing.T) {
	fuzzing.Run(t, "FuzzDecode")
}

// TestLongPhotographs decodes all images of Flickr8k.
func TestLongPhotographs(t *testing.T) {
	own := 0
	all := photographs(t, 1)
	for _, data := range all {
		check(t, data, false)
		if new(decoder).decode(data) != nil {
			own++
		}
	}
	t.Logf("%d of %d decoded here, the others by image/jpeg", own, len(all))
	if own < len(all)*9/10 {
		t.Errorf("only %d of %d images were decoded here", own, len(all))
	}
}

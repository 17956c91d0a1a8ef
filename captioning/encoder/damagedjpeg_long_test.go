//go:build long

package encoder

import (
	"bytes"
	"image"
	"image/jpeg"
	"runtime"
	"sync"
	"testing"
)

// TestLongManyDamagedJPEGs decodes twenty images at once that end early: 120 MB of planes each, which the decoder
// allocates twice, one after the other.
func TestLongManyDamagedJPEGs(t *testing.T) {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, image.NewRGBA(image.Rect(0, 0, 640, 480)), nil); err != nil {
		t.Fatal(err)
	}
	data := claimJPEG(out.Bytes(), 9000, 9000)
	spec := Spec{Resize: 32, Crop: 32}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := spec.Decode(bytes.NewReader(data)); err == nil {
				t.Error("an image of 640 x 480 pixels fills 9000 x 9000")
			}
		})
	}
	wg.Wait()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if most := uint64(maxMemory + 300<<20); m.HeapSys > most {
		t.Errorf("the heap grew to %d MB, want at most %d", m.HeapSys>>20, most>>20)
	}
	t.Logf("the heap grew to %d MB", m.HeapSys>>20)
}

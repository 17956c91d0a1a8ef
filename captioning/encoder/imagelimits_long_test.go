//go:build long

package encoder

import (
	"bytes"
	"runtime"
	"sync"
	"testing"
)

// TestLongManyLargeImages decodes ten images at once, of 330 MB each.
func TestLongManyLargeImages(t *testing.T) {
	const side = 9000
	data := pngOf(side, side, pngKind{8, 6, 0}, side*(4*side+1))
	spec := Spec{Resize: 32, Crop: 32}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if _, err := spec.Decode(bytes.NewReader(data)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if most := uint64(maxMemory + 300<<20); m.HeapSys > most {
		t.Errorf("the heap grew to %d MB, want at most %d", m.HeapSys>>20, most>>20)
	}
}

//go:build long

package encoder

import (
	"bytes"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
)

// TestLongManyLargeImages decodes ten images at once, of 330 MB each.
func TestLongManyLargeImages(t *testing.T) {
	const side = 9000
	data := pngOf(side, side, pngKind{8, 6, 0}, side*(4*side+1))
	spec := Spec{Resize: 32, Crop: 32}
	var before runtime.MemStats
	debug.FreeOSMemory()
	runtime.ReadMemStats(&before)
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
	// Other tests of the process leave live memory and holes in the heap.
	if most := before.HeapInuse + uint64(maxMemory+350<<20); m.HeapSys > most {
		t.Errorf("the heap grew to %d MB, want at most %d", m.HeapSys>>20, most>>20)
	}
}

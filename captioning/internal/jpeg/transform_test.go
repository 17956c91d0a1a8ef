package jpeg

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestTransforms compares both ways of transforming, on blocks with any coefficients and any rows and columns of
// zeros. TestWritten compares with image/jpeg.
func TestTransforms(t *testing.T) {
	if !vectors {
		t.Skip("SKIPPED, NOT PASSED: this processor has no vectors that transformVectors can use")
	}
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 100_000 {
		var b, cleared block
		used := r.Uint64()
		for range i % 4 {
			used &= r.Uint64() | r.Uint64()&r.Uint64()
		}
		if i%5 == 0 {
			used &^= lastRows
		}
		if i%7 == 0 {
			used &^= lastColumns
		}
		if i%11 == 0 {
			used &= firstRow
		}
		for k := range b {
			if used>>k&1 != 0 {
				b[k] = int32(r.Uint32()) >> (i % 32)
			}
		}
		if i%13 == 0 {
			b[0] = []int32{math.MinInt32, math.MaxInt32, 1024, -1024}[r.IntN(4)]
			used |= 1
		}
		var want, got [64]uint8
		before, again := b, b
		transformNumbers(&b, used, &want)
		transformVectors(&again, &got[0], 8)
		if got != want {
			t.Fatalf("block %v: %v, want %v", before, got, want)
		}
		if b != cleared || again != cleared {
			t.Fatalf("block %v: the coefficients are not cleared", before)
		}
	}
}

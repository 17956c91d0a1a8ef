package jpeg

import "golang.org/x/sys/cpu"

// vectors tells whether the processor can run transformVectors.
var vectors = cpu.X86.HasAVX2

// transformVectors is transform with vectors of eight numbers (AVX2). It writes eight bytes at out and at each of the
// next seven multiples of stride behind it.
//
//go:noescape
func transformVectors(b *block, out *uint8, stride int)

package jpeg

import "golang.org/x/sys/cpu"

// vectors tells whether the processor can run transformVectors.
var vectors = cpu.X86.HasAVX2

// transformVectors is transformNumbers with vectors of eight numbers (AVX2).
//
//go:noescape
func transformVectors(b *block, out *[64]uint8)

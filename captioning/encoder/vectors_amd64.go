package encoder

import "golang.org/x/sys/cpu"

// vectors tells whether the processor can run the functions below, which compute with vectors of 32 bytes (AVX2).
var vectors = cpu.X86.HasAVX2

// narrowVectors computes groups times eight bytes of a plane; see gathering. It reads up to 2*pairs+groupSize bytes
// behind from, not all of which matter.
//
//go:noescape
func narrowVectors(to, from, gathering *uint8, groups, pairs int)

// weighVectors is weighNumbers for groups times groupSize sums, with weights from pairsOf, and as many rows.
//
//go:noescape
func weighVectors(sums, rows *uint8, stride int, weights []uint32, groups int)

// convertVectors is convert for groups times groupSize pixels; samples are luma, cb and cr.
//
//go:noescape
func convertVectors(out, samples *line, groups int)

// addVectors is addRows for groups times groupSize samples.
//
//go:noescape
func addVectors(sums, near, far *uint8, groups int)

// doubleVectors computes groups times two times groupSize samples of an upsampled row.
//
//go:noescape
func doubleVectors(to, sums *uint8, groups int)

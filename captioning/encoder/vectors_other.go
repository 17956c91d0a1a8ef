//go:build !amd64

package encoder

// vectors tells whether the functions below may be called.
const vectors = false

const noVectors = "cannot happen: there are no vectors"

func narrowVectors(_, _, _ *uint8, _, _ int)             { panic(noVectors) }
func weighVectors(_, _ *uint8, _ int, _ []uint32, _ int) { panic(noVectors) }
func convertVectors(_, _ *line, _ int)                   { panic(noVectors) }
func addVectors(_, _, _ *uint8, _ int)                   { panic(noVectors) }
func doubleVectors(_, _ *uint8, _ int)                   { panic(noVectors) }

//go:build !amd64

package jpeg

// vectors tells whether transformVectors may be called.
const vectors = false

func transformVectors(*block, *uint8, int) { panic("cannot happen: there are no vectors") }

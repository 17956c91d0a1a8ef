//go:build !amd64

package jpeg

// vectors tells whether transformVectors may be called.
const vectors = false

func transformVectors(*block, *[64]uint8) { panic("cannot happen: there are no vectors") }

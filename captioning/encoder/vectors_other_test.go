//go:build !amd64

package encoder

import "testing"

func withoutVectors(*testing.T) {}

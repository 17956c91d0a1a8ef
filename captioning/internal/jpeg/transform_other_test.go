//go:build !amd64

package jpeg

import "testing"

func withoutVectors(*testing.T) {}

package pace

import (
	"testing"
	"time"
)

func TestAt(t *testing.T) {
	for _, c := range []struct {
		name            string
		elapsed         time.Duration
		done, remaining float64
		rate            float64
		left            time.Duration
	}{
		{"half done", 10 * time.Second, 20, 20, 2, 10 * time.Second},
		{"nothing done", 10 * time.Second, 0, 20, 0, 0},
		{"no time passed", 0, 5, 20, 0, 0},
		{"more than expected", 10 * time.Second, 20, -3, 2, 0},
	} {
		if rate, left := at(c.elapsed, c.done, c.remaining); rate != c.rate || left != c.left {
			t.Errorf("%s: rate %v, left %v; want %v, %v", c.name, rate, left, c.rate, c.left)
		}
	}
}

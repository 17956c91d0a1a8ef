//go:build long

package score

import "testing"

func TestLongPTBLines(t *testing.T) {
	for _, set := range longLineSets {
		t.Run(set.name, func(t *testing.T) { checkLines(t, set) })
	}
}

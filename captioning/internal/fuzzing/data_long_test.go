//go:build long

package fuzzing

import (
	"path/filepath"
	"testing"
)

// TestLongFuzzData fuzzes the packages that read people's files, from here since some of them cannot import this one.
func TestLongFuzzData(t *testing.T) {
	for dir, targets := range map[string][]string{
		"datasets/coco":     {"FuzzCOCO", "FuzzKarpathy"},
		"datasets/custom":   {"FuzzOwnCOCO", "FuzzOwnKarpathy", "FuzzJSONRows", "FuzzTable", "FuzzPairs", "FuzzShard"},
		"datasets/flickr8k": {"FuzzFlickr8kText"},
		"datasets/jsonfile": {"FuzzDecode", "FuzzJSONFile"},
		"captioning/score":  {"FuzzCaptions"},
	} {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Chdir(filepath.Join("..", "..", "..", filepath.FromSlash(dir)))
			Run(t, targets...)
		})
	}
}

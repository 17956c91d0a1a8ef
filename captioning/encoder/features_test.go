package encoder

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestOpenFeaturesVerified: damage that leaves size and time stamp alone is found only if every shard is hashed.
func TestOpenFeaturesVerified(t *testing.T) {
	t.Setenv("CAPTIONLAB_CACHE", t.TempDir())
	folder := t.TempDir()
	buildAll(t, open(t, meanColour(), ""), folder)
	shard, old := filepath.Join(folder, "shard-0002.safetensors"), time.Now().Add(-time.Hour)
	write := func(data []byte) {
		if err := os.WriteFile(shard, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(shard, old, old); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(shard)
	if err != nil {
		t.Fatal(err)
	}
	write(data)
	if _, err := OpenFeatures(folder); err != nil {
		t.Fatal(err)
	}
	data[len(data)-1] ^= 1
	write(data)
	if _, err := OpenFeatures(folder); err != nil {
		t.Errorf("an unchanged shard was hashed again: %v", err)
	}
	if _, err := OpenFeaturesVerified(folder); err == nil || !strings.Contains(err.Error(), shard) {
		t.Errorf("error %v, want one that names the shard", err)
	}
	if _, err := OpenFeatures(folder); err == nil {
		t.Error("the damage was found, and then forgotten")
	}
}

func TestFoldersDiffer(t *testing.T) {
	id := Identity{Name: "n", WeightsSHA256: "w", Preprocessing: "p", FeatureDim: 5}
	seen := map[string]bool{FeatureFolder("root", "d", "f", id): true}
	for i, folder := range []string{
		FeatureFolder("root", "d", "g", id),
		FeatureFolder("root", "d", "f", Identity{"m", "w", "p", 5}),
		FeatureFolder("root", "d", "f", Identity{"n", "x", "p", 5}),
		FeatureFolder("root", "d", "f", Identity{"n", "w", "q", 5}),
		FeatureFolder("root", "d", "f", Identity{"n", "w", "p", 6}),
	} {
		if seen[folder] {
			t.Errorf("change %d leads to the same folder %s", i, folder)
		}
		seen[folder] = true
	}
}

func ExampleFeatureFolder() {
	id := Identity{Name: "efficientnet-lite0", WeightsSHA256: "57934424", Preprocessing: "as is", FeatureDim: 1280}
	fmt.Println(FeatureFolder("features", "shapes", "fingerprint", id))
	// Output: features/shapes-efficientnet-lite0-86f175d0ab6e
}

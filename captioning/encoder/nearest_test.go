package encoder

import (
	"math"
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	f := &Features{Manifest: Manifest{Encoder: Identity{Name: "tiny", FeatureDim: 5}}, rows: map[string][]float32{
		"same":     {3, 4, 0, 0, 0},
		"longer":   {6, 8, 0, 0, 0}, // the same direction, so as near as "same"
		"half":     {3, 0, 0, 0, 4}, // cosine 9/25
		"right":    {0, 0, 2, 0, 0},
		"opposite": {-3, -4, 0, 0, 0},
		"black":    {0, 0, 0, 0, 0}, // no direction
	}}
	ids := []string{"opposite", "black", "right", "no such image", "half", "longer", "same"}
	got, err := f.Nearest([]float32{3, 4, 0, 0, 0}, 10, ids)
	if err != nil {
		t.Fatal(err)
	}
	want := []Neighbour{{"longer", 1}, {"same", 1}, {"half", 9. / 25}, {"right", 0}, {"opposite", -1}}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range want {
		if got[i].ID != want[i].ID || math.Abs(got[i].Similarity-want[i].Similarity) > 1e-12 {
			t.Errorf("neighbour %d is %v, want %v", i, got[i], want[i])
		}
	}
	if two, err := f.Nearest([]float32{3, 4, 0, 0, 0}, 2, ids); err != nil || len(two) != 2 || two[1].ID != "same" {
		t.Errorf("the two nearest are %v, %v", two, err)
	}
	for name, c := range map[string]struct {
		vector []float32
		says   string
	}{
		"short": {[]float32{1}, "has 1 values, want 5, as features of encoder tiny have"},
		"zero":  {make([]float32, 5), "no direction"},
	} {
		if _, err := f.Nearest(c.vector, 1, ids); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want an error that says %q", name, err, c.says)
		}
	}
}

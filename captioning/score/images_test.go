package score

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestImagesRoundTrip(t *testing.T) {
	refs, captions := randomCorpus(rand.New(rand.NewPCG(7, 7)), 40)
	coco, pa4, err := Both(refs, captions)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "images.csv")
	if err := WriteImages(path, coco, pa4); err != nil {
		t.Fatal(err)
	}
	cocoAgain, pa4Again, err := ReadImages(path)
	if err != nil {
		t.Fatal(err)
	}
	if cocoAgain.Overlap != coco.Overlap || cocoAgain.BLEU != coco.BLEU {
		t.Errorf("counts %+v, want %+v", cocoAgain.Overlap, coco.Overlap)
	}
	for _, pair := range [][2]Corpus{{cocoAgain, coco}, {pa4Again, pa4}} {
		for _, d := range mustCompare(t, pair[0], pair[1]) {
			compare(t, d.Metric, d.A, d.B, 1e-6)
		}
	}

	pa4.Images = pa4.Images[1:]
	if err := WriteImages(path, coco, pa4); err == nil || !strings.Contains(err.Error(), "only in one of the files") {
		t.Errorf("error %v for different images", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	lines[2] = strings.Replace(lines[2], ",", ",x", 1)
	for damaged, want := range map[string]string{
		strings.Join(lines, "\n"): "row 3, column test",
		lines[0]:                  "one row per image",
		lines[0] + "\na,b\n":      "wrong number of fields",
	} {
		if err := os.WriteFile(path, []byte(damaged), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, _, err := ReadImages(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

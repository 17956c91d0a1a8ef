//go:build long

package main

import (
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"captionlab/captioning/xla/xlatest"
	"captionlab/datasets"
)

// TestLongAttentionFromTrainToSheet trains a model that looks, draws where it looks, and makes an ensemble of it.
func TestLongAttentionFromTrainToSheet(t *testing.T) {
	xlatest.OpenForTest(t)
	ownFeatures(t)
	dir := t.TempDir()
	photos := filepath.Join(dir, "photos")
	ds := writeOwn(t, photos, "Kaggle's captions.txt")
	train := strings.Fields("train --dataset photos --split-by 0.5,0.3,0.2 --encoder efficientnet-lite0 " +
		"--set epochs=1 --set hidden=16 --set embedding=8 --set min_count=1 --set cell=attention --set attention=8")
	code, out, errs := call(t, program(dir, append(train, "--out", "looks")...))
	if code != 0 || !strings.Contains(errs, "feature maps of 60 images, 49 places with 1280 channels") {
		t.Fatalf("train: exit %d, %s%s", code, out, errs)
	}
	plain := append(slices.Clone(train), "--set", "cell=lstm", "--out", "plain")
	if code, out, errs := call(t, program(dir, plain...)); code != 0 {
		t.Fatalf("train an LSTM: exit %d, %s%s", code, out, errs)
	}
	image := filepath.Join(photos, "Images", ds.Examples(datasets.Test)[0].ID+".png")
	code, out, errs = call(t, program(dir, "caption", "looks", image, "--attention", "sheets"))
	if code != 0 || len(strings.Fields(out)) == 0 {
		t.Fatalf("caption: exit %d, %q, %s", code, out, errs)
	}
	f, err := os.Open(filepath.Join(dir, "sheets", filepath.Base(image)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if sheet, err := png.Decode(f); err != nil || sheet.Bounds().Dx() < 300 {
		t.Errorf("the sheet: %v", err)
	}
	code, out, errs = call(t, program(dir, "caption", "looks,plain", image))
	if code != 0 || strings.TrimSpace(out) == "" {
		t.Errorf("an ensemble: exit %d, %q, %s", code, out, errs)
	}
	copied := filepath.Join(dir, "copies")
	if err := os.CopyFS(copied, os.DirFS(filepath.Dir(image))); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"does not look at places": {"plain", image},
		"would both be drawn in":  {"looks", image, filepath.Join(copied, filepath.Base(image))},
	} {
		code, _, errs := call(t, program(dir, append([]string{"caption", "--attention", "x"}, args...)...))
		if code != 2 || !strings.Contains(errs, want) {
			t.Errorf("%v: exit %d, %s, want %q", args, code, errs, want)
		}
	}
}

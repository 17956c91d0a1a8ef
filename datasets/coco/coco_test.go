package coco_test

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"captionlab/datasets"
	"captionlab/datasets/coco"
	"captionlab/datasets/coco/cocotest"
)

func write(t *testing.T, o cocotest.Options) string {
	t.Helper()
	dir := t.TempDir()
	if err := cocotest.Write(dir, o); err != nil {
		t.Fatal(err)
	}
	return dir
}

func opened(t *testing.T, dir, split string) *coco.Dataset {
	t.Helper()
	ds, err := coco.Open(dir, split)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ds.Close() })
	return ds
}

// edit replaces every occurrence of a text in a file. Fails if there is none.
func edit(t *testing.T, file, old, new string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(data, []byte(old)) {
		t.Fatalf("%s does not contain %q", file, old)
	}
	if err := os.WriteFile(file, bytes.ReplaceAll(data, []byte(old), []byte(new)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestReleasesAndSplitsAgree opens the same images with the same ids from either release, in folders or archives, by
// either split.
func TestReleasesAndSplitsAgree(t *testing.T) {
	var first string
	for _, o := range []cocotest.Options{{}, {Zips: true}, {Year: "2017"}, {Year: "2017", Zips: true}} {
		o.Train, o.Val, o.Test = 30, 6, 8
		dir := write(t, o)
		for split, name := range map[string]string{
			"":                                      "coco",
			coco.PA4:                                "coco",
			coco.Karpathy:                           "coco-karpathy",
			filepath.Join(dir, "pa4"):               "coco",
			filepath.Join(dir, "dataset_coco.json"): "coco-dataset_coco",
		} {
			ds := opened(t, dir, split)
			if ds.Name() != name {
				t.Errorf("split %q is called %s, want %s", split, ds.Name(), name)
			}
			if odd := ds.Oddities(); len(odd) > 0 {
				t.Errorf("%+v, split %q: %v", o, split, odd)
			}
			var n []int
			for _, s := range datasets.Splits {
				n = append(n, len(ds.Examples(s)))
			}
			if fmt.Sprint(n) != "[30 6 8]" {
				t.Errorf("%+v, split %q: %v images", o, split, n)
			}
			if name != "coco" {
				continue // captions are in the order of Karpathy's sentences, not of the annotations
			}
			sum, err := datasets.Fingerprint(context.Background(), ds)
			if err != nil {
				t.Fatal(err)
			}
			if first == "" {
				first = sum
			}
			if sum != first {
				t.Errorf("%+v, split %q: the fingerprint differs", o, split)
			}
		}
	}
}

func TestExamples(t *testing.T) {
	ds := opened(t, write(t, cocotest.Options{Train: 3, Val: 2, Test: 2}), "")
	ex := ds.Examples(datasets.Test)[0]
	if ex.ID != "15848" || len(ex.Captions) != 5 || !strings.HasSuffix(ex.Captions[0], ".") {
		t.Errorf("first test example %+v", ex)
	}
	f, err := ds.OpenImage(ex.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if c, err := jpeg.DecodeConfig(f); err != nil || c.Width != 160 || c.Height != 120 {
		t.Errorf("image %v, %v", c, err)
	}
	if _, err := ds.OpenImage("7"); err == nil || !strings.Contains(err.Error(), `"7"`) {
		t.Errorf("a missing image: %v", err)
	}
}

func TestLeftOut(t *testing.T) {
	dir := write(t, cocotest.Options{Train: 30, Val: 6, Test: 8})
	train := opened(t, dir, "").Examples(datasets.Train)
	id := func(i int) string { return train[i].ID }
	// The second training image loses its file and the third its captions, which get an unknown id. The list of ids
	// gets an unknown id and a duplicate.
	image := filepath.Join(dir, "train2014", fmt.Sprintf("COCO_train2014_%012s.jpg", id(1)))
	if err := os.Remove(image); err != nil {
		t.Fatal(err)
	}
	edit(t, filepath.Join(dir, "annotations", "captions_train2014.json"), `"image_id":`+id(2)+`}`, `"image_id":581999}`)
	edit(t, filepath.Join(dir, "pa4", "train_ids.csv"), "\n", ",77,"+id(0)+"\n")
	ds := opened(t, dir, "")
	if n := len(ds.Examples(datasets.Train)); n != 28 {
		t.Errorf("%d training images are left, want 28", n)
	}
	all := strings.Join(ds.Oddities(), "\n")
	for _, want := range []string{
		"ids of the split that are not in the release, skipped: 1 (77)",
		"images of the split without a caption, skipped: 1 (" + id(2) + ")",
		"images of the split with captions but no image file, skipped: 1 (" + id(1) + ")",
		"captioned image ids that are not among the release's images, skipped: 1 (581999)",
		"ids listed twice in the split, of which the first is used: 1 (" + id(0) + ")",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("oddities lack %q:\n%s", want, all)
		}
	}
	if n := len(ds.LeftOut()); n != 5 {
		t.Errorf("%d left out, want 5: %v", n, ds.LeftOut())
	}
}

// TestPaperIDLists reads the paper's own id lists, if present. The drawn release has none of their images.
func TestPaperIDLists(t *testing.T) {
	root := os.Getenv("CAPTIONLAB_DATA")
	if root == "" {
		t.Skip("SKIPPED, NOT PASSED: CAPTIONLAB_DATA does not name the folder that contains coco/pa4")
	}
	dir := write(t, cocotest.Options{Train: 6, Val: 2, Test: 2})
	_, err := coco.Open(dir, filepath.Join(root, "coco", "pa4"))
	if err == nil || !strings.Contains(err.Error(), "that are not in the release, skipped: 19556 (") {
		t.Errorf("error %v", err)
	}
}

package coco_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"captionlab/datasets"
	"captionlab/datasets/coco"
	"captionlab/datasets/coco/cocotest"
)

func stamp(t *testing.T, ds datasets.Dataset) string {
	t.Helper()
	s, ok, err := datasets.Stamp(ds)
	if err != nil || !ok || len(s) != 64 {
		t.Fatalf("stamp %q, %v, %v", s, ok, err)
	}
	return s
}

// TestStampReadsNoImage replaces every image by an empty file.
func TestStampReadsNoImage(t *testing.T) {
	dir := write(t, cocotest.Options{Train: 6, Val: 2, Test: 2})
	files, err := filepath.Glob(filepath.Join(dir, "*2014", "*.jpg"))
	if err != nil || len(files) != 10 {
		t.Fatalf("%d images, %v", len(files), err)
	}
	for _, file := range files {
		if err := os.Truncate(file, 0); err != nil {
			t.Fatal(err)
		}
	}
	stamp(t, opened(t, dir, ""))
}

func TestStampSeesChanges(t *testing.T) {
	touch := func(pattern string) spoiler {
		return func(t *testing.T, dir string) {
			files, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil || len(files) == 0 {
				t.Fatalf("no file %s: %v", pattern, err)
			}
			now := time.Now().Add(time.Second)
			if err := os.Chtimes(files[0], now, now); err != nil {
				t.Fatal(err)
			}
		}
	}
	name := cocotest.FileName("val", "2014", 15848)
	for _, c := range []struct {
		name    string
		zips    bool
		split   string // after the change
		change  spoiler
		differs bool
	}{
		{"nothing in folders", false, "", remove(), false},
		{"nothing in archives", true, "", remove(), false},
		{"the same split by path", false, "pa4", remove(), false},
		{"the split", false, coco.Karpathy, remove(), true},
		{"an image's time", false, "", touch("val2014/*.jpg"), true},
		{"an image's size", false, "", overwrite("val2014/"+name, ""), true},
		{"an archive's time", true, "", touch("train2014.zip"), true},
		{"a caption", false, "", replace(trainAnnotations, "red", "green"), true},
		{"an id", false, "", replace("pa4/test_ids.csv", `"15848"`, `"7"`), true},
		{"unpacking the annotations", true, "", unpackAnnotations, false},
		{"the names of images in an archive", true, "", func(t *testing.T, dir string) {
			unpackAnnotations(t, dir)
			const annotations = "annotations/captions_val2014.json"
			replace(annotations, name, "x.jpg")(t, dir)
			replace(annotations, cocotest.FileName("val", "2014", 39605), name)(t, dir)
			replace(annotations, "x.jpg", cocotest.FileName("val", "2014", 39605))(t, dir)
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := write(t, cocotest.Options{Train: 6, Val: 2, Test: 2, Zips: c.zips})
			before := stamp(t, opened(t, dir, ""))
			c.change(t, dir)
			if c.split == "pa4" {
				c.split = filepath.Join(dir, c.split)
			}
			if after := stamp(t, opened(t, dir, c.split)); (after != before) != c.differs {
				t.Errorf("stamps %s and %s, want different: %v", before, after, c.differs)
			}
		})
	}
}

// unpackAnnotations puts the annotations of an archived release into a folder, which Open prefers.
func unpackAnnotations(t *testing.T, dir string) {
	unpacked := write(t, cocotest.Options{Train: 6, Val: 2, Test: 2})
	if err := os.Rename(filepath.Join(unpacked, "annotations"), filepath.Join(dir, "annotations")); err != nil {
		t.Fatal(err)
	}
}

func TestCloseTwice(t *testing.T) {
	ds := opened(t, write(t, cocotest.Options{Train: 6, Val: 2, Test: 2, Zips: true}), "")
	part := datasets.Subset(ds, 1, 1, 1)
	for _, d := range []datasets.Dataset{part, ds, part} {
		if err := datasets.Close(d); err != nil {
			t.Errorf("closing %s: %v", d.Name(), err)
		}
	}
	id := ds.Examples(datasets.Train)[0].ID
	if _, err := part.OpenImage(id); err == nil || !strings.Contains(err.Error(), id) {
		t.Errorf("opening an image of a closed archive: %v", err)
	}
}

package coco_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"os"
	"path/filepath"
	"runtime"
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

// The same pictures under the same ids, in either release, in folders or archives, by either split: one dataset.
func TestReleasesAndSplitsAgree(t *testing.T) {
	var first string
	for _, o := range []cocotest.Options{{}, {Zips: true}, {Year: "2017"}, {Year: "2017", Zips: true}} {
		o.Train, o.Val, o.Test = 30, 6, 8
		dir := write(t, o)
		for _, split := range []string{"", coco.PA4, coco.Karpathy, filepath.Join(dir, "pa4"), filepath.Join(dir, "dataset_coco.json")} {
			ds := opened(t, dir, split)
			if n := len(ds.Oddities()); n > 0 {
				t.Errorf("%+v, split %q: %v", o, split, ds.Oddities())
			}
			sum, err := datasets.Fingerprint(context.Background(), ds)
			if err != nil {
				t.Fatal(err)
			}
			if first == "" {
				first = sum
			}
			var n []int
			for _, s := range datasets.Splits {
				n = append(n, len(ds.Examples(s)))
			}
			// Captions come in the order of the annotations in one, of the sentences in the other: compare what does not depend on it.
			if fmt.Sprint(n) != "[30 6 8]" {
				t.Errorf("%+v, split %q: %v pictures", o, split, n)
			}
			if split == coco.PA4 && sum != first {
				t.Errorf("%+v: the fingerprint differs", o)
			}
			if want := map[string]string{"": "coco", coco.Karpathy: "coco-karpathy", filepath.Join(dir, "dataset_coco.json"): "coco-dataset_coco"}[split]; want != "" && ds.Name() != want {
				t.Errorf("split %q is called %s, want %s", split, ds.Name(), want)
			}
		}
	}
}

func TestExamplesAreTheReleases(t *testing.T) {
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
		t.Errorf("picture %v, %v", c, err)
	}
	if _, err := ds.OpenImage("7"); err == nil || !strings.Contains(err.Error(), `"7"`) {
		t.Errorf("a picture that is not there: %v", err)
	}
}

func TestWhatIsMissingIsCountedAndListed(t *testing.T) {
	dir := write(t, cocotest.Options{Train: 30, Val: 6, Test: 8})
	whole := opened(t, dir, "")
	// The second training picture loses its file, the third its captions; a caption of nothing, an id that is nowhere and one
	// that stands twice come in.
	train := whole.Examples(datasets.Train)
	id := func(i int) string { return train[i].ID }
	if err := os.Remove(filepath.Join(dir, "train2014", fmt.Sprintf("COCO_train2014_%012s.jpg", id(1)))); err != nil {
		t.Fatal(err)
	}
	annotations := filepath.Join(dir, "annotations", "captions_train2014.json")
	edit(t, annotations, `"image_id":`+id(2)+`}`, `"image_id":581999}`)
	lists := filepath.Join(dir, "pa4", "train_ids.csv")
	edit(t, lists, "\n", ",77,"+id(0)+"\n")
	ds := opened(t, dir, "")
	if n := len(ds.Examples(datasets.Train)); n != 28 {
		t.Errorf("%d training pictures are left, want 28", n)
	}
	all := strings.Join(ds.Oddities(), "\n")
	for _, want := range []string{"1 ids of the split are not in the release and are left out: 77", "1 pictures of the split have no caption and are left out: " + id(2),
		"1 pictures of the split have captions but no picture file and are left out: " + id(1), "1 captioned image ids are not among the release's images and are left out: 581999",
		"1 ids stand twice in the split's lists; the first place is taken: " + id(0)} {
		if !strings.Contains(all, want) {
			t.Errorf("oddities do not say %q:\n%s", want, all)
		}
	}
	if n := len(ds.LeftOut()); n != 5 {
		t.Errorf("%d left out, want 5: %v", n, ds.LeftOut())
	}
}

// edit replaces every occurrence of a text in a file, which must be there.
func edit(t *testing.T, file, old, new string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(data, []byte(old)) {
		t.Fatalf("%s does not hold %q", file, old)
	}
	if err := os.WriteFile(file, bytes.ReplaceAll(data, []byte(old), []byte(new)), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestBadReleases(t *testing.T) {
	o := cocotest.Options{Train: 6, Val: 2, Test: 2}
	annotations := filepath.Join("annotations", "captions_train2014.json")
	cut := func(t *testing.T, file string) {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(file, info.Size()/2); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, split string
		zips        bool
		spoil       func(t *testing.T, dir string)
		want        string
	}{
		{"annotations cut short", "", false, func(t *testing.T, dir string) { cut(t, filepath.Join(dir, annotations)) }, "it ends in the middle"},
		{"archive of annotations cut short", "", true, func(t *testing.T, dir string) { cut(t, filepath.Join(dir, "annotations_trainval2014.zip")) }, "no whole zip archive"},
		{"archive of pictures cut short", "", true, func(t *testing.T, dir string) { cut(t, filepath.Join(dir, "val2014.zip")) }, "no whole zip archive"},
		{"no annotations", "", false, func(t *testing.T, dir string) { os.RemoveAll(filepath.Join(dir, "annotations")) }, "captions_train2014.json"},
		{"other annotations", "", false, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, annotations), `"annotations":`, `"people":`)
		}, "no caption annotation file"},
		{"text for a list", "", false, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, annotations), `"images":[`, `"images":3,"x":[`)
		}, "stands where"},
		{"text for an id", "", false, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, annotations), `"image_id":`, `"image_id":"x",`)
		}, "at byte"},
		{"a name that leaves the folder", "", false, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, annotations), `"file_name":"`, `"file_name":"../`)
		}, "which is none"},
		{"no pictures", "", false, func(t *testing.T, dir string) {
			os.RemoveAll(filepath.Join(dir, "train2014"))
			os.RemoveAll(filepath.Join(dir, "val2014"))
		}, "no pictures under"},
		{"no test pictures", "", false, func(t *testing.T, dir string) { os.RemoveAll(filepath.Join(dir, "val2014")) }, "no picture of the test split"},
		{"no lists", "", false, func(t *testing.T, dir string) { os.RemoveAll(filepath.Join(dir, "pa4")) }, "train_ids.csv"},
		{"a list of words", "", false, func(t *testing.T, dir string) {
			os.WriteFile(filepath.Join(dir, "pa4", "val_ids.csv"), []byte("1,two\n"), 0o644)
		}, `entry 2 is "two"`},
		{"an empty list", "", false, func(t *testing.T, dir string) {
			os.WriteFile(filepath.Join(dir, "pa4", "val_ids.csv"), nil, 0o644)
		}, "the val split"},
		{"no such split", "nosuch", false, func(*testing.T, string) {}, `no split "nosuch"`},
		{"no file of Karpathy's", coco.Karpathy, false, func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, "dataset_coco.json")) }, "dataset_coco.json"},
		{"a split of another name", coco.Karpathy, false, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, "dataset_coco.json"), `"split":"val"`, `"split":"dev"`)
		}, `"dev"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := o
			o.Zips = c.zips
			dir := write(t, o)
			c.spoil(t, dir)
			ds, err := coco.Open(dir, c.split)
			if err == nil {
				ds.Close()
				t.Fatal("it is opened")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %q does not say %q", err, c.want)
			}
		})
	}
	var damage *coco.FileError
	dir := write(t, o)
	cut(t, filepath.Join(dir, annotations))
	if _, err := coco.Open(dir, ""); !errors.As(err, &damage) || damage.Offset == 0 {
		t.Errorf("a damaged file gives %v, no *FileError with an offset", err)
	}
}

// A file of annotations that is larger than what the program may keep is read as a stream.
func TestLargeAnnotationsAreAStream(t *testing.T) {
	dir := write(t, cocotest.Options{Train: 6, Val: 2, Test: 2})
	file := filepath.Join(dir, "annotations", "captions_val2014.json")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprint(w, `{"segments":[`) // as in the files of instances, which hold more than captions
	const entries = 250_000
	for i := range entries {
		fmt.Fprintf(w, `{"id":%d,"category_id":1,"iscrowd":0,"area":702.1,"bbox":[1.1,2.2,3.3,4.4],"segmentation":[[%s1.5]]},`, i, strings.Repeat("239.97,260.24,", 20))
	}
	fmt.Fprintf(w, `{}],%s`, data[1:])
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	opened(t, dir, "")
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > info.Size()/4 {
		t.Errorf("the heap grew by %d MB over a file of %d MB", grown>>20, info.Size()>>20)
	}
}

// The paper's own id lists, where they are at hand.
func TestPaperIDLists(t *testing.T) {
	root := os.Getenv("CAPTIONLAB_DATA")
	if root == "" {
		t.Skip("SKIPPED: CAPTIONLAB_DATA does not name the folder that holds coco/pa4")
	}
	dir := write(t, cocotest.Options{Train: 6, Val: 2, Test: 2})
	_, err := coco.Open(dir, filepath.Join(root, "coco", "pa4"))
	// The drawn release has none of their pictures, and the counts are the assignment's.
	if err == nil || !strings.Contains(err.Error(), "19") || !strings.Contains(err.Error(), "are not in the release") {
		t.Errorf("error %v", err)
	}
}

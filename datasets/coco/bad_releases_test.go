package coco_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"captionlab/datasets"
	"captionlab/datasets/coco"
	"captionlab/datasets/coco/cocotest"
)

var trainAnnotations = filepath.Join("annotations", "captions_train2014.json")

// spoiler damages a release.
type spoiler func(t *testing.T, dir string)

func remove(names ...string) spoiler {
	return func(t *testing.T, dir string) {
		for _, name := range names {
			if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func truncate(name string) spoiler {
	return func(t *testing.T, dir string) {
		file := filepath.Join(dir, name)
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(file, info.Size()/2); err != nil {
			t.Fatal(err)
		}
	}
}

func replace(name, old, new string) spoiler {
	return func(t *testing.T, dir string) { edit(t, filepath.Join(dir, name), old, new) }
}

func overwrite(name, content string) spoiler {
	return func(t *testing.T, dir string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// pipe replaces a file by a named pipe into which nobody writes.
func pipe(name string) spoiler {
	return func(t *testing.T, dir string) {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBadReleases(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil spoiler
		want  string
	}{
		{"truncated annotations", truncate(trainAnnotations), "it is truncated"},
		{"a pipe as annotations", pipe(trainAnnotations), "captions_train2014.json is not a regular file"},
		{"a pipe as a list", pipe("pa4/val_ids.csv"), "val_ids.csv is not a regular file"},
		{"no annotations", remove("annotations"), "captions_train2014.json"},
		{"other annotations", replace(trainAnnotations, `"annotations":`, `"people":`), "not a caption annotation"},
		{"a number for a list", replace(trainAnnotations, `"images":[`, `"images":3,"x":[`), "found 3 instead of"},
		{"a string for an id", replace(trainAnnotations, `"image_id":`, `"image_id":"x",`), "at byte"},
		{"an invalid byte", replace(trainAnnotations, `"caption":"`, "\"caption\":\"\xe9"), "not valid UTF-8"},
		{"a path for a name", replace(trainAnnotations, `"file_name":"`, `"file_name":"../`), "not a file name"},
		{"no images", remove("train2014", "val2014"), "no images in"},
		{"no test images", remove("val2014"), "no image of the test split"},
		{"no lists", remove("pa4"), "train_ids.csv"},
		{"a list of words", overwrite("pa4/val_ids.csv", "1,two\n"), `entry 2 is "two"`},
		{"an empty list", overwrite("pa4/val_ids.csv", ""), "the val split"},
	} {
		t.Run(c.name, func(t *testing.T) { checkFails(t, cocotest.Options{}, "", c.spoil, c.want) })
	}
}

// Members whose names differ only in letter case are others, whatever they hold.
func TestNamesInOtherLetterCase(t *testing.T) {
	dir := write(t, cocotest.Options{Train: 6, Val: 2, Test: 2})
	whole, err := coco.Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Close()
	replace(trainAnnotations, `"image_id":`, `"Image_ID":"x","image_id":`)(t, dir)
	replace(trainAnnotations, `"caption":"`, `"Caption":"another","caption":"`)(t, dir)
	got, err := coco.Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	if want := whole.Examples(datasets.Train); !reflect.DeepEqual(got.Examples(datasets.Train), want) {
		t.Errorf("examples %v, want %v", got.Examples(datasets.Train), want)
	}
}

func TestBadArchives(t *testing.T) {
	for _, name := range []string{"annotations_trainval2014.zip", "val2014.zip"} {
		t.Run(name, func(t *testing.T) {
			checkFails(t, cocotest.Options{Zips: true}, "", truncate(name), "not a complete zip archive")
		})
	}
}

func TestBadSplits(t *testing.T) {
	const file = "dataset_coco.json"
	for _, c := range []struct {
		name, split string
		spoil       spoiler
		want        string
	}{
		{"no such split", "nosuch", remove(), `no split "nosuch"`},
		{"no Karpathy file", coco.Karpathy, remove(file), file},
		{"an unknown split", coco.Karpathy, replace(file, `"split":"val"`, `"split":"dev"`), `"dev"`},
	} {
		t.Run(c.name, func(t *testing.T) { checkFails(t, cocotest.Options{}, c.split, c.spoil, c.want) })
	}
}

// checkFails spoils a small release and expects an error that contains want.
func checkFails(t *testing.T, o cocotest.Options, split string, spoil spoiler, want string) {
	t.Helper()
	o.Train, o.Val, o.Test = 6, 2, 2
	dir := write(t, o)
	spoil(t, dir)
	ds, err := coco.Open(dir, split)
	if err == nil {
		ds.Close()
		t.Fatal("Open succeeds")
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("error %q does not contain %q", err, want)
	}
}

func TestFileErrorHasOffset(t *testing.T) {
	dir := write(t, cocotest.Options{Train: 6, Val: 2, Test: 2})
	truncate(trainAnnotations)(t, dir)
	var damage *coco.FileError
	if _, err := coco.Open(dir, ""); !errors.As(err, &damage) || damage.Offset == 0 {
		t.Errorf("a damaged file gives %v, not a *FileError with an offset", err)
	}
}

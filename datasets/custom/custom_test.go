package custom_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"captionlab/datasets"
	"captionlab/datasets/custom"
	"captionlab/datasets/custom/customtest"
	"captionlab/datasets/shapes"
)

// drawn is a small set of drawn images.
func drawn(t testing.TB) datasets.Dataset {
	t.Helper()
	ds, err := shapes.Open(shapes.WithSize(12, 4, 3), shapes.WithImageSize(64))
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// write writes files below a new folder and returns it.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "photos")
	for name, data := range files {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func open(t testing.TB, path string, o custom.Options) *custom.Dataset {
	t.Helper()
	ds, err := custom.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ds.Close() })
	return ds
}

// byContent returns the captions by the checksum of the image and, if asked for, the split.
func byContent(t testing.TB, ds datasets.Dataset, splits bool) map[string][]string {
	t.Helper()
	out := make(map[string][]string)
	for _, split := range datasets.Splits {
		for _, ex := range ds.Examples(split) {
			f, err := ds.OpenImage(ex.ID)
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(f)
			if err != nil || f.Close() != nil {
				t.Fatal(err)
			}
			key := fmt.Sprintf("%x", sha256.Sum256(data))
			if splits {
				key = string(split) + " " + key
			}
			out[key] = ex.Captions
		}
	}
	return out
}

// equal compares two datasets by content.
func equal(t testing.TB, got, want datasets.Dataset, splits bool) {
	t.Helper()
	a, b := byContent(t, got, splits), byContent(t, want, splits)
	if len(a) != len(b) {
		t.Errorf("%d images, want %d", len(a), len(b))
	}
	for key, captions := range b {
		if !slices.Equal(a[key], captions) {
			t.Errorf("image %.20s: captions %q, want %q", key, a[key], captions)
		}
	}
}

func TestEveryLayoutHoldsTheSame(t *testing.T) {
	want := drawn(t)
	for _, l := range customtest.Layouts {
		t.Run(l.Name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "my photos")
			if err := customtest.Write(dir, l, want); err != nil {
				t.Fatal(err)
			}
			ds := open(t, dir, custom.Options{})
			equal(t, ds, want, l.Splits)
			if len(ds.Problems()) > 0 || ds.Name() != "own-my-photos" {
				t.Errorf("%s: problems %v", ds.Name(), ds.Problems())
			}
			if err := ds.Trainable(); err != nil {
				t.Error(err)
			}
			for _, split := range datasets.Splits {
				if len(ds.Examples(split)) == 0 {
					t.Errorf("no %s images", split)
				}
			}
			again := open(t, dir, custom.Options{})
			first, err := datasets.Fingerprint(context.Background(), ds)
			if err != nil {
				t.Fatal(err)
			}
			second, err := datasets.Fingerprint(context.Background(), again)
			if err != nil || first != second {
				t.Errorf("fingerprints %s and %s, %v", first, second, err)
			}
			if _, ok, err := datasets.Stamp(ds); !ok || err != nil {
				t.Errorf("stamp: %v, %v", ok, err)
			}
		})
	}
}

func TestFileOfCaptions(t *testing.T) {
	want := drawn(t)
	for name, file := range map[string]string{"Kaggle's captions.txt": "captions.txt", "Karpathy": "dataset.json",
		"tar archives": "train-000.tar", "COCO, a file for each split": "annotations/captions_train.json"} {
		i := slices.IndexFunc(customtest.Layouts, func(l customtest.Layout) bool { return l.Name == name })
		dir := t.TempDir()
		if err := customtest.Write(dir, customtest.Layouts[i], want); err != nil {
			t.Fatal(err)
		}
		ds := open(t, filepath.Join(dir, file), custom.Options{})
		n := 0
		for _, split := range datasets.Splits {
			n += len(ds.Examples(split))
			if len(ds.Examples(split)) == 0 {
				t.Errorf("%s: no %s images", file, split)
			}
		}
		if want := 19; strings.Contains(file, "train") && n != 12 || !strings.Contains(file, "train") && n != want {
			t.Errorf("%s: %d images", file, n)
		}
		if folder := filepath.Base(dir); ds.Name() != "own-"+folder {
			t.Errorf("name %s, want own-%s", ds.Name(), folder)
		}
	}
}

func TestImagesElsewhere(t *testing.T) {
	images, captions := t.TempDir(), write(t, map[string]string{"c.csv": "image,caption\n100001.png,a shape\n"})
	if err := customtest.Images(images, drawn(t)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{captions, filepath.Join(captions, "c.csv")} {
		ds := open(t, path, custom.Options{Images: images})
		if ex := ds.Examples(datasets.Train); len(ex) != 1 || ex[0].ID != "100001.png" || ds.Name() != "own-photos" {
			t.Errorf("%s: %v", ds.Name(), ex)
		}
	}
}

func TestImagesOnly(t *testing.T) {
	dir, want := t.TempDir(), drawn(t)
	if err := customtest.Images(dir, want); err != nil {
		t.Fatal(err)
	}
	ds := open(t, dir, custom.Options{})
	if got := len(byContent(t, ds, false)); ds.Layout() != custom.ImagesOnly || got != 19 {
		t.Errorf("%s: %d images", ds.Layout(), got)
	}
	if err := ds.Trainable(); err == nil || !strings.Contains(err.Error(), "no captions") ||
		!strings.Contains(err.Error(), "dog.txt") {
		t.Errorf("trainable: %v", err)
	}
}

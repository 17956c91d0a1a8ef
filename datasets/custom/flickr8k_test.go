package custom_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"

	"captionlab/datasets"
	"captionlab/datasets/custom"
	"captionlab/datasets/flickr8k"
)

// TestFlickr8kAsRows reads Flickr8k from a table like Kaggle's captions.txt: its images and captions are those of
// package flickr8k.
func TestFlickr8kAsRows(t *testing.T) {
	root := os.Getenv("CAPTIONLAB_DATA")
	if root == "" {
		t.Skip("SKIPPED, NOT PASSED: CAPTIONLAB_DATA does not name the folder that contains flickr8k/")
	}
	release := filepath.Join(root, "flickr8k")
	want, err := flickr8k.Open(release)
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	dir := t.TempDir()
	unpack(t, filepath.Join(release, "Flickr8k_Dataset.zip"), filepath.Join(dir, "Images"))
	rows := [][]string{{"image", "caption"}}
	captions := make(map[string][]string)
	for _, split := range datasets.Splits {
		for _, ex := range want.Examples(split) {
			captions[ex.ID] = ex.Captions
			for _, c := range ex.Captions {
				rows = append(rows, []string{ex.ID, c})
			}
		}
	}
	var table bytes.Buffer
	if err := csv.NewWriter(&table).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "captions.txt"), table.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	got := open(t, dir, custom.Options{})
	n := 0
	for _, split := range datasets.Splits {
		for _, ex := range got.Examples(split) {
			n++
			if !slices.Equal(ex.Captions, captions[ex.ID]) {
				t.Errorf("image %s: captions differ", ex.ID)
			}
			if !bytes.Equal(bytesOf(t, got, ex.ID), bytesOf(t, want, ex.ID)) {
				t.Errorf("image %s differs", ex.ID)
			}
		}
	}
	if n != 8000 || len(got.Examples(datasets.Train)) != 6400 {
		t.Errorf("%d images, %d of them for training, want 8000 and 6400", n, len(got.Examples(datasets.Train)))
	}
	// The images that are in none of Flickr8k's splits have no captions here.
	if k := kinds(got.Problems()); len(k) != 1 || k[custom.NoCaption] != 91 {
		t.Errorf("problems %v", k)
	}
}

func bytesOf(t *testing.T, ds datasets.Dataset, id string) []byte {
	t.Helper()
	f, err := ds.OpenImage(id)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// unpack unpacks the images of an archive into one folder.
func unpack(t *testing.T, file, dir string) {
	t.Helper()
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		if path.Ext(f.Name) != ".jpg" || path.Base(f.Name)[0] == '.' {
			continue
		}
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(in)
		if err != nil || in.Close() != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, path.Base(f.Name)), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

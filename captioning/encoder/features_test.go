package encoder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"captionlab/captioning/weights"
	"captionlab/captioning/xla/xlatest"
	"captionlab/datasets"
	"captionlab/datasets/shapes"
)

var openSmall = sync.OnceValues(func() (string, error) {
	source, err := weights.EfficientNetLite0(context.Background())
	return source.Path, err
})

// smallEncoder opens EfficientNet-Lite0 with its real weights.
func smallEncoder(t *testing.T) *Encoder {
	t.Helper()
	backend := xlatest.OpenForTest(t)
	path, err := openSmall()
	if err != nil {
		t.Fatal(err)
	}
	e, err := Open(backend, "efficientnet-lite0", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Finalize)
	return e
}

// withBad is a dataset whose pictures of some ids cannot be read.
type withBad struct {
	datasets.Dataset
	bad map[string]string // content by id
}

func (d withBad) OpenImage(id string) (io.ReadCloser, error) {
	content, ok := d.bad[id]
	switch {
	case !ok:
		return d.Dataset.OpenImage(id)
	case content == "":
		return nil, errors.New("the file is gone")
	}
	return io.NopCloser(strings.NewReader(content)), nil
}

// somePictures are 40 drawn pictures, of which the ids bad1 and bad2 cannot be read.
func somePictures(t *testing.T) (ds datasets.Dataset, bad1, bad2 string) {
	t.Helper()
	drawn, err := shapes.Open(shapes.WithSize(30, 5, 5), shapes.WithImageSize(64))
	if err != nil {
		t.Fatal(err)
	}
	bad1, bad2 = drawn.Examples(datasets.Train)[3].ID, drawn.Examples(datasets.Test)[0].ID
	return withBad{drawn, map[string]string{bad1: "no picture at all", bad2: ""}}, bad1, bad2
}

var eightAShard = FeatureOptions{ShardSize: 8}

func buildAll(t *testing.T, e *Encoder, folder string) *Features {
	t.Helper()
	ds, _, _ := somePictures(t)
	f, err := BuildFeatures(context.Background(), ds, "print", e, folder, eightAShard)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// wantSameFolder compares all files of two feature folders.
func wantSameFolder(t *testing.T, want, got string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(want, "*"))
	if err != nil || len(files) != 6 { // five shards and the manifest
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		a, err1 := os.ReadFile(file)
		b, err2 := os.ReadFile(filepath.Join(got, filepath.Base(file)))
		if err1 != nil || err2 != nil || string(a) != string(b) {
			t.Errorf("%s differs (%v, %v)", filepath.Base(file), err1, err2)
		}
	}
	if all, _ := filepath.Glob(filepath.Join(got, "*")); len(all) != len(files) {
		t.Errorf("files %v were left behind", all)
	}
}

func TestFeaturesAreBuiltResumedAndRepaired(t *testing.T) {
	e, whole := smallEncoder(t), t.TempDir()
	ds, bad1, bad2 := somePictures(t)
	var last Progress
	f, err := BuildFeatures(context.Background(), ds, "print", e, whole, FeatureOptions{ShardSize: 8, Progress: func(p Progress) {
		if p.Done < last.Done || p.Done > p.Total {
			t.Errorf("progress went from %+v to %+v", last, p)
		}
		last = p
	}})
	if err != nil {
		t.Fatal(err)
	}
	if last.Done != 40 || last.Total != 40 || last.Skipped != 2 || f.Len() != 38 || f.Dim() != 1280 {
		t.Errorf("%+v, %d features of %d numbers", last, f.Len(), f.Dim())
	}
	reasons := make(map[string]string)
	for _, s := range f.Manifest.Skipped {
		reasons[s.ID] = s.Reason
	}
	if len(reasons) != 2 || reasons[bad1] == "" || !strings.Contains(reasons[bad2], "the file is gone") {
		t.Errorf("skipped %v", reasons)
	}
	for _, id := range []string{bad1, bad2, "nosuch"} {
		if _, ok := f.Row(id); ok {
			t.Errorf("picture %s has features", id)
		}
	}

	t.Run("stopped and started again", func(t *testing.T) {
		folder := t.TempDir()
		for _, stopAt := range []int{1, 12, 5} {
			ctx, stop := context.WithCancel(context.Background())
			_, err := BuildFeatures(ctx, ds, "print", e, folder, FeatureOptions{ShardSize: 8, Progress: func(p Progress) {
				if p.Done >= stopAt {
					stop()
				}
			}})
			stop()
			if err == nil || !errors.Is(err, context.Canceled) {
				t.Fatalf("error %v, want one of a stop", err)
			}
			if _, err := OpenFeatures(folder); err == nil {
				t.Fatal("an incomplete folder was opened")
			}
		}
		buildAll(t, e, folder)
		wantSameFolder(t, whole, folder)
	})
	shard := filepath.Join("shard-0002.safetensors")
	for name, damage := range map[string]func(dir string) error{
		"a shard cut in half": func(dir string) error { return os.Truncate(filepath.Join(dir, shard), 100) },
		"a shard is gone":     func(dir string) error { return os.Remove(filepath.Join(dir, shard)) },
		"a flipped byte": func(dir string) error {
			data, err := os.ReadFile(filepath.Join(dir, shard))
			if err != nil {
				return err
			}
			data[len(data)-7] ^= 1
			return os.WriteFile(filepath.Join(dir, shard), data, 0o644)
		},
		"the manifest cut in half": func(dir string) error { return os.Truncate(filepath.Join(dir, manifestFile), 300) },
		"no manifest":              func(dir string) error { return os.Remove(filepath.Join(dir, manifestFile)) },
		"half a file of a crash": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, manifestFile+".tmp-1"), []byte("{"), 0o644)
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			if err := os.CopyFS(folder, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			if err := damage(folder); err != nil {
				t.Fatal(err)
			}
			if _, err := OpenFeatures(folder); err == nil && name != "half a file of a crash" {
				t.Error("the damaged folder was opened")
			}
			buildAll(t, e, folder)
			os.Remove(filepath.Join(folder, manifestFile+".tmp-1"))
			wantSameFolder(t, whole, folder)
		})
	}
	t.Run("of another dataset or encoder", func(t *testing.T) {
		for _, change := range []func(*Manifest){
			func(m *Manifest) { m.Fingerprint = "another" }, func(m *Manifest) { m.Encoder.WeightsSHA256 = "another" }, func(m *Manifest) { m.Format = 9 }} {
			folder := t.TempDir()
			m := f.Manifest
			change(&m)
			data, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, manifestFile), data, 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := BuildFeatures(context.Background(), ds, "print", e, folder, eightAShard); err == nil || !strings.Contains(err.Error(), folder) {
				t.Errorf("error %v, want one that names the folder", err)
			}
		}
	})
	t.Run("nowhere to write", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := BuildFeatures(context.Background(), ds, "print", e, filepath.Join(file, "features"), eightAShard); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("error %v, want one that names %s", err, file)
		}
	})
	t.Run("two at once", func(t *testing.T) {
		folder := t.TempDir()
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { BuildFeatures(context.Background(), ds, "print", e, folder, eightAShard) })
		}
		wg.Wait()
		buildAll(t, e, folder)
		wantSameFolder(t, whole, folder)
	})
}

func TestFoldersDiffer(t *testing.T) {
	id := Identity{Name: "n", WeightsSHA256: "w", Preprocessing: "p", FeatureDim: 5}
	seen := map[string]bool{FeatureFolder("root", "d", "f", id): true}
	for i, folder := range []string{
		FeatureFolder("root", "d", "g", id), FeatureFolder("root", "d", "f", Identity{"m", "w", "p", 5}),
		FeatureFolder("root", "d", "f", Identity{"n", "x", "p", 5}), FeatureFolder("root", "d", "f", Identity{"n", "w", "q", 5}),
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

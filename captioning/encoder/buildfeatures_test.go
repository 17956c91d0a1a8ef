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
	"sync/atomic"
	"testing"

	"captionlab/datasets"
	"captionlab/datasets/shapes"
)

// testImages is a dataset that counts how often it opens an image, and whose images of some ids cannot be read.
type testImages struct {
	datasets.Dataset
	bad    map[string]string // content by id; empty for a file that is gone
	opened *atomic.Int64
}

func (d testImages) OpenImage(id string) (io.ReadCloser, error) {
	d.opened.Add(1)
	content, ok := d.bad[id]
	switch {
	case !ok:
		return d.Dataset.OpenImage(id)
	case content == "":
		return nil, errors.New("the file is gone")
	}
	return io.NopCloser(strings.NewReader(content)), nil
}

// fortyImages returns 40 drawn images, of which the ids bad1 and bad2 cannot be read.
func fortyImages(t *testing.T) (ds testImages, bad1, bad2 string) {
	t.Helper()
	drawn, err := shapes.Open(shapes.WithSize(30, 5, 5), shapes.WithImageSize(64))
	if err != nil {
		t.Fatal(err)
	}
	bad1, bad2 = drawn.Examples(datasets.Train)[3].ID, drawn.Examples(datasets.Test)[0].ID
	return testImages{drawn, map[string]string{bad1: "not an image", bad2: ""}, new(atomic.Int64)}, bad1, bad2
}

// eightAShard makes five shards of forty images.
var eightAShard = FeatureOptions{Fingerprint: "print", ShardSize: 8}

func buildAll(t *testing.T, e *Encoder, folder string) *Features {
	t.Helper()
	ds, _, _ := fortyImages(t)
	f, err := Build(context.Background(), e, ds, folder, eightAShard)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// wantSameFolder compares all files of two feature folders.
func wantSameFolder(t *testing.T, want, got string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(want, "*"))
	if err != nil || len(files) != 7 { // five shards, the manifest and the lock
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
		t.Errorf("the folder holds %v, want %d files", all, len(files))
	}
}

// wantSameFeatures compares all rows of features, in memory.
func wantSameFeatures(t *testing.T, want, got *Features) {
	t.Helper()
	if want.Len() != got.Len() {
		t.Fatalf("%d features, want %d", got.Len(), want.Len())
	}
	for id, row := range want.rows {
		if other, ok := got.Row(id); !ok || fmt.Sprint(other) != fmt.Sprint(row) {
			t.Errorf("image %s has features %v, want %v", id, other, row)
		}
	}
}

func TestBuild(t *testing.T) {
	e, folder := open(t, meanColour(), ""), t.TempDir()
	ds, bad1, bad2 := fortyImages(t)
	var last Progress
	o := eightAShard
	o.Progress = func(p Progress) {
		if p.Done < last.Done || p.Done > p.Total || p.Rate <= 0 || p.Elapsed <= 0 {
			t.Errorf("progress went from %+v to %+v", last, p)
		}
		last = p
	}
	f, err := Build(context.Background(), e, ds, folder, o)
	if err != nil {
		t.Fatal(err)
	}
	if last.Done != 40 || last.Total != 40 || last.Skipped != 2 || last.Remaining != 0 || f.Len() != 38 ||
		f.Dim() != 3 {
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
			t.Errorf("image %s has features", id)
		}
	}
	for name, open := range map[string]func(string) (*Features, error){
		"opened": OpenFeatures, "opened and verified": OpenFeaturesVerified,
	} {
		t.Run(name, func(t *testing.T) {
			again, err := open(folder)
			if err != nil {
				t.Fatal(err)
			}
			wantSameFeatures(t, f, again)
			if a, b := fmt.Sprint(f.Manifest), fmt.Sprint(again.Manifest); a != b {
				t.Errorf("manifest %s, want %s", b, a)
			}
		})
	}
	t.Run("built again", func(t *testing.T) {
		before := ds.opened.Load()
		again, err := Build(context.Background(), e, ds, folder, eightAShard)
		if err != nil {
			t.Fatal(err)
		}
		wantSameFeatures(t, f, again)
		if n := ds.opened.Load() - before; n != 0 {
			t.Errorf("%d images were opened again", n)
		}
	})
}

func TestBuildResumes(t *testing.T) {
	e, whole, folder := open(t, meanColour(), ""), t.TempDir(), t.TempDir()
	want := buildAll(t, e, whole)
	ds, _, _ := fortyImages(t)
	for _, stopAt := range []int{1, 12, 5} {
		ctx, stop := context.WithCancel(context.Background())
		o := eightAShard
		o.Progress = func(p Progress) {
			if p.Done >= stopAt {
				stop()
			}
		}
		_, err := Build(ctx, e, ds, folder, o)
		stop()
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v, want %v", err, context.Canceled)
		}
		if _, err := OpenFeatures(folder); err == nil {
			t.Fatal("an incomplete folder was opened")
		}
	}
	wantSameFeatures(t, want, buildAll(t, e, folder))
	wantSameFolder(t, whole, folder)
}

// TestBuildRepairs damages folders. OpenFeatures must refuse them and Build repair them.
func TestBuildRepairs(t *testing.T) {
	e, whole := open(t, meanColour(), ""), t.TempDir()
	want := buildAll(t, e, whole)
	const shard, leftOver = "shard-0002.safetensors", "a temporary file of a crash"
	for name, damage := range map[string]func(dir string) error{
		"a shard cut in half": func(dir string) error { return os.Truncate(filepath.Join(dir, shard), 100) },
		"a missing shard":     func(dir string) error { return os.Remove(filepath.Join(dir, shard)) },
		"a flipped byte": func(dir string) error {
			data, err := os.ReadFile(filepath.Join(dir, shard))
			if err != nil {
				return err
			}
			data[len(data)-7] ^= 1
			return os.WriteFile(filepath.Join(dir, shard), data, 0o644)
		},
		"the manifest cut": func(dir string) error { return os.Truncate(filepath.Join(dir, manifestFile), 300) },
		"no manifest":      func(dir string) error { return os.Remove(filepath.Join(dir, manifestFile)) },
		leftOver: func(dir string) error {
			return os.WriteFile(filepath.Join(dir, manifestFile+".partial-1"), []byte("{"), 0o644)
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
			if _, err := OpenFeatures(folder); (err == nil) != (name == leftOver) {
				t.Errorf("opening gives %v", err)
			}
			wantSameFeatures(t, want, buildAll(t, e, folder))
			wantSameFolder(t, whole, folder)
		})
	}
}

func TestBuildRefusesOtherFolders(t *testing.T) {
	e := open(t, meanColour(), "")
	ds, _, _ := fortyImages(t)
	f := buildAll(t, e, t.TempDir())
	for name, change := range map[string]func(*Manifest){
		"dataset": func(m *Manifest) { m.Fingerprint = "another" },
		"encoder": func(m *Manifest) { m.Encoder.WeightsSHA256 = "another" },
		"format":  func(m *Manifest) { m.Format = 9 },
	} {
		folder, m := t.TempDir(), f.Manifest
		change(&m)
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, manifestFile), data, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err = Build(context.Background(), e, ds, folder, eightAShard)
		if err == nil || !strings.Contains(err.Error(), folder) {
			t.Errorf("another %s: error %v, want one that names the folder", name, err)
		}
	}

	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(file, "features")
	_, err := Build(context.Background(), e, ds, folder, eightAShard)
	if err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("nowhere to write: error %v, want one that names %s", err, file)
	}
}

// TestTwoBuilds: while one build works, a second one of the same features waits, and then reads what the first has
// written. A third one stops waiting when its context ends.
func TestTwoBuilds(t *testing.T) {
	e, whole, folder := open(t, meanColour(), ""), t.TempDir(), t.TempDir()
	want := buildAll(t, e, whole)
	ds, _, _ := fortyImages(t)
	waiting := make(chan string, 1)
	second := eightAShard
	second.Warn = func(s string) { waiting <- s }
	type result struct {
		features *Features
		err      error
	}
	done := make(chan result)
	first := eightAShard
	first.Progress = func(p Progress) {
		if p.Done < 12 || p.Done >= 14 {
			return
		}
		go func() {
			f, err := Build(context.Background(), e, ds, folder, second)
			done <- result{f, err}
		}()
		if message := <-waiting; !strings.Contains(message, folder) {
			t.Errorf("message %q does not name the folder", message)
		}
		ctx, stop := context.WithCancel(context.Background())
		third := eightAShard
		third.Warn = func(string) { stop() }
		if _, err := Build(ctx, e, ds, folder, third); !errors.Is(err, context.Canceled) {
			t.Errorf("waiting ended with %v, want %v", err, context.Canceled)
		}
		stop()
	}
	f, err := Build(context.Background(), e, ds, folder, first)
	if err != nil {
		t.Fatal(err)
	}
	r := <-done
	if r.err != nil {
		t.Fatal(r.err)
	}
	wantSameFeatures(t, want, f)
	wantSameFeatures(t, want, r.features)
	wantSameFolder(t, whole, folder)
	if n := ds.opened.Load(); n != 40 {
		t.Errorf("%d images were opened, want 40", n)
	}
}

// A last batch that is full is reported once, not again as an empty one.
func TestProgressIsReportedOnceForEachBatch(t *testing.T) {
	e := open(t, meanColour(), "")
	ds, err := shapes.Open(shapes.WithSize(2*e.Spec().BatchSize, 1, 1))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, ex := range ds.Examples(datasets.Train) {
		ids = append(ids, ex.ID)
	}
	calls := 0
	_, _, err = e.EncodeImages(context.Background(), ids, ds.OpenImage, 0, func(encoded, unreadable int) {
		if calls++; encoded == 0 && unreadable == 0 {
			t.Error("a call without images")
		}
	})
	if err != nil || calls != 2 {
		t.Errorf("%d calls, want 2; error %v", calls, err)
	}
}

package encoder

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"captionlab/captioning/internal/shard"
	"captionlab/captioning/xla/xlatest"
	"captionlab/datasets"
)

// shardAll publishes all parts of ds in dir.
func shardAll(t *testing.T, e *Encoder, ds datasets.Dataset, dir string, count int) *shard.Folder {
	t.Helper()
	o := eightAShard
	o.Places = e.Spec().GridPlaces()
	f, err := shard.Begin(dir, FeatureWork(ds, e.Identity(), count, o))
	if err != nil {
		t.Fatal(err)
	}
	for i := range count {
		task := shard.Task{Folder: f, Part: shard.Part{Index: i, Count: count}}
		if _, err := BuildShard(context.Background(), e, ds, task, eightAShard); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// Merged shards are the files that a single process writes, the bad images included.
func TestMergeFeatures(t *testing.T) {
	for count, spec := range map[int]Spec{1: meanColour(), 3: meanColour(), 12: meanColour(), 5: quarterColours(t)} {
		whole, merged := t.TempDir(), t.TempDir()
		buildAll(t, open(t, spec, ""), whole)
		ds, _, _ := fortyImages(t)
		f := shardAll(t, open(t, spec, ""), ds, t.TempDir(), count)
		images, bad, err := MergeFeatures(context.Background(), f, merged, eightAShard)
		if err != nil || images != 38 || bad != 2 {
			t.Fatalf("%d images, %d bad, %v", images, bad, err)
		}
		wantSameFolder(t, whole, merged)
	}
}

// The real network gives an image the same bits in every batch, also in a shard that is smaller than a batch.
func TestMergedFeaturesOfTheRealEncoder(t *testing.T) {
	path := lite0Weights(t)
	openReal := func() *Encoder {
		e, err := Open(xlatest.OpenForTest(t), "efficientnet-lite0", path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(e.Finalize)
		return e
	}
	whole, merged := t.TempDir(), t.TempDir()
	buildAll(t, openReal(), whole)
	ds, _, _ := fortyImages(t)
	f := shardAll(t, openReal(), ds, t.TempDir(), 12)
	if _, _, err := MergeFeatures(context.Background(), f, merged, eightAShard); err != nil {
		t.Fatal(err)
	}
	wantSameFolder(t, whole, merged)
}

func TestMergeFeaturesRefuses(t *testing.T) {
	e := open(t, meanColour(), "")
	ds, _, _ := fortyImages(t)
	dir := t.TempDir()
	f := shardAll(t, e, ds, dir, 3)
	if err := os.Remove(filepath.Join(dir, "shard-00001-of-00003.safetensors")); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if _, _, err := MergeFeatures(context.Background(), f, folder, eightAShard); err == nil ||
		!strings.Contains(err.Error(), "1 of 3 shards are missing") {
		t.Errorf("with a missing shard: %v", err)
	}
	if left, _ := os.ReadDir(folder); len(left) > 0 {
		t.Errorf("a refused merge left %v", left)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	task := shard.Task{Folder: f, Part: shard.Part{Index: 1, Count: 3}}
	if _, err := BuildShard(ctx, e, ds, task, eightAShard); err == nil ||
		!strings.Contains(err.Error(), "was stopped") {
		t.Errorf("with a cancelled context: %v", err)
	}
	f.Plan.Kind = shard.Captions
	if _, _, err := MergeFeatures(context.Background(), f, folder, eightAShard); err == nil ||
		!strings.Contains(err.Error(), "captions, not features") {
		t.Errorf("with shards of captions: %v", err)
	}
}

//go:build long && linux

package encoder

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"captionlab/captioning/internal/shard"
	"captionlab/captioning/safetensors"
)

// A plan of ten million images is written, its shards are published, and they are merged, in bounded memory.
// There are no pixels: an image's features are four numbers from its name.
func TestLongTenMillionNames(t *testing.T) {
	const (
		images     = 10_000_000
		shards     = 1000
		dim        = 4
		mostMemory = 2_000_000 // KiB
		perFile    = 1 << 16   // images in a merged file: 20,000 files of 512 would be slow to open
	)
	names := func() iter.Seq[string] {
		return func(yield func(string) bool) {
			for i := range images {
				if !yield(fmt.Sprintf("%05d/%09d.jpg", i/10_000, i)) {
					return
				}
			}
		}
	}
	dir, folder := t.TempDir(), t.TempDir()
	resetPeak(t)
	began := time.Now()
	f, err := shard.Begin(dir, shard.Work{Kind: shard.Features, Inputs: "names", Shards: shards, IDs: names(),
		Settings: map[string]string{datasetKey: "names", encoderKey: "number", featureDimKey: strconv.Itoa(dim),
			maxPixelsKey: "0", placesKey: "0", weightsKey: "", preprocessingKey: ""}})
	must(t, err)
	planned := time.Since(began)
	rows := make([][]float32, shards)
	i := 0
	for name := range names() {
		s := shard.Of(name, shards)
		rows[s] = append(rows[s], float32(i>>12), float32(i&4095), 0, 1)
		i++
	}
	for s := range rows {
		n := len(rows[s]) / dim
		_, err := f.Publish(shard.Part{Index: s, Count: shards}, ".safetensors", shard.Result{Images: n,
			Bad: []shard.Bad{}, Started: time.Now(), Write: func(path string) error {
				tensor := safetensors.FromFloat32([]int{n, dim}, rows[s])
				return safetensors.Write(path, map[string]safetensors.Tensor{"features": tensor}, nil)
			}})
		must(t, err)
		rows[s] = nil
	}
	published := time.Since(began)
	merged, bad, err := MergeFeatures(context.Background(), f, folder, FeatureOptions{ShardSize: perFile})
	must(t, err)
	all, peak := time.Since(began), peakMemory(t)
	t.Logf("%d names in %d shards: planned in %.1f s, published in %.1f s, merged in %.1f s; %.1f s and at "+
		"most %d MiB in all", images, shards, planned.Seconds(), (published - planned).Seconds(),
		(all - published).Seconds(), all.Seconds(), peak>>10)
	if merged != images || bad != 0 || peak > mostMemory {
		t.Errorf("%d images, %d bad, %d KiB; want %d, 0 and at most %d KiB", merged, bad, peak, images, mostMemory)
	}
	last := filepath.Join(folder, shardName((images-1)/perFile))
	tensors, _, err := safetensors.Read(last)
	must(t, err)
	got, err := tensors["features"].Float32()
	must(t, err)
	if end := got[len(got)-dim:]; end[0] != (images-1)>>12 || end[1] != (images-1)&4095 {
		t.Errorf("the last image has the features %v", end)
	}
	began = time.Now()
	features, err := OpenFeatures(folder)
	must(t, err)
	t.Logf("opened %d features in %.1f s; at most %d MiB", features.Len(), time.Since(began).Seconds(),
		peakMemory(t)>>10)
}

// resetPeak forgets the largest memory of this process.
func resetPeak(t *testing.T) {
	t.Helper()
	must(t, os.WriteFile("/proc/self/clear_refs", []byte("5"), 0))
}

// peakMemory is the largest memory of this process since resetPeak, in KiB.
func peakMemory(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	must(t, err)
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	must(t, err)
	return kib
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

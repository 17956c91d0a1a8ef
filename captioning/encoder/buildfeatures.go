package encoder

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"captionlab/captioning/internal/atomicfile"
	"captionlab/captioning/internal/pace"
	"captionlab/datasets"
)

// Progress reports how far Build is.
type Progress struct {
	Done, Total, Skipped int
	Rate                 float64       // images a second, since the start of this call
	Elapsed, Remaining   time.Duration // Remaining is an estimate from Rate; 0 while Rate is unknown
}

// FeatureOptions change how Build works. Only Fingerprint is required.
type FeatureOptions struct {
	Fingerprint string         // of the dataset, see datasets.Fingerprint
	Places      int            // of the grids, for FeatureWork; 0 without grids
	Progress    func(Progress) // called after every batch; may be nil
	Warn        func(string)   // called if another process builds the same features; may be nil
	ShardSize   int            // images in a shard; 0 means 512, or 64 with grids
	Workers     int            // goroutines that decode images; 0 means 2 for each device
	// MaxPixels is the size of the largest image that is encoded; 0 means the constant MaxPixels. Larger images are
	// skipped. If it is larger than when images were skipped, Build tries them again.
	MaxPixels int
}

// decoders is the number of goroutines that decode images for e.
func (o FeatureOptions) decoders(e *Encoder) int {
	if o.Workers > 0 {
		return o.Workers
	}
	return 2 * (1 + len(e.others))
}

// shardSize is the number of images in a shard, unless another one is chosen.
func shardSize(grids bool) int {
	if grids {
		return 64
	}
	return 512
}

// shardName is the name of the shard at index in a feature folder.
func shardName(index int) string { return fmt.Sprintf("shard-%04d.safetensors", index) }

// lockFile is the name of the lock in a feature folder that a process is building.
const lockFile = ".lock"

// Build encodes every image of ds, all splits, into folder, and returns the features, with grids if e computes them
// (see Spec.WithGrids). Existing shards with the right checksum are kept; a damaged one is computed again. The manifest
// lists every image that cannot be read, with the reason. If ctx is cancelled, a later call resumes. If another process
// is building in the folder, Build waits for it, then takes what it has finished.
func Build(ctx context.Context, e *Encoder, ds datasets.Dataset, folder string, o FeatureOptions) (*Features, error) {
	if o.ShardSize <= 0 {
		o.ShardSize = shardSize(e.spec.grids)
	}
	unlock, err := lockFolder(ctx, folder, o.Warn)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var ids []string
	for _, split := range datasets.Splits {
		for _, ex := range ds.Examples(split) {
			ids = append(ids, ex.ID)
		}
	}
	fresh := Manifest{Format: 1, Encoder: e.identity, Dataset: ds.Name(), Fingerprint: o.Fingerprint}
	fresh.Places = e.spec.GridPlaces()
	manifest, kept, err := resume(folder, fresh)
	if err != nil {
		return nil, err
	}
	manifest.setLimit(o.MaxPixels)
	b := &featureBuild{e: e, ds: ds, folder: folder, manifest: manifest,
		decoding: EncodeOptions{Images: ImageOptions{MaxPixels: o.MaxPixels}, Workers: o.decoders(e)},
		features: newFeatures(fresh),
		report:   &reporter{total: len(ids), pace: pace.New(), hook: o.Progress}}
	for shard, part := range slices.Collect(slices.Chunk(ids, o.ShardSize)) {
		if manifest.covers(shard, part) {
			b.features.add(manifest.Shards[shard].IDs, kept[shard])
			b.report.total -= len(part)
			continue
		}
		manifest.cutTo(shard, part)
		if err := b.shard(ctx, shard, part); err != nil {
			return nil, err
		}
	}
	manifest.Complete = true
	if err := manifest.write(folder); err != nil {
		return nil, err
	}
	b.features.Manifest = *manifest
	return b.features, nil
}

// lockFolder creates folder and locks it. It waits while another process holds the lock, and calls warn once if it
// has to.
func lockFolder(ctx context.Context, folder string, warn func(string)) (unlock func(), err error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("features: %w", err)
	}
	lock := flock.New(filepath.Join(folder, lockFile))
	locked, err := lock.TryLock()
	if err == nil && !locked {
		if warn != nil {
			warn(fmt.Sprintf("features: waiting for another process that is building %s", folder))
		}
		_, err = lock.TryLockContext(ctx, 100*time.Millisecond)
	}
	if err != nil {
		return nil, fmt.Errorf("features: %s was not locked: %w", folder, err)
	}
	return func() { lock.Unlock() }, nil
}

// resume returns the manifest in folder up to its first missing or damaged shard, and the features of its shards. It
// returns fresh if the folder has no manifest. The folder must be locked.
func resume(folder string, fresh Manifest) (m *Manifest, kept []*shardRows, err error) {
	if err := atomicfile.Clean(folder); err != nil {
		return nil, nil, fmt.Errorf("features: %w", err)
	}
	m, err = readManifest(folder)
	if err != nil {
		return &fresh, nil, nil // without a whole manifest no shard can be trusted
	}
	if m.Format != fresh.Format || m.Encoder != fresh.Encoder || m.Fingerprint != fresh.Fingerprint ||
		m.Places != fresh.Places {
		return nil, nil, fmt.Errorf("features: %s holds features of dataset %s from encoder %s: "+
			"choose another folder or remove it", folder, m.Dataset, m.Encoder.Name)
	}
	for i, shard := range m.Shards {
		rows, err := m.readShard(folder, shard, true)
		if err != nil {
			m.Shards = m.Shards[:i]
			break
		}
		kept = append(kept, rows)
	}
	return m, kept, nil
}

// featureBuild is a call of Build.
type featureBuild struct {
	e        *Encoder
	ds       datasets.Dataset
	folder   string
	decoding EncodeOptions
	manifest *Manifest
	features *Features
	report   *reporter
}

// shard encodes the images called ids as the shard at index, and adds it to the manifest.
func (b *featureBuild) shard(ctx context.Context, index int, ids []string) error {
	decoding := b.decoding
	decoding.Progress = b.report.add
	rows, problems, err := b.e.EncodeImagesWith(ctx, ids, b.ds.OpenImage, decoding)
	if ctx.Err() != nil {
		return fmt.Errorf("features: stopped after %d complete shards: %w; build the features again to resume",
			index, ctx.Err())
	}
	if err != nil {
		return err
	}
	var good []row
	var kept []string
	for i, id := range ids {
		if problems[i] != nil {
			b.manifest.Skipped = append(b.manifest.Skipped, Skipped{id, problems[i].Error()})
			continue
		}
		kept, good = append(kept, id), append(good, b.manifest.rowOf(rows[i]))
	}
	shard, err := b.manifest.writeShard(b.folder, shardName(index), kept, good)
	if err != nil {
		return err
	}
	b.manifest.Shards = append(b.manifest.Shards, shard)
	mapped, err := b.manifest.mapShard(filepath.Join(b.folder, shard.File), len(kept))
	if err != nil {
		return err
	}
	b.features.add(kept, mapped)
	return b.manifest.write(b.folder)
}

// reporter turns counts into Progress.
type reporter struct {
	total, done, skipped int
	pace                 pace.Pace
	hook                 func(Progress)
}

// add counts images that were encoded, and others that could not be read.
func (r *reporter) add(encoded, unreadable int) {
	r.done, r.skipped = r.done+encoded, r.skipped+unreadable
	if r.hook == nil {
		return
	}
	p := Progress{Done: r.done + r.skipped, Total: r.total, Skipped: r.skipped, Elapsed: r.pace.Elapsed()}
	p.Rate, p.Remaining = r.pace.At(float64(p.Done), float64(p.Total-p.Done))
	r.hook(p)
}

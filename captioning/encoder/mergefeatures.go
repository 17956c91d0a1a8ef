package encoder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"captionlab/captioning/internal/atomicfile"
	"captionlab/captioning/internal/shard"
)

// planIdentity reads what FeatureWork wrote into a plan.
func planIdentity(p *shard.Plan) (m Manifest, err error) {
	if p.Kind != shard.Features {
		return m, fmt.Errorf("features: the shards contain %s, not features", p.Kind)
	}
	dim, err1 := strconv.Atoi(p.Settings[featureDimKey])
	pixels, err2 := strconv.Atoi(p.Settings[maxPixelsKey])
	places, err3 := strconv.Atoi(p.Settings[placesKey])
	if err := errors.Join(err1, err2, err3); err != nil || dim < 1 || places < 0 {
		return m, fmt.Errorf("features: the plan has %s %q, %s %q and %s %q, want numbers", featureDimKey,
			p.Settings[featureDimKey], maxPixelsKey, p.Settings[maxPixelsKey], placesKey, p.Settings[placesKey])
	}
	return Manifest{Format: 1, Dataset: p.Settings[datasetKey], Fingerprint: p.Inputs, MaxPixels: pixels,
		Places:  places,
		Encoder: Identity{p.Settings[encoderKey], p.Settings[weightsKey], p.Settings[preprocessingKey], dim}}, nil
}

// PlannedFolder returns the folder below root in which Build would store the features of a plan.
func PlannedFolder(root string, p *shard.Plan) (string, error) {
	m, err := planIdentity(p)
	if err != nil {
		return "", err
	}
	if m.Places > 0 {
		return GridFolder(root, m.Dataset, m.Fingerprint, m.Encoder), nil
	}
	return FeatureFolder(root, m.Dataset, m.Fingerprint, m.Encoder), nil
}

// MergeFeatures writes the features of all shards of f into folder, as the same files that Build writes there in a
// single process, and returns the number of images with features and of images without. The manifest appears last. It
// needs neither the images nor the encoder, and its memory does not grow with the number of images. Of the options it
// uses ShardSize and Warn. It fails if shards are missing or damaged, naming them.
func MergeFeatures(ctx context.Context, f *shard.Folder, folder string, o FeatureOptions) (images, bad int, err error) {
	m, err := planIdentity(&f.Plan)
	if err != nil {
		return 0, 0, err
	}
	records, err := f.Records()
	if err != nil {
		return 0, 0, err
	}
	merge := &featureMerge{size: cmp.Or(o.ShardSize, shardSize(m.Places > 0)), folder: folder}
	for _, r := range records {
		rows, err := m.mapShard(f.File(r), r.Images)
		if err != nil {
			return 0, 0, err
		}
		merge.rows = append(merge.rows, rows)
		images, bad = images+r.Images, bad+len(r.Bad)
	}
	unlock, err := lockFolder(ctx, folder, o.Warn)
	if err != nil {
		return 0, 0, err
	}
	defer unlock()
	if err := atomicfile.Clean(folder); err != nil {
		return 0, 0, fmt.Errorf("features: %w", err)
	}
	m.Complete = true
	return images, bad, m.writeWith(folder, func(m *Manifest) iter.Seq2[Shard, error] {
		return merge.shards(ctx, m, f.Merged(records))
	})
}

// featureMerge rewrites shards of images by hash as shards of images in order.
type featureMerge struct {
	rows   []*shardRows // of each shard
	size   int          // images in a written shard, with those without features
	folder string
}

// shards writes the shards and yields them. It adds images without features to m.
func (f *featureMerge) shards(ctx context.Context, m *Manifest,
	images iter.Seq2[shard.Entry, error]) iter.Seq2[Shard, error] {
	return func(yield func(Shard, error) bool) {
		var ids []string
		var rows []row
		seen, index := 0, 0
		flush := func() bool {
			s, err := m.writeShard(f.folder, shardName(index), ids, rows)
			ids, rows, seen = nil, rows[:0], 0
			index++
			return yield(s, err) && err == nil
		}
		for e, err := range images {
			if err := errors.Join(err, ctx.Err()); err != nil {
				yield(Shard{}, err)
				return
			}
			if seen++; e.Row < 0 {
				m.Skipped = append(m.Skipped, Skipped{e.ID, e.Reason})
			} else {
				ids = append(ids, e.ID)
				rows = append(rows, f.rows[e.Shard].row(e.Row))
			}
			if seen == f.size && !flush() {
				return
			}
		}
		if seen > 0 {
			flush()
		}
	}
}

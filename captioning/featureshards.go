package captioning

import (
	"context"

	"captionlab/captioning/encoder"
	"captionlab/captioning/internal/cache"
	"captionlab/captioning/internal/shard"
)

// PlanFeatures returns the shard folder dir for the features of d, with or without grids, in the given number of
// shards. The first call writes its plan; later ones, in this or another process, fail if theirs would differ, naming
// what.
func (d *Data) PlanFeatures(dir string, shards int, grids bool) (*shard.Folder, error) {
	if d.whole != nil {
		return d.whole.PlanFeatures(dir, shards, grids)
	}
	_, spec, err := d.kind(grids)
	if err != nil {
		return nil, err
	}
	return shard.Begin(dir, encoder.FeatureWork(d.Dataset, d.identity, shards, d.featureOptions(spec)))
}

// ShardFeatures publishes one part of the features of d in the shard folder dir; see PlanFeatures. It opens no image
// and no encoder if the part is published, and then reports that it is not new. Merge the parts with MergeFeatures.
func (d *Data) ShardFeatures(ctx context.Context, dir string, part shard.Part, grids bool) (_ *shard.Record,
	isNew bool, err error) {
	if d.whole != nil {
		return d.whole.ShardFeatures(ctx, dir, part, grids)
	}
	f, err := d.PlanFeatures(dir, part.Count, grids)
	if err != nil {
		return nil, false, err
	}
	if r, err := f.Published(part); r != nil || err != nil {
		return r, false, err
	}
	s, spec, err := d.kind(grids)
	if err != nil {
		return nil, false, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.openEncoder(s, spec); err != nil {
		return nil, false, err
	}
	task := shard.Task{Folder: f, Part: part}
	r, err := encoder.BuildShard(ctx, s.encoder, d.Dataset, task, d.featureOptions(spec))
	return r, true, err
}

// MergeFeatures writes the features of all parts of a shard folder to the folder in which Data.Features looks for them,
// and returns that folder, the number of images with features and of images without. It needs neither the images nor
// the encoder. Of the options it uses ShardSize and Warn. It fails if parts are missing or damaged, naming them.
func MergeFeatures(ctx context.Context, f *shard.Folder, o encoder.FeatureOptions) (folder string, images, bad int,
	err error) {
	root, err := cache.Features()
	if err != nil {
		return "", 0, 0, err
	}
	if folder, err = encoder.PlannedFolder(root, &f.Plan); err != nil {
		return "", 0, 0, err
	}
	images, bad, err = encoder.MergeFeatures(ctx, f, folder, o)
	return folder, images, bad, err
}

package encoder

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"time"

	"captionlab/captioning/internal/pace"
	"captionlab/captioning/internal/shard"
	"captionlab/captioning/safetensors"
	"captionlab/datasets"
)

// Keys of the settings of a plan of features.
const (
	datasetKey       = "dataset"
	encoderKey       = "encoder"
	weightsKey       = "weights_sha256"
	preprocessingKey = "preprocessing"
	featureDimKey    = "feature_dim"
	maxPixelsKey     = "max_pixels"
	placesKey        = "places" // of grids; 0 without
)

// FeatureWork describes the features of ds from an encoder as work for shard.Begin. Of the options it uses
// Fingerprint, MaxPixels and Places.
func FeatureWork(ds datasets.Dataset, id Identity, shards int, o FeatureOptions) shard.Work {
	var limited Manifest
	limited.setLimit(o.MaxPixels)
	return shard.Work{Kind: shard.Features, Inputs: o.Fingerprint, Shards: shards, IDs: allIDs(ds),
		Settings: map[string]string{
			datasetKey: ds.Name(), encoderKey: id.Name, weightsKey: id.WeightsSHA256,
			preprocessingKey: id.Preprocessing, featureDimKey: strconv.Itoa(id.FeatureDim),
			maxPixelsKey: strconv.Itoa(limited.MaxPixels), placesKey: strconv.Itoa(o.Places),
		}}
}

// allIDs yields the ids of all images in the order of a feature folder.
func allIDs(ds datasets.Dataset) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, split := range datasets.Splits {
			for _, ex := range ds.Examples(split) {
				if !yield(ex.ID) {
					return
				}
			}
		}
	}
}

// BuildShard encodes the images of one part of ds and publishes them. The plan of task is that of FeatureWork with the
// same arguments. The features have the same bits as those of Build, whose batches hold other images: the network
// takes the images of a batch one by one, and here as there all batches have one size. If ctx is cancelled, the shard
// has to be computed again from its beginning.
func BuildShard(ctx context.Context, e *Encoder, ds datasets.Dataset, task shard.Task, o FeatureOptions) (
	*shard.Record, error) {
	f, part, started := task.Folder, task.Part, time.Now()
	var ids []string
	for id := range allIDs(ds) {
		if part.Holds(id) {
			ids = append(ids, id)
		}
	}
	if f.Plan.Total() >= e.spec.BatchSize {
		e.whole.Store(true) // as in a single process, also if this part is smaller than a batch
	}
	report := &reporter{total: len(ids), pace: pace.New(), hook: o.Progress}
	rows, problems, err := e.EncodeImagesWith(ctx, ids, ds.OpenImage, EncodeOptions{
		Images: ImageOptions{MaxPixels: o.MaxPixels}, Workers: o.decoders(e), Progress: report.add})
	if ctx.Err() != nil {
		return nil, fmt.Errorf("features: shard %v was stopped: %w; run it again", part, ctx.Err())
	}
	if err != nil {
		return nil, err
	}
	r := shard.Result{Started: started, Bad: []shard.Bad{}}
	m, err := planIdentity(&f.Plan)
	if err != nil {
		return nil, err
	}
	var kept []row
	for i, id := range ids {
		if problems[i] != nil {
			r.Bad = append(r.Bad, shard.Bad{ID: id, Reason: problems[i].Error()})
			continue
		}
		kept = append(kept, m.rowOf(rows[i]))
	}
	r.Images = len(kept)
	r.Write = func(path string) error {
		return safetensors.Write(path, m.tensors(kept), nil)
	}
	return f.Publish(part, ".safetensors", r)
}

package captioning

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"captionlab/datasets"
)

// CheckSplits fails if a split that training or evaluation needs cannot be used: train, val and those in evaluated, or
// test if that is nil and the dataset has test images. It names the split and the image. Missing features are computed,
// but not before the captions are checked. Train calls it before the first step.
func (d *Data) CheckSplits(ctx context.Context, evaluated []datasets.Split) error {
	if err := trainable(d.Dataset); err != nil {
		return err
	}
	if evaluated == nil && len(d.Dataset.Examples(datasets.Test)) > 0 {
		evaluated = []datasets.Split{datasets.Test}
	}
	for _, split := range evaluated {
		if err := d.checkReferences(split); err != nil {
			return err
		}
	}
	needed := append([]datasets.Split{datasets.Train, datasets.Val}, evaluated...)
	for _, split := range needed {
		if len(d.Dataset.Examples(split)) == 0 {
			return fmt.Errorf("the %s split of %s has no images: training and evaluation need train, val and %v",
				split, d.Name(), needed[2:])
		}
	}
	for _, split := range needed {
		if err := d.checkImages(ctx, split); err != nil {
			return err
		}
	}
	return nil
}

// checkReferences fails unless every image of a split has a caption to compare with, and only one entry.
func (d *Data) checkReferences(split datasets.Split) error {
	seen := make(map[string]bool)
	for _, ex := range d.Dataset.Examples(split) {
		if !slices.ContainsFunc(ex.Captions, func(c string) bool { return strings.TrimSpace(c) != "" }) {
			return fmt.Errorf("image %s of the %s split of %s has no caption to evaluate against: add one, or take "+
				"the image out of the split", ex.ID, split, d.Name())
		}
		if seen[ex.ID] {
			return fmt.Errorf("image %s occurs twice in the %s split of %s: join its captions in one example",
				ex.ID, split, d.Name())
		}
		seen[ex.ID] = true
	}
	return nil
}

// checkImages fails if no image of a split could be read, or if the features of one are unknown. Those of the images to
// evaluate on must be finite; an unsound training image is noticed by the loss.
func (d *Data) checkImages(ctx context.Context, split datasets.Split) error {
	f, err := d.someFeatures(ctx)
	if err != nil {
		return err
	}
	skipped := make(map[string]string)
	for _, s := range f.Manifest.Skipped {
		skipped[s.ID] = s.Reason
	}
	read := 0
	examples := d.Dataset.Examples(split)
	for _, ex := range examples {
		row, ok := f.Row(ex.ID)
		if _, known := skipped[ex.ID]; !ok && !known {
			return fmt.Errorf("image %s of the %s split of %s has no features: those in use were computed for other "+
				"images; compute the features again", ex.ID, split, d.Name())
		}
		if !ok {
			continue
		}
		read++
		if split == datasets.Train {
			continue // do not read them all
		}
		if err := checkFeatures(row); err != nil {
			return fmt.Errorf("image %s of the %s split of %s: %w", ex.ID, split, d.Name(), err)
		}
	}
	if first := examples[0].ID; read == 0 {
		return fmt.Errorf("none of the %d images of the %s split of %s can be read; the first, %s: %s", len(examples),
			split, d.Name(), first, skipped[first])
	}
	return nil
}

// checkFeatures reports features of an image that are not finite.
func checkFeatures(row []float32) error {
	i := slices.IndexFunc(row, func(x float32) bool { return !isFinite(float64(x)) })
	if i < 0 {
		return nil
	}
	return fmt.Errorf("feature %d is %v: compute the features again", i, row[i])
}

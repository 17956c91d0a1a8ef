package captioning

import (
	"context"
	"slices"
	"strings"
	"testing"

	"captionlab/captioning/encoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/xla/xlatest"
	"captionlab/datasets"
)

// brokenData is the toy dataset with examples of one split changed and the images in skipped unreadable.
func brokenData(t *testing.T, split datasets.Split, change func([]datasets.Example) []datasets.Example,
	skipped func(id string) bool) *Data {
	t.Helper()
	data := toyData(t)
	changed := newToy()
	changed.examples[split] = change(slices.Clone(changed.examples[split]))
	data.Dataset = changed
	if skipped != nil {
		f, err := makeToyFeaturesWithout(t.TempDir(), skipped)
		must(t, err)
		data.plain.features = f
	}
	return data
}

// makeToyFeaturesWithout is makeToyFeatures with some images among those that could not be read.
func makeToyFeaturesWithout(folder string, skipped func(id string) bool) (*encoder.Features, error) {
	whole, err := makeToyFeatures(folder, "")
	if err != nil {
		return nil, err
	}
	manifest := whole.Manifest
	var ids []string
	var rows []float32
	for _, id := range manifest.Shards[0].IDs {
		if skipped(id) {
			manifest.Skipped = append(manifest.Skipped, encoder.Skipped{ID: id, Reason: "cut short"})
			continue
		}
		row, _ := whole.Row(id)
		ids, rows = append(ids, id), append(rows, row...)
	}
	return writeToyFeatures(folder, manifest, ids, rows)
}

// Splits that training or the evaluation after it cannot use are errors before the first step.
func TestBrokenSplits(t *testing.T) {
	unchanged := func(examples []datasets.Example) []datasets.Example { return examples }
	captions := func(captions ...string) func([]datasets.Example) []datasets.Example {
		return func(examples []datasets.Example) []datasets.Example {
			examples[3].Captions = captions
			return examples
		}
	}
	in := func(split string) func(id string) bool {
		return func(id string) bool { return strings.HasPrefix(id, split) }
	}
	for name, c := range map[string]struct {
		split   datasets.Split
		change  func([]datasets.Example) []datasets.Example
		skipped func(id string) bool
		want    []string
	}{
		"test without captions":    {datasets.Test, captions(), nil, []string{"test-3", "test split of toy"}},
		"test with blank captions": {datasets.Test, captions(" ", ""), nil, []string{"test-3", "no caption"}},
		"test image twice":         {datasets.Test, twice, nil, []string{"test-0 occurs twice", "test split"}},
		"test image unknown":       {datasets.Test, renamed, nil, []string{"image x of the test split", "no features"}},
		"val image unknown":        {datasets.Val, renamed, nil, []string{"image x of the val split", "no features"}},
		"no val image":             {datasets.Val, none, nil, []string{"val split of toy has no images"}},
		"test is unreadable":       {datasets.Test, unchanged, in("test"), []string{"none of the 9", "test-0: cut"}},
		"val is unreadable":        {datasets.Val, unchanged, in("val"), []string{"none of the 11", "val-0: cut"}},
	} {
		t.Run(name, func(t *testing.T) { wantBroken(t, brokenData(t, c.split, c.change, c.skipped), c.want...) })
	}
	for _, bad := range []string{"val-4", "test-2"} {
		f, err := makeToyFeatures(t.TempDir(), bad)
		must(t, err)
		wantBroken(t, toyDataWith(f), "image "+bad, "feature 0 is NaN")
	}
}

func none([]datasets.Example) []datasets.Example { return nil }
func twice(examples []datasets.Example) []datasets.Example {
	return append(examples, examples[0])
}
func renamed(examples []datasets.Example) []datasets.Example {
	examples[1].ID = "x"
	return examples
}

// wantBroken trains and reproduces on data, which must fail before the first step.
func wantBroken(t *testing.T, data *Data, wants ...string) {
	t.Helper()
	backend := xlatest.OpenForTest(t)
	progress := func(TrainProgress) { t.Error("a step was trained") }
	run := toyRun{TrainConfig{Dir: t.TempDir(), Settings: toySettings(), Progress: progress}, data}
	_, err := run.train(backend)
	wantError(t, err, wants...)
	r := Reproduction{Data: data, Results: t.TempDir(), Checkpoints: t.TempDir()}
	jobs, err := r.Plan([]experiment.Experiment{{Name: "toy", Settings: toySettings(), Seeds: 1}}, nil)
	must(t, err)
	wantError(t, r.Run(context.Background(), backend, jobs[0], RunOptions{Progress: progress}), wants...)
}

// Test images without captions are no obstacle if nothing is evaluated on them, and neither is a dataset without test
// images.
func TestTrainingThatIsNotEvaluated(t *testing.T) {
	data := brokenData(t, datasets.Test, func(examples []datasets.Example) []datasets.Example {
		for i := range examples {
			examples[i].Captions = nil
		}
		return examples
	}, nil)
	must(t, data.CheckSplits(t.Context(), []datasets.Split{}))
	must(t, brokenData(t, datasets.Test, none, nil).CheckSplits(t.Context(), nil))
	err := brokenData(t, datasets.Test, none, nil).CheckSplits(t.Context(), []datasets.Split{datasets.Test})
	wantError(t, err, "test split of toy has no images")
	// Single unreadable images are left out.
	some := brokenData(t, datasets.Test, func(e []datasets.Example) []datasets.Example { return e },
		func(id string) bool { return id == "test-1" || id == "val-1" || id == "train-1" })
	must(t, some.CheckSplits(t.Context(), nil))
	examples, err := some.Examples(t.Context(), datasets.Test)
	if err != nil || len(examples) != 8 {
		t.Errorf("%d test images, %v", len(examples), err)
	}
}

package captioning

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"captionlab/captioning/encoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/xla/xlatest"
	"captionlab/datasets"
)

// stamped is a dataset with a stamp that counts how many images are opened.
type stamped struct {
	toy
	stamp  string
	opened *int
}

func (d stamped) Stamp() (string, error) { return d.stamp, nil }
func (d stamped) OpenImage(id string) (io.ReadCloser, error) {
	*d.opened++
	return d.toy.OpenImage(id)
}

func newStamped(images int) stamped {
	d := stamped{toy{make(map[datasets.Split][]datasets.Example)}, "first", new(int)}
	for i := range images {
		ex := datasets.Example{ID: fmt.Sprint(i + 1), Captions: []string{"a red dog", "a red cat"}}
		d.examples[datasets.Train] = append(d.examples[datasets.Train], ex)
	}
	return d
}

// A plan of 20,000 images opens each of them once to compute the fingerprint, and none of them the next time, until a
// stamp changes or the check is asked for. It needs no backend and opens no encoder.
func TestPlanOpensNoImage(t *testing.T) {
	t.Setenv("CAPTIONLAB_CACHE", cacheWithWeights(t))
	d := newStamped(20_000)
	plan := func(o DataOptions) string {
		t.Helper()
		*d.opened = 0
		o.Encoder.Name = smallEncoder
		data, err := NewData(context.Background(), nil, d, o)
		must(t, err)
		defer data.Close()
		if data.plain.encoder != nil {
			t.Error("the encoder was opened")
		}
		r := Reproduction{Data: data, Results: t.TempDir(), Checkpoints: t.TempDir()}
		_, err = r.Plan([]experiment.Experiment{{Name: "toy", Settings: toySettings(), Seeds: 1}}, nil)
		must(t, err)
		return data.Fingerprint
	}
	first := plan(DataOptions{})
	for _, c := range []struct {
		name    string
		stamp   string
		options DataOptions
		want    int
	}{
		{"again", "first", DataOptions{}, 0},
		{"verified", "first", DataOptions{Verify: true}, 20_000},
		{"changed", "second", DataOptions{}, 20_000},
		{"changed, again", "second", DataOptions{}, 0},
	} {
		d.stamp = c.stamp
		if got := plan(c.options); got != first || *d.opened != c.want {
			t.Errorf("%s: %d images opened, want %d; fingerprint %s, want %s", c.name, *d.opened, c.want, got, first)
		}
	}
}

// The progress of a run comes from the header of its checkpoint, however damaged the arrays are.
func TestReadProgressReadsOnlyTheHeader(t *testing.T) {
	c := copyRun(t, newToyRun(t, wholeRun(t)))
	last := filepath.Join(c.Dir, lastFile)
	damage(t, last, func(b []byte) []byte { b[len(b)-10] ^= 1; return b })
	if _, err := ReadCheckpoint(last); err == nil {
		t.Fatal("the damage went unnoticed")
	}
	training, err := ReadProgress(c.Dir)
	if err != nil || training.Epoch != c.Settings.Epochs || !training.Finished(c.Settings) {
		t.Errorf("progress %+v, error %v", training, err)
	}
	if _, err := ReadProgress(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder: error %v, want fs.ErrNotExist", err)
	}
}

// A custom objective weighs every position; one that weighs all alike ends in the bits of the built-in one.
func TestCustomObjective(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	c := newToyRun(t, t.TempDir())
	c.Settings.Loss = "all-alike"
	c.Objective = &Objective{Name: "all-alike", Weight: func(int32, int) float32 { return 1 },
		Choose: func(l experiment.Losses) float64 { return l.Token }}
	model, err := c.train(backend)
	must(t, err)
	want, err := OpenModel(backend, wholeRun(t), ModelOptions{})
	must(t, err)
	defer want.Close()
	if got := model.Checkpoint.weightsSum(); got != want.Checkpoint.weightsSum() {
		t.Errorf("weights %s, those of the built-in objective are %s", got, want.Checkpoint.weightsSum())
	}
	c.Objective = &Objective{Name: "another"}
	_, err = c.train(backend)
	wantError(t, err, "all-alike", "another")
}

// A custom encoder computes features, and the captioner that it is given to captions with them.
func TestCustomEncoder(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	t.Setenv("CAPTIONLAB_CACHE", t.TempDir())
	spec := &encoder.Spec{Name: "mean", FeatureDim: 3, Resize: 8, Crop: 8, Std: [3]float32{255, 255, 255}, BatchSize: 2,
		Graph: func(images *graph.Node, _ []*graph.Node) *graph.Node { return graph.ReduceMean(images, 1, 2) }}
	whole, err := OpenDataset("shapes", "", "")
	must(t, err)
	ctx := context.Background()
	options := DataOptions{Encoder: EncoderOptions{Spec: spec}}
	data, err := NewData(ctx, backend, datasets.Subset(whole, 8, 4, 4), options)
	must(t, err)
	defer data.Close()
	s := toySettings()
	s.Epochs, s.MinCount = 1, 1
	model, err := Train(ctx, backend, data, TrainConfig{Dir: t.TempDir(), Settings: s})
	must(t, err)
	if model.Checkpoint.Encoder.Name != "mean" || model.Checkpoint.Encoder.FeatureDim != 3 {
		t.Errorf("encoder %+v", model.Checkpoint.Encoder)
	}
	e, err := OpenEncoder(ctx, backend, EncoderOptions{Spec: spec})
	must(t, err)
	c, err := NewCaptioner(model, e)
	must(t, err)
	defer c.Close()
	f, err := whole.OpenImage("300001")
	must(t, err)
	defer f.Close()
	caption, err := c.CaptionReader(ctx, "300001", f, generateDefaults)
	if err != nil || caption.Text == "" {
		t.Errorf("caption %+v, error %v", caption, err)
	}
}

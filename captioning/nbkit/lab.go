package nbkit

import (
	"context"
	"html/template"

	"github.com/gomlx/compute"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/captioning/encoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/xla"
	"captionlab/datasets"
)

// Lab is what the cells of a notebook work with. It opens anything costly on first use.
type Lab struct {
	Context    context.Context // cancelled when the cell is interrupted
	Dataset    datasets.Dataset
	Experiment experiment.Experiment
	Seed       int64
	Small      bool // the fast setting: use a part of the data and few epochs

	dataset     string // its name or path
	fingerprint string // of the dataset
	backend     compute.Backend
	data        *captioning.Data
	progress    *live    // of the computation of features
	closers     []func() // of models and captioners
}

func open(ctx context.Context) (*Lab, error) {
	s, err := readSettings()
	if err != nil {
		return nil, err
	}
	l := &Lab{Context: ctx, Seed: s.Seed, Small: s.Small, dataset: s.Dataset,
		fingerprint: s.Fingerprint}
	if l.Experiment, err = named(s.Experiment); err != nil {
		return nil, err
	}
	l.Dataset, err = captioning.OpenDataset(s.Dataset, s.Data, "")
	return l, err
}

// close closes everything that was opened.
func (l *Lab) close() {
	for _, f := range l.closers {
		f()
	}
	if l.data != nil {
		l.data.Close() // with the dataset
	} else {
		datasets.Close(l.Dataset)
	}
}

// Backend opens the device. It fails if no XLA plugin is installed.
func (l *Lab) Backend() (compute.Backend, error) {
	if l.backend != nil {
		return l.backend, nil
	}
	backend, _, err := xla.Open(xla.OpenOptions{})
	l.backend = backend
	return backend, err
}

// Data opens the dataset together with its features. The encoder is ResNet-50 if its weights are on this machine, the
// small one otherwise.
func (l *Lab) Data() (*captioning.Data, error) {
	if l.data != nil {
		return l.data, nil
	}
	var err error
	l.data, err = l.openData(l.Dataset, nil)
	return l.data, err
}

// openData opens a dataset with a custom encoder or, if spec is nil, with the default one.
func (l *Lab) openData(ds datasets.Dataset, spec *encoder.Spec) (*captioning.Data, error) {
	backend, err := l.Backend()
	if err != nil {
		return nil, err
	}
	if l.progress == nil {
		l.progress = newLive()
	}
	return captioning.NewData(l.Context, backend, ds, captioning.DataOptions{
		Encoder: captioning.EncoderOptions{Spec: spec},
		Progress: func(p encoder.Progress) {
			l.progress.line("Features: %d of %d images, %.0f per second, %v left.",
				p.Done, p.Total, p.Rate, p.Remaining.Round(1e9))
		},
	})
}

// Features returns the features of all images. It reads them from the cache folder or, the first time, computes them
// with progress below the cell, which takes a minute or two.
func (l *Lab) Features() (*encoder.Features, error) {
	data, err := l.Data()
	if err != nil {
		return nil, err
	}
	return l.featuresOf(data)
}

func (l *Lab) featuresOf(data *captioning.Data) (*encoder.Features, error) {
	f, err := data.Features(l.Context)
	l.progress.end("")
	return f, err
}

// Model opens the trained model in a run folder, which BestRun returns. See Open for the models that Train trained.
func (l *Lab) Model(dir string) (*captioning.Model, error) { return l.openModel(dir, nil) }

func (l *Lab) openModel(dir string, cell decoder.Cell) (*captioning.Model, error) {
	backend, err := l.Backend()
	if err != nil {
		return nil, err
	}
	m, err := captioning.OpenModel(backend, dir, captioning.ModelOptions{Cell: cell})
	if err == nil {
		l.closers = append(l.closers, m.Close)
	}
	return m, err
}

// Captioner opens the trained model in a run folder, as Model does, together with its encoder.
func (l *Lab) Captioner(dir string) (*captioning.Captioner, error) {
	backend, err := l.Backend()
	if err != nil {
		return nil, err
	}
	c, err := captioning.OpenCaptioner(l.Context, backend, dir, captioning.CaptionerOptions{})
	if err == nil {
		l.closers = append(l.closers, c.Close)
	}
	return c, err
}

// Size returns usual or, with the flag -small, small: a number of images or epochs.
func (l *Lab) Size(usual, small int) int {
	if l.Small {
		return small
	}
	return usual
}

// TestExamples returns the first n test images.
func (l *Lab) TestExamples(n int) []datasets.Example {
	all := l.Dataset.Examples(datasets.Test)
	return all[:min(n, len(all))]
}

// Image returns the image called id as a thumbnail, at most side pixels wide and high.
func (l *Lab) Image(id string, side int) (template.URL, error) {
	f, err := l.Dataset.OpenImage(id)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return Thumbnail(f, side)
}

// Cards returns gallery cards of examples with their references. Images are at most side pixels wide and high.
func (l *Lab) Cards(examples []datasets.Example, side int) ([]Card, error) {
	var cards []Card
	for _, ex := range examples {
		image, err := l.Image(ex.ID, side)
		if err != nil {
			return nil, err
		}
		cards = append(cards, Card{Title: ex.ID, Image: image, References: ex.Captions})
	}
	return cards, nil
}

// Spread picks n examples evenly from all, beginning with the first.
func Spread(all []datasets.Example, n int) []datasets.Example {
	var out []datasets.Example
	n = min(n, len(all))
	for i := range n {
		out = append(out, all[i*len(all)/n])
	}
	return out
}

// IDs returns the image ids of examples.
func IDs(examples []datasets.Example) []string {
	var ids []string
	for _, ex := range examples {
		ids = append(ids, ex.ID)
	}
	return ids
}

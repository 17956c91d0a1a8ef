package nbkit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"

	"github.com/gomlx/compute"

	"captionlab/captioning"
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

	fingerprint string
	backend     compute.Backend
	encoder     *encoder.Encoder
	features    *encoder.Features
	models      []*captioning.Model
}

func open(ctx context.Context) (*Lab, error) {
	s, err := readSettings()
	if err != nil {
		return nil, err
	}
	l := &Lab{Context: ctx, Seed: s.Seed, Small: s.Small, fingerprint: s.Fingerprint}
	if l.Experiment, err = named(s.Experiment); err != nil {
		return nil, err
	}
	l.Dataset, err = captioning.OpenDataset(s.Dataset, s.Data)
	return l, err
}

func (l *Lab) close() {
	for _, m := range l.models {
		m.Finalize()
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

// Encoder opens the encoder: ResNet-50 if its weights are on this machine, the small one otherwise.
func (l *Lab) Encoder() (*encoder.Encoder, error) { return l.openEncoder("") }

func (l *Lab) openEncoder(name string) (*encoder.Encoder, error) {
	if l.encoder != nil && (name == "" || l.encoder.Spec().Name == name) {
		return l.encoder, nil
	}
	backend, err := l.Backend()
	if err != nil {
		return nil, err
	}
	l.encoder, err = captioning.OpenEncoder(l.Context, backend, captioning.EncoderOptions{Name: name})
	return l.encoder, err
}

// Features returns the features of all images. It reads them from the cache folder or, the first time, computes them with
// progress below the cell, which takes a minute or two.
func (l *Lab) Features() (*encoder.Features, error) {
	if l.features != nil {
		return l.features, nil
	}
	e, err := l.Encoder()
	if err != nil {
		return nil, err
	}
	live := newLive()
	l.features, err = captioning.Features(l.Context, l.Dataset, l.fingerprint, e, func(p encoder.Progress) {
		live.line("Features: %d of %d images, %.0f per second, %v left.", p.Done, p.Total, p.Rate, p.Remaining.Round(1e9))
	})
	live.end("")
	return l.features, err
}

// Model opens the trained model in a run folder: one that Train returned, or one below the results folder whose checkpoint
// is in the cache folder.
func (l *Lab) Model(dir string) (*captioning.Model, error) {
	backend, err := l.Backend()
	if err != nil {
		return nil, err
	}
	m, err := captioning.Open(backend, dir)
	if err == nil {
		l.models = append(l.models, m)
	}
	return m, err
}

// Part returns the first images of each split as a dataset, and its fingerprint, for training on a small part.
func (l *Lab) Part(train, val, test int) (datasets.Dataset, string) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d %d", l.fingerprint, train, val, test))
	return datasets.Subset(l.Dataset, train, val, test), hex.EncodeToString(sum[:])
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

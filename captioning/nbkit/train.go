package nbkit

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/gomlx/compute"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/captioning/experiment"
	"captionlab/datasets"
)

// Training is what a notebook trains. Name and Settings are needed.
type Training struct {
	Name     string // of the run, for its folder and its curve
	Settings experiment.Settings
	// Cell is a cell of one's own, of the name that Settings.Cell gives; nil takes the built-in one.
	Cell decoder.Cell
	// Train, Val and Test limit the pictures of each split; zeros take all.
	Train, Val, Test int
	// Watch are pictures that are captioned greedily after each epoch; the captions grow below the curve.
	Watch []datasets.Example
	// AfterEpoch may show something of the model after each epoch; see captioning.TrainConfig.
	AfterEpoch func(*captioning.Model, captioning.CurvePoint) error
}

// Trained is a run that a notebook trained.
type Trained struct {
	Name    string
	Dir     string // of the run, in the cache folder
	Dataset datasets.Dataset
	Curve   []captioning.CurvePoint
	Best    int     // epoch, from 1, with the lowest validation loss, which is the one that is kept
	Seconds float64 // spent training, in all calls
}

// Train trains one model while its curve grows below the cell, and keeps the run in the cache folder. The same training a
// second time opens what is there; one that was interrupted goes on. After a change of the settings, of the pictures or of
// one's own cell it is another training.
func (l *Lab) Train(t Training) (*Trained, error) {
	c, err := l.config(t)
	if err != nil {
		return nil, err
	}
	view, err := l.newTrainView(t, c)
	if err != nil {
		return nil, err
	}
	c.Progress, c.AfterEpoch = view.progress, view.afterEpoch
	if _, err := captioning.Train(l.Context, l.backend, c); err != nil {
		view.finish()
		return nil, err
	}
	out, err := readTrained(t, c)
	if err != nil {
		return nil, err
	}
	view.points, view.running = out.Curve, nil
	view.status = fmt.Sprintf("%s: %d epochs in %.0f s, the best validation loss after epoch %d.", t.Name, len(out.Curve), out.Seconds, out.Best)
	view.finish()
	return out, nil
}

// Trained opens what Train left, for a later cell, and shows nothing. Fails where that training has not come to its end.
func (l *Lab) Trained(t Training) (*Trained, error) {
	c, err := l.config(t)
	if err != nil {
		return nil, err
	}
	out, err := readTrained(t, c)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not trained yet with these settings: run the cell above that trains it, then this one", t.Name)
	}
	return out, err
}

// config is what Train hands to captioning.Train, but for what it shows.
func (l *Lab) config(t Training) (captioning.TrainConfig, error) {
	t.Settings.Seed = l.Seed
	c := captioning.TrainConfig{Dataset: l.Dataset, Fingerprint: l.fingerprint, Settings: t.Settings, Cell: t.Cell, Resume: true,
		Warn: func(line string) { Note("%s", line) }}
	if t.Train > 0 {
		c.Dataset, c.Fingerprint = l.Part(t.Train, t.Val, t.Test)
	}
	if err := t.Settings.Check(func(name string) bool { return t.Cell != nil && t.Cell.Name() == name }); err != nil {
		return c, err
	}
	backend, err := l.Backend()
	if err != nil {
		return c, err
	}
	kind := ""
	if t.Cell != nil {
		if kind, err = cellPrint(backend, t.Cell, t.Settings); err != nil {
			return c, err
		}
	}
	if c.Features, err = l.Features(); err != nil {
		return c, err
	}
	id, err := experiment.Identity(t.Settings, c.Fingerprint+kind, c.Features.Manifest.Encoder)
	if err != nil {
		return c, err
	}
	c.Dir, err = workFolder(fmt.Sprintf("%s-%s-%.12s", l.Dataset.Name(), filepath.Base(t.Name), id))
	return c, err
}

// readTrained reads a run that has come to its end.
func readTrained(t Training, c captioning.TrainConfig) (*Trained, error) {
	last, err := captioning.ReadCheckpoint(filepath.Join(c.Dir, captioning.LastCheckpoint))
	if err != nil {
		return nil, err
	}
	done := last.Training
	if patience := c.Settings.Patience; done.Epoch < c.Settings.Epochs && (patience == 0 || done.Epoch-done.Best < patience) {
		return nil, fmt.Errorf("%s is trained for %d of %d epochs: run the cell above that trains it again, which goes on, then this one", t.Name, done.Epoch, c.Settings.Epochs)
	}
	return &Trained{Name: t.Name, Dir: c.Dir, Dataset: c.Dataset, Curve: done.Curve, Best: done.Best, Seconds: done.Seconds}, nil
}

// cellPrint tells cells apart that bear the same name, by what they compute: the losses of a tiny batch under weights that are
// large, so that every part of the cell has its say. They are rounded, so that another plugin or processor finds the run again.
// A cell whose Start or Step has the wrong shape is found out here, before anything is trained.
func cellPrint(backend compute.Backend, cell decoder.Cell, s experiment.Settings) (string, error) {
	m := decoder.Model{Cell: cell, Vocabulary: 6, Features: 2, Embedding: s.Embedding, Hidden: s.Hidden, ImageFirst: s.ImageInject == "first"}
	if err := m.Check(); err != nil {
		return "", err
	}
	values := m.Initialize(1)
	for _, array := range values {
		for i := range array {
			array[i] *= 5
		}
	}
	d, err := decoder.New(backend, m, values)
	if err != nil {
		return "", err
	}
	defer d.Finalize()
	losses, err := d.TokenLosses(&decoder.Batch{Size: 2, Steps: 3, Features: []float32{1, -1, 0.5, 2},
		Inputs: []int32{1, 1, 4, 5, 3, 4}, Targets: []int32{4, 5, 3, 4, 2, 2}, Weights: []float32{1, 1, 1, 1, 1, 1}})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%.2f", losses), nil
}

// Open opens the trained model of a run that Train returned, with the cell that it was trained with, if that was one's own.
func (l *Lab) Open(t *Trained, cell decoder.Cell) (*captioning.Model, error) {
	if t == nil {
		return nil, errors.New("there is no trained run: run the training cell first")
	}
	backend, err := l.Backend()
	if err != nil {
		return nil, err
	}
	m, err := captioning.OpenWithCell(backend, t.Dir, cell)
	if err == nil {
		l.models = append(l.models, m)
	}
	return m, err
}

// Evaluate captions and scores the test pictures of a run that Train returned.
func (l *Lab) Evaluate(t *Trained, cell decoder.Cell) (*captioning.Evaluation, error) {
	m, err := l.Open(t, cell)
	if err != nil {
		return nil, err
	}
	features, err := l.Features()
	if err != nil {
		return nil, err
	}
	e, _, err := m.Evaluate(l.Context, t.Dataset, datasets.Test, features, decoder.GenerateOptions{})
	return e, err
}

// Size is a number of pictures or epochs: usual, or, with the flag -small, the smaller one.
func (l *Lab) Size(usual, small int) int {
	if l.Small {
		return small
	}
	return usual
}

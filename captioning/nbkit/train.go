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
	"captionlab/captioning/weights"
	"captionlab/datasets"
)

// Plan says what a notebook trains. Name and Settings are required.
type Plan struct {
	Name     string // of the run, for its folder and its curve
	Settings experiment.Settings
	// Cell is a custom cell, called as Settings.Cell says; nil means a built-in one.
	Cell decoder.Cell
	// Train, Val and Test limit the images of each split; zeros mean all.
	Train, Val, Test int
	// Watch are images that are captioned greedily after each epoch; the captions appear below the curve.
	Watch []datasets.Example
	// AfterEpoch, if not nil, is called after each epoch; see captioning.TrainConfig.
	AfterEpoch func(*captioning.Model, captioning.CurvePoint) error
}

// Trained is a run that a notebook trained.
type Trained struct {
	Name    string
	Dir     string // of the run, in the cache folder
	Dataset datasets.Dataset
	Curve   []captioning.CurvePoint
	Best    int     // epoch, from 1, with the lowest validation loss, whose weights are kept
	Seconds float64 // of training, over all calls
}

// Train trains one model, shows its growing curve below the cell, and keeps the run in the cache folder. If the same plan
// was trained before, Train opens that run; if that training was interrupted, Train resumes it. A plan with other settings,
// other images or a changed custom cell is another training.
func (l *Lab) Train(p Plan) (*Trained, error) {
	c, err := l.config(p)
	if err != nil {
		return nil, err
	}
	view, err := l.newTrainView(p, c)
	if err != nil {
		return nil, err
	}
	c.Progress, c.AfterEpoch = view.progress, view.afterEpoch
	if _, err := captioning.Train(l.Context, l.backend, c); err != nil {
		view.finish()
		return nil, err
	}
	out, err := readTrained(p, c)
	if err != nil {
		return nil, err
	}
	view.points, view.running = out.Curve, nil
	view.status = fmt.Sprintf("%s: %d epochs in %.0f s, the best validation loss after epoch %d.",
		p.Name, len(out.Curve), out.Seconds, out.Best)
	view.finish()
	return out, nil
}

// Trained opens the run that Train trained by the plan, for a later cell, and shows nothing. It fails if that training is
// not finished.
func (l *Lab) Trained(p Plan) (*Trained, error) {
	c, err := l.config(p)
	if err != nil {
		return nil, err
	}
	out, err := readTrained(p, c)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not trained yet with these settings: run the cell above that trains it, then this one", p.Name)
	}
	return out, err
}

// config returns the configuration for captioning.Train, without the hooks that show progress.
func (l *Lab) config(p Plan) (captioning.TrainConfig, error) {
	p.Settings.Seed = l.Seed
	c := captioning.TrainConfig{Dataset: l.Dataset, Fingerprint: l.fingerprint, Settings: p.Settings, Cell: p.Cell, Resume: true,
		Warn: func(line string) { Note("%s", line) }}
	if p.Train > 0 {
		c.Dataset, c.Fingerprint = l.Part(p.Train, p.Val, p.Test)
	}
	if err := p.Settings.Check(func(name string) bool { return p.Cell != nil && p.Cell.Name() == name }); err != nil {
		return c, err
	}
	backend, err := l.Backend()
	if err != nil {
		return c, err
	}
	kind := ""
	if p.Cell != nil {
		if kind, err = cellPrint(backend, p.Cell, p.Settings); err != nil {
			return c, err
		}
	}
	if c.Features, err = l.Features(); err != nil {
		return c, err
	}
	id, err := experiment.Identity(p.Settings, c.Fingerprint+kind, c.Features.Manifest.Encoder)
	if err != nil {
		return c, err
	}
	c.Dir, err = trainedFolder(fmt.Sprintf("%s-%s-%.12s", l.Dataset.Name(), filepath.Base(p.Name), id))
	return c, err
}

// trainedFolder is the folder of a run that a notebook trained, in the cache folder.
func trainedFolder(name string) (string, error) {
	cache, err := weights.CacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "notebooks", name), nil
}

// readTrained reads a finished run.
func readTrained(p Plan, c captioning.TrainConfig) (*Trained, error) {
	last, err := captioning.ReadCheckpoint(filepath.Join(c.Dir, captioning.LastCheckpoint))
	if err != nil {
		return nil, err
	}
	done, patience := last.Training, c.Settings.Patience
	if done.Epoch < c.Settings.Epochs && (patience == 0 || done.Epoch-done.Best < patience) {
		return nil, fmt.Errorf("%s is trained for %d of %d epochs: run the cell above that trains it again, which resumes it, "+
			"then this one", p.Name, done.Epoch, c.Settings.Epochs)
	}
	return &Trained{Name: p.Name, Dir: c.Dir, Dataset: c.Dataset, Curve: done.Curve, Best: done.Best, Seconds: done.Seconds}, nil
}

// cellPrint distinguishes cells of the same name by what they compute: the losses of a tiny batch under weights large
// enough for every part of the cell to have an effect. The losses are rounded, so that another plugin or processor finds
// the run again. A cell whose Start or Step returns the wrong shape fails here, before anything is trained.
func cellPrint(backend compute.Backend, cell decoder.Cell, s experiment.Settings) (string, error) {
	m := decoder.Model{Cell: cell, Vocabulary: 6, Features: 2, Embedding: s.Embedding, Hidden: s.Hidden,
		ImageFirst: s.ImageInject == "first"}
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

// Open opens the model of a run that Train returned. cell is the custom cell of its plan, or nil.
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

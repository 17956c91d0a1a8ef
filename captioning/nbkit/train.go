package nbkit

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/gomlx/compute"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/captioning/encoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/internal/cache"
	"captionlab/datasets"
)

// Plan says what a notebook trains. Name and Settings are required.
type Plan struct {
	Name     string // of the run, for its folder and its curve
	Settings experiment.Settings
	// Cell is a custom cell, called as Settings.Cell says; nil means a built-in one.
	Cell decoder.Cell
	// Encoder is a custom encoder, for the images of this plan only; nil means the notebook's encoder.
	Encoder *encoder.Spec
	// From is the run whose weights and vocabulary the training starts with; nil means random weights. Settings that
	// describe the model must be those of that run.
	From *Trained
	// Train, Val and Test limit the images of each split; zeros mean all.
	Train, Val, Test int
	// Watch are images that are captioned greedily after each epoch; the captions appear below the curve.
	Watch []datasets.Example
	// AfterEpoch, if not nil, is called after each epoch; see captioning.TrainConfig.
	AfterEpoch func(*captioning.Model, experiment.CurvePoint) error
}

// Trained is a run that a notebook trained.
type Trained struct {
	Name    string
	Dir     string           // of the run, in the cache folder
	Data    *captioning.Data // the images of its plan
	Curve   []experiment.CurvePoint
	Best    int     // epoch, from 1, with the lowest validation loss, whose weights are kept
	Seconds float64 // of training, over all calls

	cell decoder.Cell // custom, or nil
}

// Train trains one model, shows its growing curve below the cell, and keeps the run in the cache folder. If the same
// plan was trained before, Train opens that run; if that training was interrupted, Train resumes it. A plan with
// other settings, other images or a changed custom cell is another training.
func (l *Lab) Train(p Plan) (*Trained, error) {
	data, c, err := l.config(p)
	if err != nil {
		return nil, err
	}
	view, err := l.newTrainView(p, data, c.Dir)
	if err != nil {
		return nil, err
	}
	c.Progress, c.AfterEpoch = view.progress, view.afterEpoch
	model, err := captioning.Train(l.Context, l.backend, data, c)
	if err != nil {
		view.finish()
		return nil, err
	}
	model.Close()
	out, err := readTrained(p, data, c)
	if err != nil {
		return nil, err
	}
	view.points, view.running = out.Curve, nil
	view.status = fmt.Sprintf("%s: %d epochs in %.0f s, the best validation loss after epoch %d.",
		p.Name, len(out.Curve), out.Seconds, out.Best)
	view.finish()
	return out, nil
}

// Trained opens the run that Train trained by the plan, for a later cell, and shows nothing. It fails if that
// training is not finished.
func (l *Lab) Trained(p Plan) (*Trained, error) {
	data, c, err := l.config(p)
	if err != nil {
		return nil, err
	}
	out, err := readTrained(p, data, c)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not trained yet with these settings: run the cell above that trains it, "+
			"then this one", p.Name)
	}
	return out, err
}

// config returns the data and the configuration for captioning.Train, without the hooks that show progress.
func (l *Lab) config(p Plan) (*captioning.Data, captioning.TrainConfig, error) {
	p.Settings.Seed = l.Seed
	c := captioning.TrainConfig{Settings: p.Settings, Cell: p.Cell, Resume: true,
		Warn: func(line string) { Note("%s", line) }}
	if err := p.Settings.Check(func(name string) bool { return p.Cell != nil && p.Cell.Name() == name }); err != nil {
		return nil, c, err
	}
	data, err := l.dataOf(p)
	if err != nil {
		return nil, c, err
	}
	kind := ""
	if p.Cell != nil {
		if kind, err = cellPrint(l.backend, p.Cell, p.Settings); err != nil {
			return nil, c, err
		}
	}
	if _, err := l.featuresOf(data); err != nil {
		return nil, c, err
	}
	id, err := experiment.Identity(p.Settings, data.Fingerprint+kind, data.Encoder())
	if p.From != nil {
		c.From = p.From.Dir
		id, err = experiment.IdentityFrom(filepath.Base(p.From.Dir), p.Settings, data.Fingerprint+kind, data.Encoder())
	}
	if err != nil {
		return nil, c, err
	}
	c.Dir, err = cache.Notebooks(fmt.Sprintf("%s-%s-%.12s", l.Dataset.Name(), filepath.Base(p.Name), id))
	return data, c, err
}

// dataOf returns the images of a plan with their features.
func (l *Lab) dataOf(p Plan) (*captioning.Data, error) {
	if p.Encoder != nil { // encode no more images than the plan needs
		ds := l.Dataset
		if p.Train > 0 {
			ds = datasets.Subset(ds, p.Train, p.Val, p.Test)
		}
		return l.openData(ds, p.Encoder)
	}
	data, err := l.Data()
	if err == nil && p.Train > 0 {
		data = data.Subset(p.Train, p.Val, p.Test)
	}
	return data, err
}

// readTrained reads a finished run.
func readTrained(p Plan, data *captioning.Data, c captioning.TrainConfig) (*Trained, error) {
	done, err := captioning.ReadProgress(c.Dir)
	if err != nil {
		return nil, err
	}
	if !done.Finished(c.Settings) {
		return nil, fmt.Errorf("%s is trained for %d of %d epochs: run the cell above that trains it again, "+
			"which resumes it, then this one", p.Name, done.Epoch, c.Settings.Epochs)
	}
	return &Trained{Name: p.Name, Dir: c.Dir, Data: data, Curve: done.Curve, Best: done.Best, Seconds: done.Seconds,
		cell: p.Cell}, nil
}

// cellPrint distinguishes cells of the same name by what they compute: the losses of a tiny batch under weights large
// enough for every part of the cell to have an effect. The losses are rounded, so that another plugin or processor
// finds the run again. A cell whose Start or Step returns the wrong shape fails here, before anything is trained.
func cellPrint(backend compute.Backend, cell decoder.Cell, s experiment.Settings) (string, error) {
	m := decoder.Model{Cell: cell, Vocabulary: 6, Features: 2, Embedding: s.Embedding, Hidden: s.Hidden,
		ImageFirst: s.ImageInject == "first", Tied: s.WeightTying == 1, Places: 2, Channels: 2}
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
		Grids:    []decoder.Grid{decoder.NewGrid([]float32{1, 0, -1, 2}), decoder.NewGrid([]float32{2, 1, 0, -1})},
		GridRows: []int32{0, 1},
		Inputs:   []int32{1, 1, 4, 5, 3, 4}, Targets: []int32{4, 5, 3, 4, 2, 2}, Weights: []float32{1, 1, 1, 1, 1, 1}})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%.2f", losses), nil
}

// Open opens the model of a run that Train or Trained returned.
func (l *Lab) Open(t *Trained) (*captioning.Model, error) { return l.openModel(t.Dir, t.cell) }

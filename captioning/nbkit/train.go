package nbkit

import (
	"errors"
	"fmt"
	"html"
	"html/template"
	"path/filepath"

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
	// AfterEpoch may show something of the model after each epoch; see captioning.TrainConfig.
	AfterEpoch func(*captioning.Model, captioning.CurvePoint) error
}

// Trained is a run that a notebook trained.
type Trained struct {
	Dir     string // of the run, in the cache folder
	Dataset datasets.Dataset
	Curve   []captioning.CurvePoint
}

// Train trains one model while its curve grows below the cell, and keeps the run in the cache folder. The same training a
// second time opens what is there; one that was interrupted goes on. After a change of the settings it is another training.
func (l *Lab) Train(t Training) (*Trained, error) {
	s := t.Settings
	s.Seed = l.Seed
	out := &Trained{Dataset: l.Dataset}
	fingerprint := l.fingerprint
	if t.Train > 0 {
		out.Dataset, fingerprint = l.Part(t.Train, t.Val, t.Test)
	}
	features, err := l.Features()
	if err != nil {
		return nil, err
	}
	if out.Dir, err = l.folder(t.Name, s, fingerprint, features.Manifest.Encoder); err != nil {
		return nil, err
	}
	backend, err := l.Backend()
	if err != nil {
		return nil, err
	}
	view := &trainView{live: newLive(), name: t.Name}
	_, err = captioning.Train(l.Context, backend, captioning.TrainConfig{Dir: out.Dir, Dataset: out.Dataset, Fingerprint: fingerprint, Features: features,
		Settings: s, Cell: t.Cell, Resume: true, Progress: view.progress, AfterEpoch: t.AfterEpoch, Warn: func(line string) { Note("%s", line) }})
	if err != nil {
		view.finish()
		return nil, err
	}
	last, err := captioning.ReadCheckpoint(filepath.Join(out.Dir, captioning.LastCheckpoint))
	if err != nil {
		return nil, err
	}
	out.Curve = last.Training.Curve
	view.points, view.running = out.Curve, nil
	view.status = fmt.Sprintf("%s: %d epochs in %.0f s, the best validation loss after epoch %d.", t.Name, len(out.Curve), last.Training.Seconds, last.Training.Best)
	view.finish()
	return out, nil
}

// folder is where the run of that name and these settings is kept.
func (l *Lab) folder(name string, s experiment.Settings, fingerprint string, encoder any) (string, error) {
	id, err := experiment.Identity(s, fingerprint, encoder)
	if err != nil {
		return "", err
	}
	return workFolder(fmt.Sprintf("%s-%s-%.12s", l.Dataset.Name(), filepath.Base(name), id))
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

// trainView draws a training while it runs.
type trainView struct {
	live    *live
	name    string
	points  []captioning.CurvePoint
	running [][2]float64 // training loss within the running epochs: epochs trained, mean loss of the epoch so far
	status  string
}

// pointsAnEpoch is how many points of the running training loss are drawn for each epoch.
const pointsAnEpoch = 8

func (v *trainView) progress(p captioning.TrainProgress) {
	if p.Point != nil {
		v.points = append(v.points, *p.Point)
		v.live.next = v.live.next.Add(-livePause) // the end of an epoch is always shown
	} else if step := max(1, p.Batches/pointsAnEpoch); p.Batch%step == 0 {
		v.running = append(v.running, [2]float64{float64(p.Epoch-1) + float64(p.Batch)/float64(p.Batches), p.Loss})
	}
	v.status = fmt.Sprintf("%s: epoch %d of at most %d, batch %d of %d, loss %.3f, %.0f words a second, at most %.0f s left.",
		v.name, p.Epoch, p.Epochs, p.Batch, p.Batches, p.Loss, p.Rate, p.Remaining.Seconds())
	v.live.set(v.content)
}

func (v *trainView) content() string {
	text := `<div style="font:14px/1.45 system-ui,sans-serif">` + html.EscapeString(v.status) + `</div>`
	curve, err := v.curve()
	if err != nil {
		return text
	}
	return string(curve) + text
}

func (v *trainView) finish() { v.live.end(v.content()) }

// curve draws the losses by epoch, and those within the running epochs.
func (v *trainView) curve() (template.HTML, error) {
	if len(v.running) == 0 {
		return LossCurve("", v.points)
	}
	now, val := Line{Name: "training, mean of the epoch so far"}, Line{Name: "validation"}
	for _, p := range v.running {
		now.X, now.Y = append(now.X, p[0]), append(now.Y, p[1])
	}
	for _, p := range v.points {
		val.X, val.Y = append(val.X, float64(p.Epoch)), append(val.Y, p.Val.Token)
	}
	return Curves("", "epoch", "loss in nats per token", now, val)
}

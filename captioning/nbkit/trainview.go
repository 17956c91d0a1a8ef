package nbkit

import (
	"fmt"
	"html/template"
	"path/filepath"
	"slices"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/captioning/experiment"
)

// trainView shows a training while it runs: its curve, a status line, and the captions of the watched images.
type trainView struct {
	live    *live
	name    string
	points  []experiment.CurvePoint
	running [][2]float64 // training loss within the epochs of this call: epochs trained, mean loss of the epoch so far
	status  string

	after   func(*captioning.Model, experiment.CurvePoint) error // may be nil
	file    string                                               // keeps watched
	watched watched
	images  []template.URL
	rows    func(*captioning.Model) ([][]float32, error) // what a model reads of the images
}

// watched holds the captions of a few images after each epoch. It is kept next to the run's checkpoints, so that a
// resumed or reopened training shows all of them.
type watched struct {
	Images   []string         `json:"pictures"`
	Captions map[int][]string `json:"captions"` // by epoch, from 1
}

// watchedSide is the width of watched images. They are drawn again with every point of the curve.
const watchedSide = 112

// newTrainView returns the view of a training in the folder dir. If the training resumes, the view begins with its
// earlier epochs.
func (l *Lab) newTrainView(p Plan, data *captioning.Data, dir string) (*trainView, error) {
	v := &trainView{live: newLive(), name: p.Name, after: p.AfterEpoch, file: filepath.Join(dir, "watched.json"),
		watched: watched{Images: IDs(p.Watch), Captions: make(map[int][]string)}}
	v.rows = func(m *captioning.Model) ([][]float32, error) { return m.Rows(l.Context, data, v.watched.Images) }
	if _, err := data.Rows(l.Context, v.watched.Images); err != nil {
		return nil, fmt.Errorf("%s: Watch: %w", p.Name, err)
	}
	for _, id := range v.watched.Images {
		image, err := l.Image(id, watchedSide)
		if err != nil {
			return nil, err
		}
		v.images = append(v.images, image)
	}
	var kept watched
	if err := experiment.ReadJSON(v.file, &kept); err == nil && slices.Equal(kept.Images, v.watched.Images) {
		v.watched = kept
	}
	if done, err := captioning.ReadProgress(dir); err == nil { // Train reports a damaged checkpoint
		v.points = done.Curve
		for _, p := range v.points {
			v.running = append(v.running, [2]float64{float64(p.Epoch), p.TrainLoss})
		}
	}
	return v, nil
}

// pointsPerEpoch is the number of points of the running training loss in each epoch.
const pointsPerEpoch = 8

func (v *trainView) progress(p captioning.TrainProgress) {
	if p.Point != nil {
		v.points = append(v.points, *p.Point)
		v.live.hurry() // always show the end of an epoch
	} else if step := max(1, p.Batches/pointsPerEpoch); p.Batch%step == 0 {
		v.running = append(v.running, [2]float64{float64(p.Epoch-1) + float64(p.Batch)/float64(p.Batches), p.Loss})
	}
	v.status = fmt.Sprintf("%s: epoch %d of at most %d, batch %d of %d, loss %.3f, %.0f words per second, "+
		"at most %.0f s left.",
		v.name, p.Epoch, p.Epochs, p.Batch, p.Batches, p.Loss, p.Rate, p.Remaining.Seconds())
	v.live.set(v.content)
}

// afterEpoch captions the watched images and keeps the captions.
func (v *trainView) afterEpoch(m *captioning.Model, p experiment.CurvePoint) error {
	if len(v.watched.Images) > 0 {
		rows, err := v.rows(m)
		if err != nil {
			return err
		}
		captions, err := m.CaptionFeatures(v.watched.Images, rows, decoder.GenerateOptions{})
		if err != nil {
			return err
		}
		texts := make([]string, len(captions))
		for i, c := range captions {
			texts[i] = c.Text
		}
		v.watched.Captions[p.Epoch] = texts
		if err := experiment.WriteJSON(v.file, v.watched); err != nil {
			return err
		}
		v.live.hurry()
		v.live.set(v.content)
	}
	if v.after != nil {
		return v.after(m, p)
	}
	return nil
}

func (v *trainView) content() string {
	text := Text("%s", v.status) + v.captions()
	curve, err := v.curve()
	if err != nil {
		return string(text)
	}
	return string(curve + text)
}

func (v *trainView) finish() { v.live.end(v.content()) }

// captions is the table of the watched images' captions by epoch.
func (v *trainView) captions() template.HTML {
	if len(v.images) == 0 {
		return ""
	}
	head := []template.HTML{"after epoch"}
	for i, image := range v.images {
		head = append(head, imageTag(image, v.watched.Images[i], watchedSide))
	}
	rows := [][]template.HTML{head}
	for _, p := range v.points {
		texts, ok := v.watched.Captions[p.Epoch]
		if !ok {
			continue
		}
		row := []template.HTML{Text("%d", p.Epoch)}
		for _, text := range texts {
			row = append(row, Text("%s", text))
		}
		rows = append(rows, row)
	}
	return Table(nil, rows)
}

// curve draws the losses by epoch, and the training loss within the epochs of this call.
func (v *trainView) curve() (template.HTML, error) {
	if len(v.running) == 0 {
		return LossCurve("", v.points)
	}
	now, val := Line{Name: "training, mean of the epoch so far"}, Line{Name: "validation"}
	for _, p := range v.running {
		now.add(p[0], p[1])
	}
	for _, p := range v.points {
		val.add(float64(p.Epoch), p.Val.Token)
	}
	return Curves(lossAxes(""), now, val)
}

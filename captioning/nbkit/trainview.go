package nbkit

import (
	"fmt"
	"html"
	"html/template"
	"path/filepath"
	"slices"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/captioning/experiment"
	"captionlab/datasets"
)

// trainView draws a training while it runs: its curve, a line that tells how far it is, and the captions of the pictures that
// are watched.
type trainView struct {
	live    *live
	name    string
	points  []captioning.CurvePoint
	running [][2]float64 // training loss within the running epochs: epochs trained, mean loss of the epoch so far
	status  string

	after    func(*captioning.Model, captioning.CurvePoint) error // may be nil
	file     string                                               // keeps watched
	watched  watched
	pictures []template.URL
	rows     [][]float32 // features of the pictures
}

// watched are the captions of a few pictures after each epoch. They lie beside the run's checkpoints, so that a training that
// goes on, or is opened again, shows them all.
type watched struct {
	Pictures []string         `json:"pictures"`
	Captions map[int][]string `json:"captions"` // by epoch, from 1
}

// watchedSide is how wide the pictures are that are watched: they are drawn again with every point of the curve.
const watchedSide = 112

// newTrainView begins with what a run that goes on has shown already.
func (l *Lab) newTrainView(t Training, c captioning.TrainConfig) (*trainView, error) {
	v := &trainView{live: newLive(), name: t.Name, after: t.AfterEpoch, file: filepath.Join(c.Dir, "watched.json")}
	for _, ex := range t.Watch {
		row, ok := c.Features.Row(ex.ID)
		if !ok {
			return nil, fmt.Errorf("%s: picture %q, which is to be watched, has no features: take one of the dataset's examples", t.Name, ex.ID)
		}
		picture, err := l.Picture(ex.ID, watchedSide)
		if err != nil {
			return nil, err
		}
		v.watched.Pictures, v.rows, v.pictures = append(v.watched.Pictures, ex.ID), append(v.rows, row), append(v.pictures, picture)
	}
	v.watched.Captions = make(map[int][]string)
	var kept watched
	if err := experiment.ReadJSON(v.file, &kept); err == nil && slices.Equal(kept.Pictures, v.watched.Pictures) {
		v.watched = kept
	}
	if last, err := captioning.ReadCheckpoint(filepath.Join(c.Dir, captioning.LastCheckpoint)); err == nil { // a damaged one is for Train to tell
		v.points = last.Training.Curve
		for _, p := range v.points {
			v.running = append(v.running, [2]float64{float64(p.Epoch), p.TrainLoss})
		}
	}
	return v, nil
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

// afterEpoch captions the watched pictures and keeps what comes out.
func (v *trainView) afterEpoch(m *captioning.Model, p captioning.CurvePoint) error {
	if len(v.rows) > 0 {
		captions, err := m.CaptionFeatures(v.watched.Pictures, v.rows, decoder.GenerateOptions{})
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
		v.live.next = v.live.next.Add(-livePause)
		v.live.set(v.content)
	}
	if v.after != nil {
		return v.after(m, p)
	}
	return nil
}

func (v *trainView) content() string {
	text := `<div style="font:14px/1.45 system-ui,sans-serif">` + html.EscapeString(v.status) + `</div>` + string(v.captions())
	curve, err := v.curve()
	if err != nil {
		return text
	}
	return string(curve) + text
}

func (v *trainView) finish() { v.live.end(v.content()) }

// captions lays the captions of the watched pictures out by epoch.
func (v *trainView) captions() template.HTML {
	if len(v.pictures) == 0 {
		return ""
	}
	head := []template.HTML{"after epoch"}
	for _, p := range v.pictures {
		head = append(head, template.HTML(fmt.Sprintf(`<img src="%s" style="max-width:%dpx;border-radius:3px">`, p, watchedSide)))
	}
	var rows [][]template.HTML
	for _, p := range v.points {
		texts, ok := v.watched.Captions[p.Epoch]
		if !ok {
			continue
		}
		row := []template.HTML{template.HTML(fmt.Sprint(p.Epoch))}
		for _, text := range texts {
			row = append(row, template.HTML(html.EscapeString(text)))
		}
		rows = append(rows, row)
	}
	return Table(nil, append([][]template.HTML{head}, rows...))
}

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

// Watched returns the first n test pictures of this notebook's dataset, for Training.Watch.
func (l *Lab) Watched(n int) []datasets.Example {
	all := l.Dataset.Examples(datasets.Test)
	return all[:min(n, len(all))]
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"captionlab/captioning"
	"captionlab/captioning/experiment"
	"captionlab/captioning/internal/atomicfile"
	"captionlab/captioning/nbkit"
	"captionlab/captioning/score"
	"captionlab/datasets"
)

// demoSettings train in well under a minute on two cores and leave the model some mistakes to make.
func demoSettings() experiment.Settings {
	s := experiment.Defaults()
	s.Embedding, s.Hidden, s.LearningRate, s.MinCount, s.Epochs = 128, 256, 2e-3, 1, 15
	return s
}

func newDemoCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:     "demo",
		Short:   "Train, score and caption on the embedded dataset, with a page of images, in minutes",
		Example: "  captionlab demo\n  captionlab demo --out /tmp/demo",
		Args:    exactly(0, "none"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo(cmd.Context(), cmd.OutOrStdout(), out)
		},
	}
	cmd.Flags().StringVar(&out, "out", "demo", "folder of the page and the run")
	return cmd
}

func demo(ctx context.Context, out io.Writer, folder string) error {
	started := time.Now()
	backend, info, err := openBackend()
	if err != nil {
		return err
	}
	flags := dataFlags{dataset: "shapes"}
	flags.options.Encoder.Name = "efficientnet-lite0"
	data, err := flags.open(ctx, backend)
	if err != nil {
		return err
	}
	defer data.Close()
	m, dir := newMeter(), filepath.Join(folder, "run")
	model, err := captioning.Train(
		ctx,
		backend,
		data,
		captioning.TrainConfig{Dir: dir, Settings: demoSettings(), Resume: true,
			Progress: trainMeter(m), Evaluate: []datasets.Split{datasets.Test},
			Warn: func(line string) { m.say("%s", line) }},
	)
	if errors.Is(err, captioning.ErrStopped) {
		return fmt.Errorf("stopped; run `captionlab demo` again to continue (%s)", dir)
	}
	if err != nil {
		return err
	}
	defer model.Close()
	run := experiment.Run{Experiment: "demo", Backend: info, Command: commandLine()}
	e, err := finish(ctx, model, data, captioning.RecordOptions{Dir: dir, Run: run, Started: started})
	if err != nil {
		return err
	}
	if err := printEvaluation(out, e, ""); err != nil {
		return err
	}
	photographs, err := captionPhotographs(ctx, backend, filepath.Join(folder, "photographs"))
	if err != nil {
		return err
	}
	page := filepath.Join(folder, "index.html")
	if err := (demoResult{data, model, e, photographs}).writePage(ctx, page); err != nil {
		return err
	}
	fmt.Fprintf(out, "page          %s (%.0f s in all)\n", page, time.Since(started).Seconds())
	printPhotographs(out, photographs)
	return nil
}

// demoImages is the number of test images on the page.
const demoImages = 36

var demoPage = template.Must(template.New("demo").Parse(`<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>captionlab demo</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1240px; margin: 24px auto; padding: 0 16px; color: #222;
  background: #fafafa }
</style>
<body>
<h1>captionlab demo</h1>
<p>An LSTM learned to describe {{.Train}} images that the program drew. Below are the first of the {{.Test}} test
images. They show combinations that no training image showed. The caption in bold is the model's; below it are the five
reference captions.</p>
<table style="border-collapse:collapse" cellpadding="6">
<tr><th align="left">loss_token</th>{{range .Scores}}<th>{{.Name}}</th>{{end}}</tr>
<tr align="right"><td align="left">{{printf "%.4f" .Loss}} nat</td>
{{range .Scores}}<td>{{printf "%.1f" .Value}}</td>{{end}}</tr>
</table>
{{.Curve}}
{{.Gallery}}
<h2>Photographs</h2>
<p>The model above knows only shapes. The one that comes with captionlab learned from photographs of people and dogs
outdoors: it knows scenes like the first one; a close-up of a cat is unlike anything that it has seen. For your own:
<code>captionlab caption photo.jpg</code> or <code>captionlab serve</code>.</p>
{{.Photographs}}
<h2>Settings</h2><pre>{{.Settings}}</pre>
</body></html>
`))

// demoData is the content of the page.
type demoData struct {
	Train, Test int
	Loss        float64 // loss_token of the test split, nats
	Scores      []demoScore
	Settings    string

	Curve, Gallery, Photographs template.HTML
}

// demoScore is a score of protocol coco, times 100.
type demoScore struct {
	Name  string
	Value float64
}

// demoResult is what the page shows.
type demoResult struct {
	data        *captioning.Data
	model       *captioning.Model
	evaluation  *captioning.Evaluation
	photographs []photograph
}

func (r demoResult) writePage(ctx context.Context, path string) error {
	data, model, e := r.data, r.model, r.evaluation
	refs, err := data.References(ctx, datasets.Test)
	if err != nil {
		return err
	}
	var cards []nbkit.Card
	for _, c := range e.Captions[:min(demoImages, len(e.Captions))] {
		if err := ctx.Err(); err != nil {
			return err
		}
		thumbnail, err := demoThumbnail(data, string(c.ID))
		if err != nil {
			return err
		}
		cards = append(cards, nbkit.Card{Title: "image " + string(c.ID), Image: thumbnail, Caption: c.Text,
			References: refs[c.ID]})
	}
	page := demoData{Train: len(data.Dataset.Examples(datasets.Train)), Test: len(data.Dataset.Examples(datasets.Test)),
		Loss: e.Losses.Token, Settings: model.Checkpoint.Settings.String()}
	for _, name := range []string{score.BLEU1, score.BLEU4, score.ROUGEL, score.CIDErD} {
		if value, ok := e.Coco.Value(name); ok {
			page.Scores = append(page.Scores, demoScore{name, 100 * value})
		}
	}
	if page.Gallery, err = nbkit.Gallery(cards); err != nil {
		return err
	}
	if page.Photographs, err = photographGallery(r.photographs); err != nil {
		return err
	}
	if page.Curve, err = nbkit.LossCurve("", model.Training.Curve); err != nil {
		return err
	}
	var out bytes.Buffer
	if err := demoPage.Execute(&out, page); err != nil {
		return err
	}
	return atomicfile.WriteFile(path, out.Bytes())
}

func demoThumbnail(data *captioning.Data, id string) (template.URL, error) {
	f, err := data.Dataset.OpenImage(id)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return nbkit.Thumbnail(f, 216)
}

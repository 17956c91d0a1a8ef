package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
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

// demoSettings train in well under a minute on two cores and leave the model something to get wrong.
func demoSettings() experiment.Settings {
	s := experiment.Defaults()
	s.Embedding, s.Hidden, s.LearningRate, s.MinCount, s.Epochs = 128, 256, 2e-3, 1, 15
	return s
}

func newDemoCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:     "demo",
		Short:   "The whole way on the embedded dataset, with pictures, in minutes",
		Example: "  captionlab demo\n  captionlab demo --out /tmp/demo",
		Args:    exactly(0, "none"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			started := time.Now()
			ctx := cmd.Context()
			backend, info, err := openBackend()
			if err != nil {
				return err
			}
			flags := dataFlags{dataset: "shapes", encoder: captioning.EncoderOptions{Name: "efficientnet-lite0"}}
			d, err := flags.open(ctx, backend)
			if err != nil {
				return err
			}
			m := newMeter()
			dir := filepath.Join(out, "run")
			checkpoint, err := captioning.Train(ctx, backend, captioning.TrainConfig{Dir: dir, Dataset: d.dataset, Fingerprint: d.fingerprint,
				Features: d.features, Settings: demoSettings(), Resume: true, Progress: trainMeter(m), Warn: func(line string) { m.say("%s", line) }})
			if errors.Is(err, captioning.ErrStopped) {
				return fmt.Errorf("stopped; run `captionlab demo` again to go on (%s)", dir)
			}
			if err != nil {
				return err
			}
			run := experiment.Run{Experiment: "demo", Backend: info, Command: commandLine()}
			e, err := finish(ctx, cmd.OutOrStdout(), backend, d, checkpoint, run, started, dir)
			if err != nil {
				return err
			}
			page := filepath.Join(out, "index.html")
			if err := writeDemoPage(ctx, page, d, dir, e); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "pictures      %s (%.0f s in all)\n", page, time.Since(started).Seconds())
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "demo", "folder of the page and the run")
	return cmd
}

// demoPictures is how many test pictures the page shows.
const demoPictures = 36

var demoPage = template.Must(template.New("demo").Parse(`<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>captionlab demo</title>
<body style="font:15px/1.5 system-ui,sans-serif;max-width:1240px;margin:24px auto;padding:0 16px;color:#222;background:#fafafa">
<h1>captionlab demo</h1>
<p>An LSTM learnt to describe {{.Train}} pictures that the program drew. Below: the first of the {{.Test}} test pictures, which show
combinations that no training picture had; in bold what the model says, below it the five reference captions.</p>
<table style="border-collapse:collapse" cellpadding="6">
<tr><th align="left">loss_token</th><th>BLEU-1</th><th>BLEU-4</th><th>ROUGE-L</th><th>CIDEr-D</th></tr>
<tr align="right"><td align="left">{{printf "%.4f" .E.Losses.Token}} nat</td><td>{{.Percent (index .E.Coco.BLEU 0)}}</td><td>{{.Percent (index .E.Coco.BLEU 3)}}</td><td>{{.Percent .E.Coco.ROUGEL}}</td><td>{{.Percent .E.Coco.CIDEr}}</td></tr>
</table>
{{.Curve}}
{{.Gallery}}
<h2>Settings</h2><pre>{{.Settings}}</pre>
</body></html>
`))

// demoData is what the page shows.
type demoData struct {
	Train, Test    int
	E              *captioning.Evaluation
	Curve, Gallery template.HTML
	Settings       string
}

// Percent is a score times a hundred.
func (demoData) Percent(x float64) string { return fmt.Sprintf("%.1f", 100*x) }

func writeDemoPage(ctx context.Context, path string, d *data, dir string, e *captioning.Evaluation) error {
	captions, err := score.ReadCaptions(filepath.Join(dir, experiment.CaptionsFile("test")))
	if err != nil {
		return err
	}
	refs := captioning.References(d.dataset, datasets.Test, d.features)
	var cards []nbkit.Card
	for _, c := range captions[:min(demoPictures, len(captions))] {
		if err := ctx.Err(); err != nil {
			return err
		}
		f, err := d.dataset.OpenImage(string(c.ID))
		if err != nil {
			return err
		}
		thumbnail, err := nbkit.Thumbnail(f, 216)
		f.Close()
		if err != nil {
			return err
		}
		cards = append(cards, nbkit.Card{Title: "picture " + string(c.ID), Image: thumbnail, Caption: c.Text, References: refs[c.ID]})
	}
	page := demoData{Train: len(d.dataset.Examples(datasets.Train)), Test: len(d.dataset.Examples(datasets.Test)), E: e}
	if page.Gallery, err = nbkit.Gallery(cards); err != nil {
		return err
	}
	if page.Curve, err = lossCurve(dir); err != nil {
		return err
	}
	run, err := experiment.ReadRun(dir)
	if err != nil {
		return err
	}
	page.Settings = run.Settings.String()
	var out bytes.Buffer
	if err := demoPage.Execute(&out, page); err != nil {
		return err
	}
	return atomicfile.WriteFile(path, out.Bytes())
}

// lossCurve draws the curve of the run in dir.
func lossCurve(dir string) (template.HTML, error) {
	curve, err := captioning.ReadCurve(dir)
	if err != nil {
		return "", err
	}
	return nbkit.LossCurve("", curve)
}

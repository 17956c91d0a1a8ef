package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"captionlab/captioning/experiment"
	"captionlab/captioning/internal/chart"
)

// writeFigures draws the validation losses, the scores by temperature, and the scores by hidden size and learning
// rate.
func (d dataset) writeFigures(page *strings.Builder, files map[string][]byte) {
	hidden := func(s experiment.Settings) float64 { return float64(s.Hidden) }
	rate := func(s experiment.Settings) float64 { return s.LearningRate }
	page.WriteString("\n### Figures\n")
	for _, f := range []struct {
		name string
		c    chart.Chart
	}{
		{"curves", d.lossChart()},
		{"temperature", d.temperatureChart()},
		{"hidden", d.settingChart("hidden size", "hidden-", hidden)},
		{"learning-rate", d.settingChart("learning rate", "lr-", rate)},
	} {
		path := d.name + "/" + f.name + ".svg"
		files["results/"+path] = []byte(f.c.SVG())
		fmt.Fprintf(page, "\n![%s](%s)\n", f.c.Title, path)
	}
}

// lossChart shows the validation losses of the first seed of every experiment.
func (d dataset) lossChart() chart.Chart {
	c := chart.Chart{Title: "Validation loss (" + d.name + ", seed 1)", X: "epoch", WholeX: true,
		Left: "loss_token, nats"}
	for _, g := range d.groups {
		s := chart.Series{Name: g.Name}
		for _, p := range g.Runs[0].Curve {
			s.Points = append(s.Points, [2]float64{float64(p.Epoch), p.Val.Token})
		}
		c.Series = append(c.Series, s)
	}
	return c
}

// temperatureChart shows score and diversity by temperature, for the experiments that keep their samples.
func (d dataset) temperatureChart() chart.Chart {
	c := chart.Chart{Title: "Sampling (" + d.name + ")", X: "temperature",
		Left: "pa4 BLEU-1", Right: "distinct-2 (dashed)"}
	for _, g := range d.groups {
		if !g.KeepSamples {
			continue
		}
		bleu := chart.Series{Name: g.Name + ": BLEU-1"}
		variety := chart.Series{Name: g.Name + ": distinct-2", OnRight: true, SameColor: true}
		for _, o := range g.Runs[0].Readouts.Readouts {
			t := o.Readout.Temperature
			if t == 0 || o.Diversity == nil {
				continue
			}
			distinct := func(r experiment.ReadoutRecord) float64 { return r.Diversity.Distinct2 }
			bleu.Points = append(bleu.Points, [2]float64{t, g.strategyMean(o.Readout.Name, pa4(bleu1))})
			variety.Points = append(variety.Points, [2]float64{t, g.strategyMean(o.Readout.Name, distinct)})
		}
		c.Series = append(c.Series, bleu, variety)
	}
	return c
}

// settingChart shows BLEU by one setting: of the baseline and of the experiments whose names begin with prefix.
func (d dataset) settingChart(what, prefix string, of func(s experiment.Settings) float64) chart.Chart {
	one, four := chart.Series{Name: bleu1}, chart.Series{Name: bleu4, OnRight: true}
	for _, g := range d.groups {
		if g.Name != "baseline" && !strings.HasPrefix(g.Name, prefix) {
			continue
		}
		at := of(g.Settings)
		one.Points = append(one.Points, [2]float64{at, g.strategyMean(experiment.Greedy, pa4(bleu1))})
		four.Points = append(four.Points, [2]float64{at, g.strategyMean(experiment.Greedy, pa4(bleu4))})
	}
	for _, s := range []*chart.Series{&one, &four} {
		slices.SortFunc(s.Points, func(a, b [2]float64) int { return cmp.Compare(a[0], b[0]) })
	}
	return chart.Chart{Title: fmt.Sprintf("BLEU by %s (%s, other settings of the baseline)", what, d.name), X: what,
		Left: "pa4 BLEU-1", Right: "pa4 BLEU-4 (dashed)", LogX: true, Series: []chart.Series{one, four}}
}

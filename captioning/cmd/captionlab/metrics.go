package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"captionlab/captioning/fetch"
	"captionlab/captioning/score"
	"captionlab/captioning/score/meteor"
)

// metricChoice is a value of score --metrics. METEOR's metric is not in package score, and diversity is no metric.
type metricChoice struct {
	name, metric string
}

const (
	chooseMeteor    = "meteor"
	chooseDiversity = "diversity"
)

var metricChoices = []metricChoice{
	{"bleu", "BLEU"}, {"rouge", "ROUGE-L"}, {chooseMeteor, meteor.Name}, {"cider", "CIDEr-D"}, {chooseDiversity, ""},
}

// checkMetrics fails if a name is not in metricChoices or is given twice, or if there is no metric among the names.
func checkMetrics(names []string) error {
	var known []string
	for _, c := range metricChoices {
		known = append(known, c.name)
	}
	for i, name := range names {
		switch {
		case !slices.Contains(known, name):
			return fmt.Errorf("unknown metric %q: use some of %s", name, strings.Join(known, ","))
		case slices.Contains(names[:i], name):
			return fmt.Errorf("--metrics names %s twice", name)
		}
	}
	if names != nil && len(names) == 0 {
		return fmt.Errorf("--metrics is empty: name some of %s", strings.Join(known, ","))
	}
	if len(names) == 1 && names[0] == chooseDiversity {
		return fmt.Errorf("--metrics names diversity only: add one of %s", strings.Join(known[:len(known)-1], ","))
	}
	return nil
}

// openMetrics returns the metrics of the names, in the order of metricChoices. It opens METEOR's tables if needed, and
// fails if they are not on this machine.
func openMetrics(names []string) ([]score.Metric, error) {
	var metrics []score.Metric
	for _, c := range metricChoices {
		switch {
		case !slices.Contains(names, c.name) || c.name == chooseDiversity:
		case c.name == chooseMeteor:
			tables, err := meteor.OpenFetched()
			if err != nil {
				return nil, fmt.Errorf("%w: run `captionlab fetch meteor`", err)
			}
			metrics = append(metrics, tables.Metric()) // the tables stay open until the command ends
		default:
			one, err := score.Select(c.metric)
			if err != nil {
				return nil, err
			}
			metrics = append(metrics, one...)
		}
	}
	return metrics, nil
}

// chosenScores is what score --metrics --json prints instead of the scores of a protocol.
type chosenScores struct {
	Scores map[string]float64 `json:"scores"`
	Images []chosenImage      `json:"images"`
	Count  int                `json:"count"`
	Tokens string             `json:"tokens"`
	score.Left

	corpus *score.Scores
}

type chosenImage struct {
	ID     score.ID           `json:"image_id"`
	Scores map[string]float64 `json:"scores"`
}

// scoreChosen scores captions with the metrics of --metrics.
func scoreChosen(f *scoreFlags, refs score.References, captions []score.Caption) (*chosenScores, error) {
	metrics, err := openMetrics(f.metrics)
	if err != nil {
		return nil, err
	}
	corpus, err := score.Measure(refs, captions, metrics, f.options)
	if err != nil {
		return nil, err
	}
	return newChosenScores(corpus), nil
}

func newChosenScores(corpus *score.Scores) *chosenScores {
	named := func(values []float64) map[string]float64 {
		out := make(map[string]float64, len(values))
		for i, name := range corpus.Metrics() {
			out[name] = values[i]
		}
		return out
	}
	c := &chosenScores{Scores: named(corpus.Values()), Count: corpus.Count, Tokens: corpus.Tokens, Left: corpus.Left,
		corpus: corpus}
	for i, id := range corpus.Images() {
		c.Images = append(c.Images, chosenImage{id, named(corpus.ImageValues(i))})
	}
	return c
}

// fetchMeteor puts the index of METEOR's tables into the cache folder.
func fetchMeteor(ctx context.Context, out io.Writer, dryRun bool) error {
	path, err := meteor.Path()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %s (%s), into %s\n", chooseMeteor, aboutMeteor, fetch.Bytes(meteor.DownloadSize), path)
	fmt.Fprintf(out, "license: %s\n", meteor.License)
	if dryRun {
		return nil
	}
	_, made, err := meteor.Fetch(ctx)
	switch {
	case err != nil:
		return err
	case made:
		fmt.Fprintln(out, "fetched with pip, checksums right, index built")
	default:
		fmt.Fprintln(out, "already complete, checksum right")
	}
	return nil
}

// aboutMeteor is the line of fetchMeteor in the list of what can be fetched.
const aboutMeteor = "METEOR's tables, for score --metrics meteor, from the Python registry"

package report

import (
	"fmt"
	"strings"

	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
)

// claim is a statement of the paper that the records can confirm or not.
type claim struct {
	sentence string
	check    func(d dataset) ([]finding, error)
}

// finding is one comparison that a verdict is based on: what is compared, the difference, and whether it agrees with
// the claim.
type finding struct {
	what   string
	effect score.Difference // pa4
	agrees bool
	paper  float64 // the difference in the paper, or 0 if it gives none
	note   string
}

// claims are the paper's, in its order.
var claims = []claim{
	{"The best model (5e-5, 800, 2048) beats the baseline by 7.7 BLEU-1 and 4.7 BLEU-4.",
		func(d dataset) ([]finding, error) { return d.versus("best-lstm", "baseline") }},
	{"An LSTM generates better captions than a vanilla RNN of the baseline's size.",
		func(d dataset) ([]finding, error) { return d.versus("baseline", "rnn") }},
	{"An LSTM generates better captions than a vanilla RNN of the best model's size.",
		func(d dataset) ([]finding, error) { return d.versus("best-lstm", "best-rnn") }},
	{"A larger model with a smaller learning rate is better than the baseline's size with that learning rate.",
		func(d dataset) ([]finding, error) { return d.versus("best-lstm", "lr-5e-5") }},
	{"A larger model with a smaller learning rate is better than a larger hidden state with the baseline's " +
		"learning rate.",
		func(d dataset) ([]finding, error) { return d.versus("best-lstm", "hidden-2048") }},
	{"Deterministic generation beats stochastic generation at temperature 1.",
		func(d dataset) ([]finding, error) { return d.sampling("temperature-1") }},
	{"Scores fall as the temperature rises.", dataset.falling},
}

// paperLead is how far group a is ahead of b in a metric in the paper, or 0 if the paper does not give both.
func paperLead(a, b Group, metric string) float64 {
	if a.Paper == nil || b.Paper == nil {
		return 0
	}
	if metric == bleu1 {
		return a.Paper.BLEU1 - b.Paper.BLEU1
	}
	return a.Paper.BLEU4 - b.Paper.BLEU4
}

// versus compares the greedy captions of two experiments. The first seed decides; the differences of the other seeds
// that both have are noted.
func (d dataset) versus(a, b string) ([]finding, error) {
	ga, okA := d.group(a)
	gb, okB := d.group(b)
	if !okA || !okB {
		return nil, nil
	}
	differences, err := score.Compare(ga.Runs[0].PA4, gb.Runs[0].PA4, score.BootstrapOptions{})
	if err != nil {
		return nil, fmt.Errorf("%s compared with %s: %w", a, b, err)
	}
	var out []finding
	for _, metric := range claimed {
		effect, ok := differences.Get(metric)
		if !ok {
			continue
		}
		var notes, others []string
		paper := paperLead(ga, gb, metric)
		if paper != 0 {
			notes = append(notes, fmt.Sprintf("the paper's difference is %.1f", paper))
		}
		for i := 1; i < min(len(ga.Runs), len(gb.Runs)); i++ {
			delta := experiment.CorpusValue(ga.Runs[i].PA4, metric) - experiment.CorpusValue(gb.Runs[i].PA4, metric)
			others = append(others, fmt.Sprintf("%+.2f", delta))
		}
		if len(others) > 0 {
			notes = append(notes, "other seeds "+strings.Join(others, ", "))
		}
		out = append(out, finding{what: a + " - " + b, effect: effect, agrees: effect.Low > 0, paper: paper,
			note: strings.Join(notes, "; ")})
	}
	return out, nil
}

// sampling compares the baseline's greedy captions with those of another decoding strategy.
func (d dataset) sampling(strategy string) ([]finding, error) {
	g, ok := d.group("baseline")
	if !ok {
		return nil, nil
	}
	record, ok := g.Runs[0].Readouts.Get(strategy)
	if !ok {
		return nil, nil
	}
	var out []finding
	for _, metric := range claimed {
		if e, ok := greedyLead(record, metric); ok {
			out = append(out, finding{what: "baseline: greedy - " + strategy, effect: e, agrees: e.Low > 0})
		}
	}
	return out, nil
}

// greedyLead is how far the greedy captions are ahead of those of a strategy: the recorded difference with its sign
// changed.
func greedyLead(r experiment.ReadoutRecord, metric string) (score.Difference, bool) {
	e, ok := r.PA4AgainstGreedy.Get(metric)
	e.A, e.B, e.Delta, e.Low, e.High = e.B, e.A, 0-e.Delta, 0-e.High, 0-e.Low // 0-x: no negative zero
	return e, ok
}

// falling checks that the baseline's scores fall from each temperature to the next, and by how much in total.
func (d dataset) falling() ([]finding, error) {
	g, ok := d.group("baseline")
	if !ok {
		return nil, nil
	}
	var out []finding
	for _, metric := range claimed {
		var values []string
		falls, last := true, 0.0
		var hottest experiment.ReadoutRecord
		for _, r := range g.Runs[0].Readouts.Readouts {
			i, ok := r.PA4.Get(metric)
			if !ok || r.Readout.Temperature == 0 {
				continue
			}
			if len(values) > 0 && i.Value > last {
				falls = false
			}
			values, last, hottest = append(values, fmt.Sprintf("%.1f", i.Value)), i.Value, r
		}
		if e, ok := greedyLead(hottest, metric); ok {
			out = append(out, finding{what: "baseline: greedy - " + hottest.Readout.Name, effect: e,
				agrees: falls && e.Low > 0, note: "by rising temperature: " + strings.Join(values, ", ")})
		}
	}
	return out, nil
}

// writeClaims lists the claims with their verdicts.
func (d dataset) writeClaims(page *strings.Builder) error {
	page.WriteString("\n### The paper's claims on this data\n\n" +
		"Effects are differences in pa4 scores of greedy captions (seed 1), with a paired bootstrap interval and " +
		"the p-value of paired approximate randomization over the test images. A claim holds if every interval is " +
		"on its side of zero and, if the claim names a size, no interval is entirely below that size.\n\n")
	verdicts, err := d.verdicts()
	if err != nil {
		return err
	}
	var rows [][]string
	for _, v := range verdicts {
		rows = append(rows, []string{v.Claim, v.Outcome, strings.Join(v.Effects, "<br>")})
	}
	writeTable(page, []string{"claim", "verdict", "effect"}, rows)
	return nil
}

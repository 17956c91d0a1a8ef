package report

import (
	"fmt"
	"strings"

	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
)

// A claim is a sentence of the paper that the records can confirm or not.
type claim struct {
	sentence string
	check    func(d dataset) ([]finding, error)
}

// finding is one comparison that decides on a claim: what, how far apart, and whether that agrees with the claim.
type finding struct {
	what   string
	effect score.Difference // pa4
	agrees bool
	paper  float64 // the difference that the paper gives, or 0
	note   string
}

// claims are the paper's, in its order.
var claims = []claim{
	{"The best model (5e-5, 800, 2048) beats the baseline by 7.7 BLEU-1 and 4.7 BLEU-4.", func(d dataset) ([]finding, error) {
		return d.versus("best-lstm", "baseline", [2]float64{61.172 - 53.471, 18.711 - 13.988})
	}},
	{"An LSTM captions better than a vanilla RNN: at the baseline's sizes.", func(d dataset) ([]finding, error) {
		return d.versus("baseline", "rnn", [2]float64{})
	}},
	{"An LSTM captions better than a vanilla RNN: at the best model's sizes.", func(d dataset) ([]finding, error) {
		return d.versus("best-lstm", "best-rnn", [2]float64{})
	}},
	{"A larger model with a smaller learning rate wins: over the same rate at the baseline's sizes.", func(d dataset) ([]finding, error) {
		return d.versus("best-lstm", "lr-5e-5", [2]float64{})
	}},
	{"A larger model with a smaller learning rate wins: over the larger hidden state at the baseline's rate.", func(d dataset) ([]finding, error) {
		return d.versus("best-lstm", "hidden-2048", [2]float64{})
	}},
	{"Deterministic generation beats stochastic generation at temperature 1.", func(d dataset) ([]finding, error) {
		return d.sampling("temperature-1")
	}},
	{"Scores fall as the temperature rises.", dataset.falling},
}

// versus compares the greedy captions of two experiments, seed by seed where both have it; the first seed decides, the others
// are told. paper holds the differences that the paper gives, if it does.
func (d dataset) versus(a, b string, paper [2]float64) ([]finding, error) {
	ga, okA := d.group(a)
	gb, okB := d.group(b)
	if !okA || !okB {
		return nil, nil
	}
	differences, err := score.Compare(ga.Runs[0].PA4, gb.Runs[0].PA4, score.BootstrapOptions{})
	if err != nil {
		return nil, fmt.Errorf("%s against %s: %w", a, b, err)
	}
	var out []finding
	for m := range 2 {
		f := finding{what: a + " - " + b, effect: differences[m], agrees: differences[m].Low > 0, paper: paper[m]}
		if paper[m] != 0 {
			f.note = fmt.Sprintf("the paper's difference is %.1f", paper[m])
		}
		var others []string
		for i := 1; i < min(len(ga.Runs), len(gb.Runs)); i++ {
			others = append(others, fmt.Sprintf("%+.2f", ga.Runs[i].PA4.Values()[m]-gb.Runs[i].PA4.Values()[m]))
		}
		if len(others) > 0 {
			f.note = strings.TrimPrefix(f.note+"; other seeds "+strings.Join(others, ", "), "; ")
		}
		out = append(out, f)
	}
	return out, nil
}

// sampling compares a readout of the baseline with its greedy captions.
func (d dataset) sampling(name string) ([]finding, error) {
	g, ok := d.group("baseline")
	if !ok {
		return nil, nil
	}
	var out []finding
	for _, o := range g.Runs[0].Readouts.Readouts {
		if o.Readout.Name != name {
			continue
		}
		for m := range 2 {
			e := o.PA4AgainstGreedy[m]
			e.A, e.B, e.Delta, e.Low, e.High = e.B, e.A, -e.Delta, -e.High, -e.Low
			out = append(out, finding{what: "baseline: greedy - " + name, effect: e, agrees: e.Low > 0})
		}
	}
	return out, nil
}

// falling looks at the baseline's scores from each temperature to the next, and at how far the ends are apart.
func (d dataset) falling() ([]finding, error) {
	g, ok := d.group("baseline")
	if !ok {
		return nil, nil
	}
	var out []finding
	for m := range 2 {
		var values []string
		falls, last := true, 0.0
		var hottest experiment.ReadoutRecord
		for _, o := range g.Runs[0].Readouts.Readouts {
			if o.Readout.Temperature == 0 {
				continue
			}
			v := o.PA4[m].Value
			if len(values) > 0 && v > last {
				falls = false
			}
			values, last, hottest = append(values, fmt.Sprintf("%.1f", v)), v, o
		}
		if len(values) == 0 {
			return nil, nil
		}
		e := hottest.PA4AgainstGreedy[m]
		e.A, e.B, e.Delta, e.Low, e.High = e.B, e.A, -e.Delta, -e.High, -e.Low
		out = append(out, finding{what: "baseline: greedy - " + hottest.Readout.Name, effect: e, agrees: falls && e.Low > 0,
			note: "by rising temperature " + strings.Join(values, ", ")})
	}
	return out, nil
}

// writeClaims lists the claims with what the records say of them.
func (d dataset) writeClaims(page *strings.Builder) error {
	page.WriteString("\n### The paper's claims, on this data\n\nEffects are differences in pa4 scores of the greedy captions, with a paired bootstrap interval and the p-value of paired\n" +
		"approximate randomization over the test pictures, seed 1. A claim holds where every interval lies on its side of zero and, if the\n" +
		"claim names a size, none lies below that size.\n\n" +
		"| claim | verdict | effect |\n| --- | --- | --- |\n")
	verdicts, err := d.verdicts()
	if err != nil {
		return err
	}
	for _, v := range verdicts {
		fmt.Fprintf(page, "| %s | %s | %s |\n", v.Claim, v.Outcome, strings.Join(v.Effects, "<br>"))
	}
	return nil
}

// Verdict is a claim of the paper with what the records say of it.
type Verdict struct {
	Claim   string
	Outcome string   // Markdown: its first words are bold where there is one
	Effects []string // the differences that decide; none where a run is missing
}

// Verdicts weighs every claim of the paper, in its order, against the runs on one dataset, as Read returns them.
func Verdicts(groups []Group) ([]Verdict, error) { return dataset{groups: groups}.verdicts() }

func (d dataset) verdicts() ([]Verdict, error) {
	var out []Verdict
	for _, c := range claims {
		findings, err := c.check(d)
		if err != nil {
			return nil, err
		}
		var effects []string
		agree := 0
		for _, f := range findings {
			if f.agrees {
				agree++
			}
			effect := fmt.Sprintf("%s, %s: %+.2f [%.2f, %.2f], p %s", f.what, f.effect.Metric, f.effect.Delta, f.effect.Low, f.effect.High, pValue(f.effect.P))
			if f.note != "" {
				effect += " (" + f.note + ")"
			}
			effects = append(effects, effect)
		}
		out = append(out, Verdict{c.sentence, verdict(findings, agree), effects})
	}
	return out, nil
}

// verdict says in a sentence how a claim fares. A claim of a size asks for more than the sign: the paper's difference not above the
// intervals.
func verdict(findings []finding, agree int) string {
	against, smaller := 0, 0
	for _, f := range findings {
		if f.effect.High < 0 {
			against++
		}
		if f.paper > f.effect.High {
			smaller++
		}
	}
	switch {
	case len(findings) == 0:
		return "not measured yet: a run is missing"
	case agree == len(findings) && smaller > 0:
		return "**holds in its direction, not in its size**: better, but by less than in the paper"
	case agree == len(findings):
		return "**holds**"
	case against == len(findings):
		return "**does not hold**: the difference goes the other way"
	case against > 0 || agree > 0:
		return "**does not hold as a whole**: one score agrees with it, another does not"
	case smaller > 0 && smaller == len(findings):
		return "**does not hold**: no difference can be told from chance, and the paper's lies above the intervals"
	default:
		return "**not shown**: the difference is too small to be told from chance, or not steady"
	}
}

func pValue(p float64) string {
	if p < 0.001 {
		return "< 0.001"
	}
	return fmt.Sprintf("%.3f", p)
}

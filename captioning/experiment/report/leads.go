package report

import (
	"fmt"
	"math"
	"strings"

	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
)

// Lead is how far the best model's greedy captions are ahead of the baseline's captions, in pa4 scores, if the
// baseline uses one decoding strategy.
type Lead struct {
	Strategy     experiment.Readout // the baseline's; the zero value in the paper's lead
	BLEU1, BLEU4 score.Interval
	// Explains reports that the paper's lead is inside both intervals.
	Explains bool
}

// LeadNote states what a table of leads can show and what it cannot.
const LeadNote = "This is a possible explanation of the paper's lead, not a proof. The abstract says that the best " +
	"model was decoded deterministically; it does not say how the baseline was decoded. If the baseline's captions " +
	"were sampled, the lead includes the cost of sampling."

// Leads returns the paper's lead, without an interval, and the leads of best-lstm over the baseline for every decoding
// strategy of the baseline: means over seeds with 95 % intervals over images. There are none if a run is missing.
//
// Records hold scores of single images for greedy captions only, so differences between models are not paired. The
// ends of an interval are combined as independent (Zou and Donner 2008, without the correlation term):
//
//	low = delta - sqrt((a - aLow)^2 + (bHigh - b)^2), high = delta + sqrt((aHigh - a)^2 + (b - bLow)^2)
//
// This is too wide if the scores of the two models correlate over images. The interval of a mean over seeds is taken
// as the mean of the intervals, its upper limit.
func Leads(groups []Group) (paper Lead, leads []Lead) {
	d := dataset{groups: groups}
	best, okBest := d.group("best-lstm")
	baseline, okBaseline := d.group("baseline")
	if !okBest || !okBaseline {
		return Lead{}, nil
	}
	for metric, to := range map[string]*score.Interval{bleu1: &paper.BLEU1, bleu4: &paper.BLEU4} {
		v := paperLead(best, baseline, metric)
		*to = score.Interval{Metric: metric, Value: v, Low: v, High: v}
	}
	for _, r := range baseline.Runs[0].Readouts.Readouts {
		lead := Lead{Strategy: r.Readout}
		one, okOne := lead.between(best, baseline, bleu1)
		four, okFour := lead.between(best, baseline, bleu4)
		if !okOne || !okFour {
			continue
		}
		lead.BLEU1, lead.BLEU4 = one, four
		lead.Explains = within(paper.BLEU1.Value, one) && within(paper.BLEU4.Value, four)
		leads = append(leads, lead)
	}
	return paper, leads
}

func within(v float64, i score.Interval) bool { return i.Low <= v && v <= i.High }

// between is the lead in one metric.
func (l Lead) between(best, baseline Group, metric string) (score.Interval, bool) {
	of := func(r experiment.ReadoutRecord) (score.Interval, bool) { return r.PA4.Get(metric) }
	a, okA := best.meanInterval(experiment.Greedy, of)
	b, okB := baseline.meanInterval(l.Strategy.Name, of)
	delta := a.Value - b.Value
	return score.Interval{Metric: metric, Value: delta,
		Low:  delta - math.Hypot(a.Value-a.Low, b.High-b.Value),
		High: delta + math.Hypot(a.High-a.Value, b.Value-b.Low)}, okA && okB
}

// meanInterval is the mean over the runs of a score under a decoding strategy and of the ends of its interval. It
// reports false if a run lacks it.
func (g Group) meanInterval(strategy string, of func(r experiment.ReadoutRecord) (score.Interval, bool)) (
	score.Interval, bool) {
	var mean score.Interval
	n := float64(len(g.Runs))
	for _, r := range g.Runs {
		record, _ := r.Readouts.Get(strategy)
		i, ok := of(record)
		if !ok {
			return mean, false
		}
		mean.Value, mean.Low, mean.High = mean.Value+i.Value/n, mean.Low+i.Low/n, mean.High+i.High/n
	}
	return mean, true
}

// writeLeads writes the table of leads if the runs for it are recorded.
func (d dataset) writeLeads(page *strings.Builder) {
	paper, leads := Leads(d.groups)
	if len(leads) == 0 {
		return
	}
	fmt.Fprintf(page, "\n### What could explain the paper's lead\n\n%s\n\n"+
		"pa4 scores of best-lstm with greedy captions minus those of the baseline with each decoding strategy: "+
		"means over seeds with 95 %% intervals over images. The intervals combine those of the two models as if "+
		"they were independent, which makes them too wide rather than too narrow if the models find the same "+
		"images difficult. They do not cover the choice of seeds.\n\n",
		LeadNote)
	rows := [][]string{{"in the paper: not stated", fmt.Sprintf("%+.2f", paper.BLEU1.Value),
		fmt.Sprintf("%+.2f", paper.BLEU4.Value), ""}}
	for _, l := range leads {
		fits := "no"
		if l.Explains {
			fits = "**yes**"
		}
		row := []string{strategyLabel(l.Strategy)}
		for _, i := range []score.Interval{l.BLEU1, l.BLEU4} {
			row = append(row, fmt.Sprintf("%+.2f [%.2f, %.2f]", i.Value, i.Low, i.High))
		}
		rows = append(rows, append(row, fits))
	}
	writeTable(page, []string{"the baseline's strategy", "BLEU-1 lead", "BLEU-4 lead",
		"the paper's lead inside both intervals"}, rows)
}

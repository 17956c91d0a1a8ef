package report

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
)

// scoredRun is a run with given BLEU-1 and BLEU-4 under two strategies: the value with the half-width of its interval.
func scoredRun(greedy, sampled [2]float64) Run {
	record := func(name string, v [2]float64) experiment.ReadoutRecord {
		r := experiment.ReadoutRecord{Readout: experiment.Readout{Name: name}}
		for _, metric := range claimed {
			r.PA4 = append(r.PA4, score.Interval{Metric: metric, Value: v[0], Low: v[0] - v[1], High: v[0] + v[1]})
		}
		return r
	}
	return Run{Readouts: experiment.ReadoutsRecord{Readouts: []experiment.ReadoutRecord{
		record(experiment.Greedy, greedy), record("temperature-1", sampled)}}}
}

func TestLeadsCombineIntervals(t *testing.T) {
	best := Group{Runs: []Run{scoredRun([2]float64{62, 3}, [2]float64{0, 0})}}
	best.Name, best.Paper = "best-lstm", &experiment.Paper{BLEU1: 60, BLEU4: 18}
	baseline := Group{Runs: []Run{
		scoredRun([2]float64{61, 4}, [2]float64{51, 4}), scoredRun([2]float64{63, 4}, [2]float64{53, 4}),
	}}
	baseline.Name, baseline.Paper = "baseline", &experiment.Paper{BLEU1: 53, BLEU4: 11}
	paper, leads := Leads([]Group{best, baseline})
	if paper.BLEU1.Value != 7 || paper.BLEU4.Value != 7 || len(leads) != 2 {
		t.Fatalf("the paper's lead is %+v; there are %d leads", paper, len(leads))
	}
	for i, want := range []struct {
		value    float64
		explains bool
	}{{0, false}, {10, true}} {
		for _, got := range []score.Interval{leads[i].BLEU1, leads[i].BLEU4} { // half-width sqrt(3^2 + 4^2) = 5
			if math.Abs(got.Value-want.value)+math.Abs(got.Low-want.value+5)+math.Abs(got.High-want.value-5) > 1e-9 {
				t.Errorf("%s: %+v, want %v ± 5", leads[i].Strategy.Name, got, want.value)
			}
		}
		if leads[i].Explains != want.explains {
			t.Errorf("%s explains the paper's lead: %v", leads[i].Strategy.Name, leads[i].Explains)
		}
	}
	if _, leads := Leads([]Group{baseline}); leads != nil {
		t.Errorf("without the best model there are leads: %v", leads)
	}
}

// TestLeadsOfTheRecords checks the table on the committed records: on Flickr8k the lead over the baseline sampled at
// temperature 0.7 is as large as the paper's, the lead over its greedy captions is not.
func TestLeadsOfTheRecords(t *testing.T) {
	groups, err := Read(filepath.Join("..", "..", "..", "results"), readmeDataset)
	must(t, err)
	_, leads := Leads(groups)
	explains := make(map[string]bool)
	for _, l := range leads {
		explains[l.Strategy.Name] = l.Explains
	}
	if len(leads) != 10 || explains[experiment.Greedy] || !explains["temperature-0.7"] {
		t.Errorf("strategies that explain the paper's lead: %v", explains)
	}
	page := readFile(t, "..", "..", "..", "results", "README.md")
	if !strings.Contains(page, "not a proof") || strings.Count(page, "What could explain the paper's lead") != 1 {
		t.Error("the page lacks the table of leads, or the remark that it is not a proof")
	}
}

package experiment

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"captionlab/captioning/score"
)

// Readout is a decoding strategy: one way to generate captions with a trained model.
type Readout struct {
	Name         string  `json:"name"`        // as in "temperature-0.7"
	Temperature  float64 `json:"temperature"` // 0 takes the most likely word
	Beam         int     `json:"beam"`        // hypotheses kept by beam search; 1 means no search
	Seed         uint64  `json:"seed"`        // of the sampling
	AllowUnknown bool    `json:"allow_unk"`
}

// Greedy is the name of the strategy that always takes the most likely word, the paper's deterministic generation.
const Greedy = "greedy"

// Readouts are the decoding strategies applied to every trained model of the experiment: greedy, sampling at the
// paper's and other temperatures, and beam search.
func (e Experiment) Readouts() []Readout {
	all := []Readout{{Name: Greedy, Beam: 1}}
	for _, t := range []float64{0.1, 0.2, 0.4, 0.7, 1, 1.5, 2} {
		all = append(all, Readout{Name: fmt.Sprintf("temperature-%g", t), Temperature: t, Beam: 1, Seed: 1})
	}
	for _, n := range []int{3, 5} {
		all = append(all, Readout{Name: fmt.Sprintf("beam-%d", n), Beam: n})
	}
	for i := range all {
		all[i].AllowUnknown = e.AllowUnknown
	}
	return all
}

// ReadoutsRecord holds the scores of a run under every decoding strategy, in the order of Experiment.Readouts.
type ReadoutsRecord struct {
	Weights  string          `json:"weights_sha256"` // of the model that generated the captions
	Split    string          `json:"split"`
	Readouts []ReadoutRecord `json:"readouts"`
}

// ReadoutRecord holds the scores under one strategy, with 95 % bootstrap intervals over images, and the paired
// differences from the greedy captions of the same model. Scores of protocol coco and METEOR are from 0 to 1, those of
// pa4 from 0 to 100. METEOR is missing where its tables were not on the machine and nothing was rescored.
type ReadoutRecord struct {
	Readout             Readout                `json:"readout"`
	Coco                score.Intervals        `json:"coco"`
	PA4                 score.Intervals        `json:"pa4"`
	METEOR              score.Intervals        `json:"meteor,omitempty"`
	CocoAgainstGreedy   score.Differences      `json:"coco_against_greedy,omitempty"`
	PA4AgainstGreedy    score.Differences      `json:"pa4_against_greedy,omitempty"`
	METEORAgainstGreedy score.Differences      `json:"meteor_against_greedy,omitempty"`
	Diversity           *score.DiversityScores `json:"diversity"`
}

// ReadReadouts reads the scores of the run in dir under every decoding strategy.
func ReadReadouts(dir string) (ReadoutsRecord, error) {
	var r ReadoutsRecord
	err := ReadJSON(filepath.Join(dir, ReadoutsFile), &r)
	return r, err
}

// Get returns the record of the strategy called name. It reports false if the run lacks it.
func (r ReadoutsRecord) Get(name string) (ReadoutRecord, bool) {
	i := slices.IndexFunc(r.Readouts, func(o ReadoutRecord) bool { return o.Readout.Name == name })
	if i < 0 {
		return ReadoutRecord{}, false
	}
	return r.Readouts[i], true
}

// CocoValue returns the coco score called metric, from 0 to 1, or NaN if the record lacks it.
func (r ReadoutRecord) CocoValue(metric string) float64 { return valueOf(r.Coco, metric) }

// METEORValue returns METEOR's score, from 0 to 1, or NaN if the record lacks it.
func (r ReadoutRecord) METEORValue() float64 { return valueOf(r.METEOR, score.METEOR) }

// PA4Value returns the pa4 score called metric, from 0 to 100, or NaN if the record lacks it.
func (r ReadoutRecord) PA4Value(metric string) float64 { return valueOf(r.PA4, metric) }

// CorpusValue returns the score of a corpus called metric, on the corpus's own scale, or NaN if it lacks it.
func CorpusValue(c score.Corpus, metric string) float64 {
	if value, ok := c.Value(metric); ok {
		return value
	}
	return math.NaN()
}

func valueOf(intervals score.Intervals, metric string) float64 {
	if i, ok := intervals.Get(metric); ok {
		return i.Value
	}
	return math.NaN()
}

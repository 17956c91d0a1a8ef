package experiment

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// The declared experiments, one file each.
//
//go:embed settings/*.json
var files embed.FS

// Paper is what the paper gives for an experiment: the test loss in nats and the scores of protocol pa4, 0 to 100.
type Paper struct {
	Loss  float64 `json:"loss"`
	BLEU1 float64 `json:"bleu1"`
	BLEU4 float64 `json:"bleu4"`
}

// Experiment is one declared experiment.
type Experiment struct {
	Name     string `json:"-"` // the file's
	About    string `json:"about"`
	Settings Settings
	// Seeds is how many runs, with the seeds 1 to Seeds, the experiment's results are made of.
	Seeds int `json:"seeds"`
	// AllowUnknown lets <unk> be generated when the model is read out, as the paper's code does.
	AllowUnknown bool `json:"allow_unk"`
	// KeepSamples keeps the captions of every readout of seed 1 among the records, not those of the greedy one alone.
	KeepSamples bool   `json:"keep_samples"`
	Paper       *Paper `json:"paper,omitempty"` // nil where the paper gives no number
}

// Declared returns all declared experiments by name. Fails when a file is not sound, naming it.
func Declared() ([]Experiment, error) {
	entries, err := files.ReadDir("settings")
	if err != nil {
		return nil, err
	}
	var all []Experiment
	for _, entry := range entries {
		data, err := files.ReadFile("settings/" + entry.Name())
		if err != nil {
			return nil, err
		}
		e, err := parseExperiment(data)
		if err != nil {
			return nil, fmt.Errorf("experiment file %s: %w", entry.Name(), err)
		}
		e.Name = strings.TrimSuffix(entry.Name(), ".json")
		all = append(all, e)
	}
	return all, nil
}

func parseExperiment(data []byte) (Experiment, error) {
	var file struct {
		About        string          `json:"about"`
		Settings     json.RawMessage `json:"settings"`
		Seeds        int             `json:"seeds"`
		AllowUnknown bool            `json:"allow_unk"`
		KeepSamples  bool            `json:"keep_samples"`
		Paper        *Paper          `json:"paper"`
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		return Experiment{}, err
	}
	settings, err := ParseSettings(Defaults(), file.Settings)
	if err != nil {
		return Experiment{}, err
	}
	if err := settings.Check(nil); err != nil {
		return Experiment{}, err
	}
	if file.Seeds < 0 || file.Seeds > 1000 {
		return Experiment{}, fmt.Errorf("seeds: %d; use 1 to 1000", file.Seeds)
	}
	return Experiment{About: file.About, Settings: settings, Seeds: max(file.Seeds, 1), AllowUnknown: file.AllowUnknown,
		KeepSamples: file.KeepSamples, Paper: file.Paper}, nil
}

// Readout is one way in which captions are read out of a trained model.
type Readout struct {
	Name         string  `json:"name"`        // as in "temperature-0.7"
	Temperature  float64 `json:"temperature"` // 0 takes the likeliest word
	Beam         int     `json:"beam"`        // 1 is no search
	Seed         uint64  `json:"seed"`        // of the sampling
	AllowUnknown bool    `json:"allow_unk"`
}

// Greedy is the name of the readout that takes the likeliest word each time, the paper's deterministic one.
const Greedy = "greedy"

// Readouts are the ways in which every trained model of the experiment is read out: deterministically, at the paper's
// temperatures and others, and by beam search.
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

// Named returns the settings of the declared experiment called name, or an error that lists the names.
func Named(name string) (Settings, error) {
	all, err := Declared()
	if err != nil {
		return Settings{}, err
	}
	i := slices.IndexFunc(all, func(e Experiment) bool { return e.Name == name })
	if i < 0 {
		var names []string
		for _, e := range all {
			names = append(names, e.Name)
		}
		return Settings{}, fmt.Errorf("unknown experiment %q: the experiments are %s", name, strings.Join(names, ", "))
	}
	return all[i].Settings, nil
}

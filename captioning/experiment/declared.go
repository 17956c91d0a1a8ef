package experiment

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"captionlab/datasets/jsonfile"
)

// files holds the declared experiments, one file each.
//
//go:embed settings/*.json
var files embed.FS

// Paper holds the paper's numbers for an experiment: the test loss in nats and the scores of protocol pa4, from 0 to
// 100.
type Paper struct {
	Loss  float64 `json:"loss"`
	BLEU1 float64 `json:"bleu1"`
	BLEU4 float64 `json:"bleu4"`
}

// Experiment is a declared experiment.
type Experiment struct {
	Name     string `json:"-"` // name of its file, without the extension
	About    string `json:"about"`
	Settings Settings
	// From names the experiment whose run with the same seed each run starts from; empty means random weights.
	From string `json:"from,omitempty"`
	// Seeds is the number of runs; they use the seeds 1 to Seeds.
	Seeds int `json:"seeds"`
	// AllowUnknown allows <unk> in generated captions, as the paper's code does.
	AllowUnknown bool `json:"allow_unk"`
	// KeepSamples keeps the captions of every decoding strategy of seed 1 in the records, not just the greedy ones.
	KeepSamples bool   `json:"keep_samples"`
	Paper       *Paper `json:"paper,omitempty"` // nil if the paper gives no numbers
}

// Declared returns all declared experiments, sorted by name. It fails if a file is not valid, naming the file.
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
		From         string          `json:"from"`
		Seeds        int             `json:"seeds"`
		AllowUnknown bool            `json:"allow_unk"`
		KeepSamples  bool            `json:"keep_samples"`
		Paper        *Paper          `json:"paper"`
	}
	if err := jsonfile.DecodeKnown("experiment", data, &file); err != nil {
		return Experiment{}, err
	}
	settings, err := ParseSettings(Defaults(), file.Settings)
	if err != nil {
		return Experiment{}, err
	}
	if err := settings.Check(nil); err != nil {
		return Experiment{}, err
	}
	if settings.Loss == SelfCritical && file.From == "" {
		return Experiment{}, fmt.Errorf("loss %s without from: name the experiment to start from", SelfCritical)
	}
	if file.Seeds < 0 || file.Seeds > 1000 {
		return Experiment{}, fmt.Errorf("seeds: %d; use 1 to 1000", file.Seeds)
	}
	return Experiment{About: file.About, Settings: settings, From: file.From, Seeds: max(file.Seeds, 1),
		AllowUnknown: file.AllowUnknown, KeepSamples: file.KeepSamples, Paper: file.Paper}, nil
}

// Named returns the settings of the declared experiment called name. The error for an unknown name lists the known
// ones.
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

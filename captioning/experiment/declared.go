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
	Paper    *Paper `json:"paper,omitempty"` // nil where the paper gives no number
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
		About    string          `json:"about"`
		Settings json.RawMessage `json:"settings"`
		Paper    *Paper          `json:"paper"`
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
	return Experiment{About: file.About, Settings: settings, Paper: file.Paper}, nil
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

package experiment

import (
	"encoding/json"
	"fmt"
	"slices"

	"captionlab/datasets/jsonfile"
)

// laterSettings were added after runs had been recorded. JSON omits them at their defaults, so that those runs keep
// their identity. Zero stands for the default.
var laterSettings = []string{"precision", "label_smoothing", "embedding_dropout", "weight_tying", "attention",
	"attention_regulariser", "samples", "reward", "critic"}

// MarshalJSON omits later settings at their defaults.
func (s Settings) MarshalJSON() ([]byte, error) {
	type plain Settings
	defaults := Defaults()
	mine, usual := s.fields(), defaults.fields()
	for _, name := range laterSettings {
		if mine[name].Interface() == usual[name].Interface() {
			mine[name].SetZero()
		}
	}
	return json.Marshal(plain(s))
}

// UnmarshalJSON reads the output of MarshalJSON.
func (s *Settings) UnmarshalJSON(data []byte) error {
	type plain Settings
	if err := jsonfile.Decode("settings", data, (*plain)(s)); err != nil {
		return err
	}
	defaults := Defaults()
	mine, usual := s.fields(), defaults.fields()
	for _, name := range laterSettings {
		if mine[name].IsZero() {
			mine[name].Set(usual[name])
		}
	}
	return nil
}

// trainingSettings are the settings that may differ between a run and the one that it starts from. All others describe
// the model.
var trainingSettings = []string{"max_tokens", "learning_rate", "batch_size", "epochs", "loss", "batching", "seed",
	"dropout", "clip_norm", "patience", "lr_decay", "lr_patience", "precision", "label_smoothing", "embedding_dropout",
	"attention_regulariser", "samples", "reward", "critic"}

// WithModelOf returns s with every setting that describes the model replaced by that of start.
func (s Settings) WithModelOf(start Settings) Settings {
	mine, theirs := s.fields(), start.fields()
	for _, name := range Names() {
		if !slices.Contains(trainingSettings, name) {
			mine[name].Set(theirs[name])
		}
	}
	return s
}

// checkSelfCritical reports settings that exclude each other under loss=self-critical.
func (s Settings) checkSelfCritical() []error {
	if s.Loss != SelfCritical {
		return nil
	}
	var problems []error
	if s.Critic == "samples" && s.Samples < 2 {
		problems = append(problems, fmt.Errorf("setting samples=%d: the critic compares the samples of an image: "+
			"use 2 or more, or critic=greedy", s.Samples))
	}
	if s.Samples > s.BatchSize {
		problems = append(problems, fmt.Errorf("setting samples=%d: at most batch_size=%d", s.Samples, s.BatchSize))
	}
	if s.LabelSmoothing != 0 {
		problems = append(problems, fmt.Errorf("setting label_smoothing=%v: use 0 with loss=%s, whose targets are "+
			"the model's own samples", s.LabelSmoothing, SelfCritical))
	}
	return problems
}

package experiment

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

func TestDefaultsAreAllowed(t *testing.T) {
	if err := Defaults().Check(nil); err != nil {
		t.Fatal(err)
	}
}

func TestEverySettingHasARange(t *testing.T) {
	for _, name := range Names() {
		_, isChoice := choices[name]
		_, isNumber := limits[name]
		if isParsed := parsed[name] != nil; isParsed {
			isChoice = !isChoice
		}
		if isChoice == isNumber {
			t.Errorf("setting %s: has choices %v, has limits %v; want exactly one of them", name, isChoice, isNumber)
		}
	}
}

func TestBadSettings(t *testing.T) {
	for _, c := range []struct{ assignment, want string }{
		{"hidden", "name=value"},
		{"hiden=3", `unknown setting "hiden"`},
		{"hidden=three", "not a number"},
		{"hidden=1.5", "not a number"},
		{"hidden=0", "hidden=0: use a value from 1"},
		{"learning_rate=-1", "learning_rate=-1"},
		{"learning_rate=NaN", "learning_rate=NaN"},
		{"dropout=1", "dropout=1"},
		{"cell=gru", "lstm or rnn"},
		{"precision=float16", "float32 or bfloat16"},
		{"label_smoothing=1", "label_smoothing=1"},
		{"embedding_dropout=-0.1", "embedding_dropout=-0.1"},
		{"reward=cider", "cider-d"},
		{"weight_tying=1", "must be equal"},
		{"weight_tying=2", "weight_tying=2"},
		{"critic=mean", "samples or greedy"},
	} {
		s := Defaults()
		err := s.Set(c.assignment)
		if err == nil {
			err = s.Check(nil)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.assignment, err, c.want)
		}
	}
}

func TestCustomCellIsAllowedIfKnown(t *testing.T) {
	s := Defaults()
	s.Cell = "gru"
	if err := s.Check(func(name string) bool { return name == "gru" }); err != nil {
		t.Fatal(err)
	}
}

func TestParseSettingsRefusesUnknownInput(t *testing.T) {
	for _, bad := range []string{`{"hiden": 3}`, `{"hidden": "x"}`, `{} {}`, `{`, `[]`} {
		if _, err := ParseSettings(Defaults(), []byte(bad)); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}

// TestIdentityOfEarlierRecords checks that runs recorded before the precision setting existed keep their identity: the
// one recorded with the baseline equals the one computed from its settings now.
func TestIdentityOfEarlierRecords(t *testing.T) {
	run, err := ReadRun(filepath.Join("..", "..", "results", "flickr8k", "baseline", "seed-1"))
	if err != nil {
		t.Fatal(err)
	}
	encoder := struct {
		Name          string `json:"name"`
		WeightsSHA256 string `json:"weights_sha256"`
		Preprocessing string `json:"preprocessing"`
		FeatureDim    int    `json:"feature_dim"`
	}{}
	text, err := json.Marshal(run.Encoder)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &encoder); err != nil {
		t.Fatal(err)
	}
	if run.Settings != Defaults() {
		t.Errorf("the baseline's settings are no longer the defaults: %s", run.Settings.Differences(Defaults()))
	}
	identity, err := Identity(run.Settings, run.Fingerprint, encoder)
	if err != nil {
		t.Fatal(err)
	}
	if identity != run.Identity {
		t.Errorf("identity %s, recorded as %s", identity, run.Identity)
	}
	rounded := run.Settings
	rounded.Precision = "bfloat16"
	if other, err := Identity(rounded, run.Fingerprint, encoder); err != nil || other == identity {
		t.Errorf("in bfloat16 the identity is %s (%v), the same as in float32", other, err)
	}
}

// Settings added later are absent from the JSON at their defaults, and come back.
func TestLaterSettingsAreOmittedAtTheirDefaults(t *testing.T) {
	text, err := json.Marshal(Defaults())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range laterSettings {
		if strings.Contains(string(text), `"`+name+`"`) {
			t.Errorf("%s holds %s", text, name)
		}
	}
	s := Defaults()
	for _, assignment := range []string{"precision=bfloat16", "label_smoothing=0.1", "embedding_dropout=0.25",
		"samples=3", "reward=bleu-4", "critic=greedy", "loss=self-critical"} {
		if err := s.Set(assignment); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []Settings{Defaults(), s} {
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Settings
		if err := json.Unmarshal(text, &got); err != nil || got != want {
			t.Errorf("%s became %+v (%v)", text, got, err)
		}
	}
}

func TestSelfCriticalSettingsExcludeEachOther(t *testing.T) {
	for want, assignments := range map[string][]string{
		"samples=1":           {"samples=1"},
		"batch_size=4":        {"batch_size=4"},
		"label_smoothing=0.1": {"label_smoothing=0.1"},
	} {
		s := Defaults()
		for _, a := range append(assignments, "loss=self-critical") {
			if err := s.Set(a); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Check(nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want one with %q", assignments, err, want)
		}
	}
}

func ExampleParseSettings() {
	s, err := ParseSettings(Defaults(), []byte(`{"learning_rate": 5e-5, "embedding": 800, "hidden": 2048}`))
	fmt.Println(s.Cell, s.LearningRate, s.Embedding, s.Hidden, err)
	// Output: lstm 5e-05 800 2048 <nil>
}

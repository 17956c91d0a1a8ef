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

func ExampleParseSettings() {
	s, err := ParseSettings(Defaults(), []byte(`{"learning_rate": 5e-5, "embedding": 800, "hidden": 2048}`))
	fmt.Println(s.Cell, s.LearningRate, s.Embedding, s.Hidden, err)
	// Output: lstm 5e-05 800 2048 <nil>
}

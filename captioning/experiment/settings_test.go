package experiment

import (
	"fmt"
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
			t.Errorf("setting %s has choices: %v, limits: %v; it needs one of them", name, isChoice, isNumber)
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

func TestOwnCellIsAllowedWhereItIsKnown(t *testing.T) {
	s := Defaults()
	s.Cell = "gru"
	if err := s.Check(func(name string) bool { return name == "gru" }); err != nil {
		t.Fatal(err)
	}
}

func TestParseSettingsRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, bad := range []string{`{"hiden": 3}`, `{"hidden": "x"}`, `{} {}`, `{`, `[]`} {
		if _, err := ParseSettings(Defaults(), []byte(bad)); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}

func ExampleParseSettings() {
	s, err := ParseSettings(Defaults(), []byte(`{"learning_rate": 5e-5, "embedding": 800, "hidden": 2048}`))
	fmt.Println(s.Cell, s.LearningRate, s.Embedding, s.Hidden, err)
	// Output: lstm 5e-05 800 2048 <nil>
}

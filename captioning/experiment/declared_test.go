package experiment

import (
	"strings"
	"testing"
)

func TestDeclaredExperimentsAreValid(t *testing.T) {
	all, err := Declared()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if e.About == "" || e.Name == "" {
			t.Errorf("%+v has no name or no description", e)
		}
	}
	// The figures of the paper's abstract.
	i := 0
	for ; i < len(all) && all[i].Name != "baseline"; i++ {
	}
	if i == len(all) || all[i].Settings != Defaults() || *all[i].Paper != (Paper{1.796, 53.471, 13.988}) {
		t.Errorf("the baseline does not have the paper's settings and numbers")
	}
}

func TestUnknownExperiment(t *testing.T) {
	if _, err := Named("nosuch"); err == nil || !strings.Contains(err.Error(), "baseline") {
		t.Fatalf("error %v does not list the experiments", err)
	}
}

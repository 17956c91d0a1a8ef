package datasets_test

import (
	"strings"
	"testing"

	"captionlab/datasets"
)

func TestParseSplit(t *testing.T) {
	for name, want := range map[string]datasets.Split{
		"train": datasets.Train,
		"val":   datasets.Val,
		"dev":   datasets.Val,
		"test":  datasets.Test,
	} {
		if got, err := datasets.ParseSplit(name); err != nil || got != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "Train", "validation"} {
		if _, err := datasets.ParseSplit(name); err == nil || !strings.Contains(err.Error(), "use train, val or test") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

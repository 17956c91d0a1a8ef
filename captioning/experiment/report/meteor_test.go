package report

import (
	"path/filepath"
	"strings"
	"testing"

	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
)

// addMETEOR gives the greedy captions of a run a score of METEOR.
func (f fixture) addMETEOR(t *testing.T, value, low, high float64) {
	t.Helper()
	record, err := experiment.ReadReadouts(f.dir())
	must(t, err)
	record.Readouts[0].METEOR = score.Intervals{{Metric: score.METEOR, Value: value, Low: low, High: high}}
	must(t, experiment.WriteJSON(filepath.Join(f.dir(), experiment.ReadoutsFile), record))
}

func TestMETEORIsShownWhereItIsKnown(t *testing.T) {
	root := t.TempDir()
	one, two := fixture{root, "baseline", 1, 6}, fixture{root, "baseline", 2, 6}
	one.write(t)
	two.write(t)
	one.addMETEOR(t, 0.2, 0.1, 0.3)
	row := func() string {
		_, err := Write(root)
		must(t, err)
		for line := range strings.Lines(readFile(t, root, "results", "README.md")) {
			if strings.HasPrefix(line, "| baseline | The paper's") {
				return line
			}
		}
		t.Fatal("the page has no row of the baseline")
		return ""
	}
	if cells := strings.Split(row(), " | "); cells[8] != "" {
		t.Errorf("with METEOR of one of two runs, its cell is %q", cells[8])
	}
	two.addMETEOR(t, 0.4, 0.2, 0.5)
	if cells := strings.Split(row(), " | "); cells[8] != "30.00 ± 14.14 [15.00, 40.00]" {
		t.Errorf("the cell of METEOR is %q in %q", cells[8], cells)
	}
	page := readFile(t, root, "results", "README.md")
	if want := "| greedy | 61.88 | 30.00 | "; !strings.Contains(page, want) {
		t.Errorf("the page lacks %q:\n%s", want, page)
	}
}

//go:build long

package captioning

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"captionlab/captioning/experiment"
	"captionlab/captioning/experiment/report"
	"captionlab/captioning/xla/xlatest"
	"captionlab/datasets"
)

// TestLongShapesFromImagesToTableAndBack covers the whole way on drawn images: features, training, decoding strategies,
// records, report. It then traces a number of the table to its run, repeats the run, and expects the same number, to
// the bit.
func TestLongShapesFromImagesToTableAndBack(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	ctx := context.Background()
	t.Setenv("CAPTIONLAB_CACHE", cacheWithWeights(t))
	whole, err := OpenDataset("shapes", "", "")
	must(t, err)
	data, err := NewData(ctx, backend, datasets.Subset(whole, 64, 16, 16),
		DataOptions{Encoder: EncoderOptions{Name: smallEncoder}})
	must(t, err)
	defer data.Close()

	root := t.TempDir()
	settings, err := experiment.Named("baseline") // as declared: report refuses any other
	must(t, err)
	declared := experiment.Experiment{Name: "baseline", About: "on few images", Settings: settings, Seeds: 1}
	r := Reproduction{Data: data, Results: filepath.Join(root, "results"), Checkpoints: t.TempDir()}
	complete := func() {
		jobs, err := r.Plan([]experiment.Experiment{declared}, nil)
		must(t, err)
		must(t,
			r.Run(ctx, backend, jobs[0], RunOptions{Run: experiment.Run{Command: []string{"captionlab", "reproduce"}}}))
	}
	page := func() string {
		_, err := report.Write(root)
		must(t, err)
		data, err := os.ReadFile(filepath.Join(root, "results", "README.md"))
		must(t, err)
		return string(data)
	}
	complete()
	first := page()
	dir := filepath.Join(r.Results, data.Name(), "baseline", "seed-1")
	run, err := experiment.ReadRun(dir)
	must(t, err)
	readouts, err := experiment.ReadReadouts(dir)
	must(t, err)
	number := fmt.Sprintf("%.2f [", readouts.Readouts[0].PA4[0].Value)
	if !strings.Contains(first, number) || !strings.Contains(first, "("+data.Name()+"/baseline/seed-1)") {
		t.Fatalf("the table does not contain %q and its run:\n%s", number, first)
	}
	before, err := os.ReadFile(filepath.Join(dir, experiment.ReadoutsFile))
	must(t, err)

	r.Again = true
	complete()
	again, err := experiment.ReadRun(dir)
	must(t, err)
	if again.Weights != run.Weights {
		t.Errorf("the repeated run ended in other weights")
	}
	after, err := os.ReadFile(filepath.Join(dir, experiment.ReadoutsFile))
	must(t, err)
	if !bytes.Equal(before, after) {
		t.Errorf("the repeated run has other readouts")
	}
	tables := func(page string) string { // everything except the table of training times
		head, rest, _ := strings.Cut(page, "### Runs")
		_, tail, _ := strings.Cut(rest, "### Decoding strategies")
		return head + tail
	}
	if tables(page()) != tables(first) {
		t.Errorf("after the repeated run, the table holds other numbers")
	}
}

package captioning

import (
	"context"
	"math"
	"strings"
	"testing"

	"captionlab/captioning/decoder"
	"captionlab/captioning/xla/xlatest"
	"captionlab/datasets"
)

func TestCandidates(t *testing.T) {
	run := newToyRun(t, t.TempDir())
	run.Settings.Epochs = 2
	model, err := Train(context.Background(), xlatest.OpenForTest(t), run.data, run.TrainConfig)
	must(t, err)
	defer model.Close()
	var ids []string
	for _, ex := range run.data.Dataset.Examples(datasets.Test) {
		ids = append(ids, ex.ID)
	}
	rows, err := run.data.Rows(context.Background(), ids)
	must(t, err)
	searched, err := model.CaptionNBest(ids, rows, decoder.GenerateOptions{Beam: 4})
	must(t, err)
	for _, o := range []decoder.GenerateOptions{{Beam: 4}, {Temperature: 1.5, Seed: 3}} {
		got, err := model.Candidates(rows, 3, o)
		must(t, err)
		if len(got) != len(rows) {
			t.Fatalf("%+v: %d images, want %d", o, len(got), len(rows))
		}
		for i, candidates := range got {
			if o.Beam > 0 && len(candidates) != 3 {
				t.Errorf("image %d has %d candidates, want 3", i, len(candidates))
			}
			seen := make(map[string]bool)
			for k, c := range candidates {
				if want := searched[i][k]; o.Beam > 0 && (c.Text != want.Text || c.LogProb != want.LogProb) {
					t.Errorf("image %d, candidate %d is %+v, the search found %+v", i, k, c, want)
				}
				if seen[c.Text] || k > 0 && c.LogProb > candidates[k-1].LogProb {
					t.Errorf("%+v: image %d: %q comes twice or out of order", o, i, c.Text)
				}
				seen[c.Text] = true
				checkWordsOf(t, c)
			}
		}
	}
}

// checkWordsOf checks that a candidate's words are those of its text and that their probabilities make up its own.
func checkWordsOf(t *testing.T, c Candidate) {
	t.Helper()
	var words []string
	sum := 0.0
	for _, w := range c.Words {
		if w.Text != "<end>" {
			words = append(words, w.Text)
		}
		sum += w.LogProb
	}
	if text := strings.Join(words, " "); text != c.Text || math.Abs(sum-c.LogProb) > 1e-4 {
		t.Errorf("%q with %g has the words %q, which add up to %g", c.Text, c.LogProb, text, sum)
	}
}

func TestCheckCandidates(t *testing.T) {
	for _, c := range []struct {
		n    int
		o    decoder.GenerateOptions
		want string
	}{
		{1, decoder.GenerateOptions{}, ""}, {5, decoder.GenerateOptions{Beam: 5}, ""},
		{5, decoder.GenerateOptions{Temperature: 1}, ""}, {0, decoder.GenerateOptions{}, "at least 1"},
		{5, decoder.GenerateOptions{Beam: 4}, "a beam of at least 5"},
		{2, decoder.GenerateOptions{}, "a beam of 1 does not find 2"},
		{1, decoder.GenerateOptions{Temperature: -1}, "temperature"},
	} {
		if err := CheckCandidates(c.n, c.o); c.want == "" {
			must(t, err)
		} else {
			wantError(t, err, c.want)
		}
	}
}

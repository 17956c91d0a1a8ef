package nbkit

import (
	"html"
	"path/filepath"
	"strings"
	"testing"

	"github.com/janpfeifer/gonb/gonbui/protocol"

	"captionlab/captioning"
	"captionlab/captioning/score"
)

// newRecordsLab is a lab on the drawn pictures whose records are those of the repository.
func newRecordsLab(t *testing.T) *Lab {
	t.Setenv(protocol.GONB_DIR_ENV, filepath.Join("..", "..", "notebooks"))
	ds, err := captioning.OpenDataset("shapes", "")
	must(t, err)
	e, err := named("baseline")
	must(t, err)
	return &Lab{Context: t.Context(), Dataset: ds, Experiment: e, Seed: 1}
}

func TestRecordsOfTheRepository(t *testing.T) {
	l := newRecordsLab(t)
	g, err := l.Result("shapes", "baseline")
	must(t, err)
	run := g.Runs[0]
	ids := RecordedIDs(run)
	if len(ids) != len(run.Captions) {
		t.Fatalf("%d ids for %d captions", len(ids), len(run.Captions))
	}
	if images := run.Coco.Images; len(images) > 1 {
		cider := make(map[score.ID]float64)
		for _, image := range images {
			cider[image.ID] = image.CIDEr
		}
		if cider[score.ID(ids[0])] <= cider[score.ID(ids[len(ids)-1])] {
			t.Error("the first caption scores no better than the last")
		}
	}

	t.Run("captions without pictures, where the dataset is another", func(t *testing.T) {
		l.fingerprint = "another"
		shown, err := l.Recorded(run, 3)
		must(t, err)
		if s := string(shown); strings.Contains(s, "<img") || !strings.Contains(s, html.EscapeString(run.Captions[score.ID(ids[0])])) {
			t.Errorf("shown is %s", s)
		}
		if err := l.Check(run); err == nil || !strings.Contains(err.Error(), "another dataset") {
			t.Errorf("checked against another dataset, the error is %v", err)
		}
	})
	t.Run("captions with pictures, where it is the run's", func(t *testing.T) {
		l.fingerprint = run.Fingerprint
		shown, err := l.Recorded(run, 3)
		must(t, err)
		if n := strings.Count(string(shown), "<img"); n != 3 {
			t.Errorf("%d pictures are shown, want 3", n)
		}
	})
	t.Run("ways of reading out", func(t *testing.T) {
		shown, err := l.Readouts(run, "temperature-", ids[0], ids[1])
		must(t, err)
		s := string(shown)
		for _, want := range []string{"<b>greedy</b>", "<b>T\u00a0=\u00a00.7</b>", html.EscapeString(run.Captions[score.ID(ids[1])])} {
			if !strings.Contains(s, want) {
				t.Errorf("%q is not among the readouts: %s", want, s)
			}
		}
		if strings.Contains(s, "beam") {
			t.Error("a beam search is shown, asked for are temperatures")
		}
		if _, err := l.Readouts(run, "temperature-", "no-such-picture"); err == nil || !strings.Contains(err.Error(), "no-such-picture") {
			t.Errorf("a picture that is not there gives the error %v", err)
		}
	})
	t.Run("scores that the captions do not have", func(t *testing.T) {
		must(t, l.Check(run))
		changed := run
		changed.Captions = make(map[score.ID]string)
		for id, text := range run.Captions {
			changed.Captions[id] = text
		}
		changed.Captions[score.ID(ids[0])] = "a zebra"
		if err := l.Check(changed); err == nil || !strings.Contains(err.Error(), run.Folder) {
			t.Errorf("a caption that changed is not found out: %v", err)
		}
	})
	t.Run("claims", func(t *testing.T) {
		groups, err := l.Results("shapes")
		must(t, err)
		shown, err := ClaimTable(groups)
		must(t, err)
		if s := string(shown); !strings.Contains(s, "LSTM captions better than a vanilla RNN") || strings.Contains(s, "**") {
			t.Errorf("shown is %s", s)
		}
	})
	t.Run("an experiment without a run", func(t *testing.T) {
		if _, err := l.Result("shapes", "no-such"); err == nil || !strings.Contains(err.Error(), "captionlab reproduce --dataset shapes --only no-such") {
			t.Errorf("error %v", err)
		}
	})
}

func TestRulesAreScoredOnTheSamePictures(t *testing.T) {
	l := newRecordsLab(t)
	pictures := l.Dataset.Examples("test")[:3]
	var right, wrong []score.Caption
	for _, ex := range pictures {
		right = append(right, score.Caption{ID: score.ID(ex.ID), Text: ex.Captions[0]})
		wrong = append(wrong, score.Caption{ID: score.ID(ex.ID), Text: "zebra"})
	}
	shown, err := RuleTable(pictures, Rule{"right", right}, Rule{"wrong", wrong})
	must(t, err)
	rows := strings.Split(string(shown), "<tr>")
	if !strings.Contains(rows[2], ">100.0<") || !strings.Contains(rows[3], ">1 of 3<") {
		t.Errorf("a person's captions do not score 100, or the same one thrice is counted otherwise: %s", shown)
	}
}

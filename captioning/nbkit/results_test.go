package nbkit

import (
	"html"
	"maps"
	"slices"
	"strings"
	"testing"

	"captionlab/captioning/score"
)

func TestCaptionsOfARecordedRun(t *testing.T) {
	l := newRecordsLab(t)
	run, err := l.Run("baseline")
	must(t, err)
	ids := RankedIDs(run)
	if len(ids) != len(run.Captions) {
		t.Fatalf("%d ids for %d captions", len(ids), len(run.Captions))
	}
	cider := make(map[string]float64)
	for _, image := range run.Coco.Images {
		cider[string(image.ID)] = image.CIDEr
	}
	if len(ids) > 1 && cider[ids[0]] <= cider[ids[len(ids)-1]] {
		t.Error("the first caption scores no better than the last")
	}
	t.Run("without images on another dataset", func(t *testing.T) {
		l.fingerprint = "another"
		shown, err := l.RunCaptions(run, 3)
		must(t, err)
		first := html.EscapeString(run.Captions[score.ID(ids[0])])
		if s := string(shown); strings.Contains(s, "<img") || !strings.Contains(s, first) {
			t.Errorf("shown is %s", s)
		}
		if err := l.CheckScores(run); err == nil || !strings.Contains(err.Error(), "another dataset") {
			t.Errorf("scores checked on another dataset: error %v", err)
		}
	})
	t.Run("with images on the run's dataset", func(t *testing.T) {
		l.fingerprint = run.Fingerprint
		shown, err := l.RunCaptions(run, 3)
		must(t, err)
		if n := strings.Count(string(shown), "<img"); n != 3 {
			t.Errorf("%d images are shown, want 3", n)
		}
		cards, err := l.BestToWorst(run, 3, 32)
		must(t, err)
		if len(cards) != 3 || cards[0].Caption != run.Captions[score.ID(cards[0].Title)] {
			t.Errorf("the cards are %+v", cards)
		}
	})
}

func TestCaptionsByDecodingStrategy(t *testing.T) {
	l := newRecordsLab(t)
	run, err := l.Run("baseline")
	must(t, err)
	l.fingerprint = run.Fingerprint
	ids := RankedIDs(run)
	shown, err := l.StrategyCaptions(run, "temperature-", ids[0], ids[1])
	must(t, err)
	s := string(shown)
	caption := html.EscapeString(run.Captions[score.ID(ids[1])])
	for _, want := range []string{">greedy<", ">T\u00a0=\u00a00.7<", caption} {
		if !strings.Contains(s, want) {
			t.Errorf("%q is missing in: %s", want, s)
		}
	}
	if strings.Contains(s, "beam") {
		t.Error("beam search is shown, want temperatures only")
	}
	_, err = l.StrategyCaptions(run, "temperature-", "no-such-image")
	if err == nil || !strings.Contains(err.Error(), "no-such-image") {
		t.Errorf("an unknown image: error %v", err)
	}
	_, err = FromStrategy(run, "beam-7")
	if err == nil || !strings.Contains(err.Error(), "beam-5") {
		t.Errorf("an unknown strategy: error %v, want the recorded ones", err)
	}
}

func TestCheckScoresFindsAChangedCaption(t *testing.T) {
	l := newRecordsLab(t)
	run, err := l.Run("baseline")
	must(t, err)
	l.fingerprint = run.Fingerprint
	must(t, l.CheckScores(run))
	changed := run
	changed.Captions = maps.Clone(run.Captions)
	changed.Captions[score.ID(RankedIDs(run)[0])] = "a zebra"
	if err := l.CheckScores(changed); err == nil || !strings.Contains(err.Error(), run.Folder) {
		t.Errorf("error %v, want one that names the run", err)
	}
}

func TestTablesOfAllRecords(t *testing.T) {
	l := newRecordsLab(t)
	groups, err := l.Results("shapes")
	must(t, err)
	claims, err := ClaimTable(groups)
	must(t, err)
	const claim = "An LSTM generates better captions than a vanilla RNN"
	if s := string(claims); !strings.Contains(s, claim) || strings.Contains(s, "**") {
		t.Errorf("the claims are %s", s)
	}
	leads, err := LeadTable(groups)
	must(t, err)
	if s := string(leads); !strings.Contains(s, ">greedy<") || !strings.Contains(s, "the paper: not stated") {
		t.Errorf("the leads are %s", s)
	}
	if _, err := LeadTable(Only(groups, "baseline")); err == nil || !strings.Contains(err.Error(), "reproduce") {
		t.Errorf("leads without best-lstm: error %v", err)
	}
	baseline := Only(groups, "no-such", "baseline")
	if len(baseline) != 1 {
		t.Fatalf("%d groups, want 1", len(baseline))
	}
	strategies := string(StrategyTable(baseline[0]))
	if strings.Contains(strategies, "NaN") || !strings.Contains(strategies, "beam\u00a0of\u00a05") {
		t.Errorf("the strategies are %s", strategies)
	}
	if s := string(ResultTable(groups)); strings.Contains(s, "NaN") || strings.Count(s, "<tr>") != len(groups)+1 {
		t.Errorf("the results are %s", s)
	}
}

func TestAnExperimentWithoutARun(t *testing.T) {
	l := newRecordsLab(t)
	_, err := l.Result("shapes", "no-such")
	if err == nil || !strings.Contains(err.Error(), "captionlab reproduce --dataset shapes --only no-such") {
		t.Errorf("error %v", err)
	}
	own, err := l.OwnResults()
	must(t, err)
	var of []string
	for _, g := range own {
		of = append(of, g.Runs[0].Dataset)
	}
	if !slices.Equal(of, []string{"shapes", "flickr8k"}) {
		t.Errorf("the results of this notebook's experiment are on %q", of)
	}
}

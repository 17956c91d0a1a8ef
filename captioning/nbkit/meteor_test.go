package nbkit

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"captionlab/captioning/experiment"
	"captionlab/captioning/experiment/report"
	"captionlab/captioning/score/meteor"
)

// noMETEOR hides METEOR's tables.
func noMETEOR(t *testing.T) {
	t.Helper()
	t.Setenv("CAPTIONLAB_CACHE", t.TempDir())
}

// smallMETEOR provides small tables.
func smallMETEOR(t *testing.T) {
	t.Helper()
	noMETEOR(t)
	path, err := meteor.Path()
	must(t, err)
	must(t, meteor.Build(path, meteor.Sources{Function: strings.NewReader("a\nthe\non\nof\n"),
		Synsets:     strings.NewReader("lawn\n1\ngrass\n1\n"),
		Paraphrases: strings.NewReader("0.5\na group of\nseveral\n")}))
}

const howToFetch = "captionlab fetch meteor"

func TestMETEORMatchIsDrawn(t *testing.T) {
	smallMETEOR(t)
	shown, err := METEORMatch("several <dogs> running on the grass", "A cat.", "A group of dogs runs on a lawn")
	must(t, err)
	text := string(shown)
	for _, want := range []string{">a cat (0.0)<", "no match",
		moduleColors[meteor.Paraphrase] + `;border-radius:3px;padding:1px 5px;margin-right:4px">several<sub`,
		moduleColors[meteor.Synonym] + `;border-radius:3px;padding:1px 5px;margin-right:4px">lawn<sub`,
		unmatched + `;border-radius:3px;padding:1px 5px;margin-right:4px">the<`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not shown: %s", want, text)
		}
	}
	// "a group of" and "several" have the same number, the first.
	if n := strings.Count(text, ">1</sub>"); n != 4 {
		t.Errorf("the first match is shown on %d words, want 4: %s", n, text)
	}
	if strings.Contains(text, "<dogs>") {
		t.Errorf("a caption's text is not escaped: %s", text)
	}
	if n := strings.Count(text, "border-left:2px"); n != 2*3 {
		t.Errorf("%d borders between 4 chunks, want 3 in each text: %s", n, text)
	}
	if _, err := METEORMatch("a dog"); err == nil {
		t.Error("no references were accepted")
	}
}

func TestWithoutTablesNotebooksSayHowToGetThem(t *testing.T) {
	noMETEOR(t)
	shown, err := METEORMatch("a dog", "a dog")
	must(t, err)
	if !strings.Contains(string(shown), howToFetch) {
		t.Errorf("METEORMatch shows %s", shown)
	}
	l := newRecordsLab(t)
	shown, err = l.RewardTable([]string{"a red circle"}, [2]string{"same", "a red circle"})
	must(t, err)
	if text := string(shown); !strings.Contains(text, howToFetch) || !strings.Contains(text, ">100.0<") ||
		strings.Contains(text, ">METEOR<") {
		t.Errorf("RewardTable shows %s", text)
	}
	run, err := l.Run("baseline")
	must(t, err)
	l.fingerprint = run.Fingerprint
	shown, err = l.RankTable(run)
	must(t, err)
	if text := string(shown); !strings.Contains(text, howToFetch) || strings.Count(text, "<tr>") != 11 {
		t.Errorf("RankTable shows %s", text)
	}
	// Damaged tables are an error.
	path, err := meteor.Path()
	must(t, err)
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte("damaged"), 0o644))
	if _, err := METEORMatch("a dog", "a dog"); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("damaged tables: error %v", err)
	}
	if _, err := l.RankTable(run); err == nil {
		t.Error("damaged tables: no error of RankTable")
	}
}

func TestMetricsRankTheSameCaptions(t *testing.T) {
	smallMETEOR(t)
	l := newRecordsLab(t)
	shown, err := l.RewardTable([]string{"a red circle on the grass"}, [2]string{"same", "a red circle on the grass"},
		[2]string{"synonym", "a red circle on the lawn"}, [2]string{"other", "x y z"})
	must(t, err)
	rows := strings.Split(string(shown), "<tr>")
	if !strings.Contains(rows[1], ">METEOR<") || strings.Count(rows[2], ">100.0<") != 4 ||
		strings.Count(rows[4], ">0.0<") != len(rewardMetrics) {
		t.Errorf("RewardTable shows %s", shown)
	}
	run, err := l.Run("baseline")
	must(t, err)
	l.fingerprint = run.Fingerprint
	shown, err = l.RankTable(run)
	must(t, err)
	if text := string(shown); !strings.Contains(text, ">METEOR<") || !strings.Contains(text, ">1 (") {
		t.Errorf("RankTable shows %s", text)
	}
	run.Fingerprint = "other"
	if _, err := l.RankTable(run); err == nil || !strings.Contains(err.Error(), "another dataset") {
		t.Errorf("a run on another dataset: error %v", err)
	}
}

func TestRanks(t *testing.T) {
	values := []float64{3, 1, 3, 2}
	var places []int
	for k := range values {
		places = append(places, rank(values, k))
	}
	if !slices.Equal(places, []int{1, 4, 1, 3}) {
		t.Errorf("places %v", places)
	}
}

// The values are those of scipy.stats.kendalltau of SciPy 1.17.
func TestKendall(t *testing.T) {
	for _, c := range []struct {
		a, b []float64
		want float64
	}{
		{[]float64{1, 2, 3, 4}, []float64{1, 2, 3, 4}, 1},
		{[]float64{1, 2, 3, 4}, []float64{4, 3, 2, 1}, -1},
		{[]float64{1, 2, 3, 4}, []float64{1, 3, 2, 4}, 2. / 3},
		{[]float64{12, 2, 1, 12, 2}, []float64{1, 4, 7, 1, 0}, -0.4714045207910316},
		{[]float64{1, 1}, []float64{1, 2}, math.NaN()},
	} {
		if got := kendall(c.a, c.b); math.Abs(got-c.want) > 1e-15 || math.IsNaN(got) != math.IsNaN(c.want) {
			t.Errorf("%v and %v: %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

func TestRankCorrelations(t *testing.T) {
	l := newRecordsLab(t)
	groups, err := l.Results("shapes")
	must(t, err)
	shown, err := RankCorrelations(groups, nil)
	must(t, err)
	greedy, err := RankCorrelations(groups, func(name string) bool { return name == experiment.Greedy })
	must(t, err)
	for _, text := range []string{string(shown), string(greedy)} {
		if strings.Count(text, ">1.00<") < len(systemMetrics) || strings.Contains(text, "NaN") {
			t.Errorf("%s", text)
		}
	}
	if shown == greedy {
		t.Error("strategies are not chosen")
	}
	for i := range groups {
		for k := range groups[i].Runs {
			groups[i].Runs[k].Readouts = experiment.ReadoutsRecord{Readouts: []experiment.ReadoutRecord{{}}}
		}
	}
	if _, err := RankCorrelations(groups, nil); err == nil || !strings.Contains(err.Error(), "--rescore") {
		t.Errorf("without METEOR: error %v", err)
	}
	if _, err := RankCorrelations([]report.Group{}, nil); err == nil {
		t.Error("no systems were accepted")
	}
}

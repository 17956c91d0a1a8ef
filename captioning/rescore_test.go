package captioning

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
	"captionlab/captioning/score/meteor"
	"captionlab/datasets"
)

// smallMETEOR makes a cache folder with tables of METEOR that have two synonyms.
func smallMETEOR(t *testing.T) *meteor.Tables {
	t.Helper()
	t.Setenv("CAPTIONLAB_CACHE", t.TempDir())
	path, err := meteor.Path()
	must(t, err)
	must(t, meteor.Build(path, meteor.Sources{Synsets: strings.NewReader("circle\n1\ndisc\n1\n")}))
	tables, err := meteor.OpenFetched()
	must(t, err)
	t.Cleanup(func() { tables.Close() })
	return tables
}

// recordedRun is a run on the embedded dataset whose captions were made up: a reference of each image, or parts of it.
type recordedRun struct {
	refs     score.References
	captions map[string][]score.Caption // by strategy
	weights  string
}

func newRecordedRun(t *testing.T) recordedRun {
	t.Helper()
	ds, err := OpenDataset("shapes", "", "")
	must(t, err)
	examples := ds.Examples(datasets.Test)[:20]
	r := recordedRun{References(examples), make(map[string][]score.Caption), "<sum>"}
	for i, ex := range examples {
		words := strings.Fields(ex.Captions[0])
		for strategy, n := range map[string]int{experiment.Greedy: len(words) - i%3, "beam-3": 3 + i%3, "beam-5": 3} {
			r.captions[strategy] = append(r.captions[strategy],
				score.Caption{ID: score.ID(ex.ID), Text: strings.Join(words[:min(n, len(words))], " ")})
		}
	}
	return r
}

// write writes the records that a rescore reads, with METEOR if tables is not nil. The captions of beam-5 are not
// recorded.
func (r recordedRun) write(t *testing.T, dir string, tables *meteor.Tables) {
	t.Helper()
	must(t, experiment.WriteJSON(filepath.Join(dir, experiment.RunFile),
		experiment.Run{Dataset: "shapes", Weights: r.weights, Settings: experiment.Defaults()}))
	seen, err := score.NewSeen(nil, "")
	must(t, err)
	record := experiment.ReadoutsRecord{Weights: r.weights, Split: "test"}
	var greedy decoded
	for _, name := range []string{experiment.Greedy, "beam-3", "beam-5"} {
		d := decoded{captions: r.captions[name]}
		d.coco, d.pa4, err = score.Both(r.refs, d.captions)
		must(t, err)
		if tables != nil && name != "beam-5" {
			d.meteor, err = scoreMETEOR(tables, r.refs, d.captions)
			must(t, err)
		}
		if name == experiment.Greedy {
			greedy = d
		}
		if name != "beam-5" {
			must(t, score.WriteCaptions(filepath.Join(dir, experiment.ReadoutCaptionsFile("test", name)), d.captions))
		}
		out, err := d.record(experiment.Readout{Name: name, Beam: 1}, greedy, seen)
		must(t, err)
		record.Readouts = append(record.Readouts, out)
	}
	must(t, experiment.WriteJSON(filepath.Join(dir, experiment.ReadoutsFile), record))
	e := Evaluation{Split: datasets.Test, Coco: greedy.coco, PA4: greedy.pa4, Distinct: 7}
	if tables != nil {
		e.METEOR = &greedy.meteor.Values()[0]
	}
	must(t, experiment.WriteJSON(filepath.Join(dir, experiment.MetricsFile), e))
}

// contents returns the files below a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	must(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, dir)] = string(text)
		return err
	}))
	return files
}

// rescore calls Rescore and returns what it did, by folder.
func rescore(t *testing.T, results string) (map[string]Rescored, error) {
	t.Helper()
	all := make(map[string]Rescored)
	err := Rescore(context.Background(), results, func(r Rescored) { all[filepath.ToSlash(r.Folder)] = r })
	return all, err
}

func TestRescoredRecordsAreThoseOfARunWithMETEOR(t *testing.T) {
	tables := smallMETEOR(t)
	r := newRecordedRun(t)
	want, results := t.TempDir(), t.TempDir()
	r.write(t, filepath.Join(want, "shapes", "a", "seed-1"), tables)
	r.write(t, filepath.Join(results, "shapes", "a", "seed-1"), nil)
	for i, changed := range []bool{true, false} {
		done, err := rescore(t, results)
		must(t, err)
		if one := done["shapes/a/seed-1"]; len(done) != 1 || one.LeftOut != nil || one.Changed != changed {
			t.Errorf("rescore %d did %+v", i+1, done)
		}
		if got, want := contents(t, results), contents(t, want); !maps.Equal(got, want) {
			t.Fatalf("rescore %d left\n%s\nwant\n%s", i+1, got, want)
		}
	}
	record, err := experiment.ReadReadouts(filepath.Join(results, "shapes", "a", "seed-1"))
	must(t, err)
	three, _ := record.Get("beam-3")
	five, _ := record.Get("beam-5")
	if three.METEORValue() <= 0 || len(three.METEORAgainstGreedy) != 1 || len(five.METEOR) != 0 {
		t.Errorf("beam-3 has %v, %v; beam-5, without captions, has %v", three.METEOR, three.METEORAgainstGreedy,
			five.METEOR)
	}
}

func TestRescoreWithoutTablesChangesNothing(t *testing.T) {
	results := t.TempDir()
	newRecordedRun(t).write(t, results, nil)
	before := contents(t, results)
	t.Setenv("CAPTIONLAB_CACHE", t.TempDir())
	if _, err := rescore(t, results); !errors.Is(err, meteor.ErrNotFetched) {
		t.Errorf("error %v, want ErrNotFetched", err)
	}
	if !maps.Equal(contents(t, results), before) {
		t.Error("records have changed")
	}
}

func TestRescoreLeavesOutRunsWithoutData(t *testing.T) {
	smallMETEOR(t)
	t.Setenv("CAPTIONLAB_DATA", t.TempDir())
	results := t.TempDir()
	r := newRecordedRun(t)
	for _, name := range []string{"elsewhere", "unknown", "own", "bare"} {
		r.write(t, filepath.Join(results, name), nil)
	}
	write := func(name string, run experiment.Run) {
		must(t, experiment.WriteJSON(filepath.Join(results, name, experiment.RunFile), run))
	}
	write("elsewhere", experiment.Run{Dataset: "flickr8k"})
	write("unknown", experiment.Run{Dataset: "toy"})
	write("own", experiment.Run{Dataset: "own-x", Source: Source{Path: filepath.Join(results, "nosuch")}})
	must(t, os.Remove(filepath.Join(results, "bare", experiment.CaptionsFile("test"))))
	before := contents(t, results)
	done, err := rescore(t, results)
	must(t, err)
	for name, want := range map[string]string{"elsewhere": "captionlab fetch flickr8k",
		"unknown": `unknown dataset "toy"`, "own": "nosuch", "bare": "captions are not recorded"} {
		wantError(t, done[name].LeftOut, want)
	}
	if !maps.Equal(contents(t, results), before) {
		t.Error("records have changed")
	}
}

func TestRescoreRefusesWhatDoesNotFit(t *testing.T) {
	smallMETEOR(t)
	r := newRecordedRun(t)
	for _, c := range []struct {
		name, file, old, by string
		want                []string
	}{
		{"truncated captions", "captions_test.json", "]\n", "", []string{"captions_test.json", "truncated"}},
		{"another caption", "captions_test.json", `"caption":"`, `"caption":"not `,
			[]string{"captions_test.json", "BLEU-1 is", "is recorded", "captionlab reproduce"}},
		{"another sample", "captions_test_beam-3.json", `"caption":"`, `"caption":"not `,
			[]string{"captions_test_beam-3.json", "BLEU-1 is"}},
		{"unknown image", "captions_test.json", `"image_id":`, `"image_id":7`,
			[]string{"captions_test.json", "do not belong together"}},
		{"damaged record", "readouts.json", "}", "", []string{"readouts.json"}},
		{"no coco scores", "metrics.json", `"coco"`, `"other"`, []string{"metrics.json", "no scores of protocol coco"}},
		{"greedy not first", "readouts.json", `"greedy"`, `"beam-3"`, []string{"readouts.json"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			results := t.TempDir()
			r.write(t, filepath.Join(results, "a"), nil)
			r.write(t, filepath.Join(results, "b"), nil)
			file := filepath.Join(results, "a", c.file)
			text, err := os.ReadFile(file)
			must(t, err)
			changed := strings.Replace(string(text), c.old, c.by, 1)
			if changed == string(text) {
				t.Fatalf("%s does not contain %q", file, c.old)
			}
			must(t, os.WriteFile(file, []byte(changed), 0o644))
			before := contents(t, filepath.Join(results, "a"))
			done, err := rescore(t, results)
			wantError(t, err, c.want...)
			if !maps.Equal(contents(t, filepath.Join(results, "a")), before) {
				t.Error("records of the refused run have changed")
			}
			if !done["b"].Changed {
				t.Errorf("the other run was not rescored: %+v", done)
			}
		})
	}
}

// A model's evaluation and records have METEOR if its tables are there, and a notice says so, once, if they are not.
func TestEvaluationHasMETEORWithItsTables(t *testing.T) {
	data := toyData(t)
	var notices []string
	data.options.Notice = func(line string) { notices = append(notices, line) }
	refs := References(data.Dataset.Examples(datasets.Test))
	e := &Evaluation{Captions: []score.Caption{}}
	for _, ex := range data.Dataset.Examples(datasets.Test) {
		e.Captions = append(e.Captions, score.Caption{ID: score.ID(ex.ID), Text: ex.Captions[1]})
	}
	t.Setenv("CAPTIONLAB_CACHE", t.TempDir())
	for range 2 {
		must(t, e.scoreMETEOR(data, refs))
	}
	if e.METEOR != nil || len(notices) != 1 || !strings.Contains(notices[0], "`captionlab fetch meteor`") {
		t.Errorf("without tables: %v, notices %q", e.METEOR, notices)
	}
	smallMETEOR(t)
	must(t, e.scoreMETEOR(data, refs))
	if e.METEOR == nil || *e.METEOR != 1 || len(notices) != 1 {
		t.Errorf("with tables: %v, notices %q", e.METEOR, notices)
	}
	path, err := meteor.Path()
	must(t, err)
	must(t, os.WriteFile(path, []byte("damaged"), 0o644))
	again := toyData(t)
	again.options.Notice = data.options.Notice
	must(t, e.scoreMETEOR(again, refs))
	if len(notices) != 2 || !strings.Contains(notices[1], path) {
		t.Errorf("with damaged tables: notices %q", notices)
	}
}

package nbkit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"captionlab/captioning/experiment"
	"captionlab/captioning/internal/checksum"
)

// notebook is the part of a notebook file that says which records its outputs show; notebooks/recordsums.py writes it.
type notebook struct {
	Cells []struct {
		Type   string          `json:"cell_type"`
		Source json.RawMessage `json:"source"` // a string or a list of strings
	} `json:"cells"`
	Metadata struct {
		Captionlab *struct {
			Records map[string]string `json:"records"` // SHA-256 by path, relative to the root of the repository
			Sources string            `json:"sources"` // SHA-256 of the code cells
		} `json:"captionlab"`
	} `json:"metadata"`
}

var (
	// readsRecords finds the functions of nbkit that read records, readsAll those that read all runs on a dataset.
	readsRecords = regexp.MustCompile(`\bl\.(Results|Result|Run|OwnResults|ForEachDataset|Figure|CheckScores|` +
		`StrategyCaptions|BestRun)\(|\bnbkit\.FromStrategy\(`)
	readsAll = regexp.MustCompile(`\bl\.(Results|ForEachDataset)\(`)
)

// code returns the sources of the code cells.
func (n notebook) code() ([]string, error) {
	var out []string
	for _, c := range n.Cells {
		if c.Type != "code" {
			continue
		}
		var text string
		if err := json.Unmarshal(c.Source, &text); err != nil {
			var lines []string
			if err := json.Unmarshal(c.Source, &lines); err != nil {
				return nil, err
			}
			text = strings.Join(lines, "")
		}
		out = append(out, text)
	}
	return out, nil
}

// stale returns why the outputs of a notebook are out of date with the repository in root.
func (n notebook) stale(root string) ([]string, error) {
	cells, err := n.code()
	if err != nil {
		return nil, err
	}
	kept := n.Metadata.Captionlab
	if kept == nil {
		return []string{"it does not say which records its outputs show"}, nil
	}
	var problems []string
	if kept.Sources != sourcesSum(cells) {
		problems = append(problems, "its code cells have changed since they were executed")
	}
	code := strings.Join(cells, "\n")
	if readsRecords.MatchString(code) && len(kept.Records) == 0 {
		problems = append(problems, "its cells read records, but it lists none")
	}
	for _, file := range sortedKeys(kept.Records) {
		sum, err := checksum.HashFile(filepath.Join(root, filepath.FromSlash(file)))
		switch {
		case err != nil:
			problems = append(problems, fmt.Sprintf("it shows %s, which cannot be read (%v)", file, err))
		case sum != kept.Records[file]:
			problems = append(problems, fmt.Sprintf("%s has changed", file))
		}
	}
	fresh, err := unlistedRuns(root, kept.Records, readsAll.MatchString(code))
	return append(problems, fresh...), err
}

// unlistedRuns finds runs that a notebook would show but does not list: other seeds of the experiments that it shows
// or, with all, any experiment.
func unlistedRuns(root string, records map[string]string, all bool) ([]string, error) {
	shown := make(map[string]bool) // results/DATASET/EXPERIMENT
	for file := range records {
		if path.Base(file) == experiment.ReadoutsFile {
			shown[path.Dir(path.Dir(file))] = true
		}
	}
	if all {
		declared, err := experiment.Declared()
		if err != nil {
			return nil, err
		}
		for _, e := range declared {
			shown["results/shapes/"+e.Name], shown["results/flickr8k/"+e.Name] = true, true
		}
	}
	var problems []string
	for _, folder := range sortedKeys(shown) {
		pattern := filepath.Join(root, filepath.FromSlash(folder), "seed-*", experiment.ReadoutsFile)
		files, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			run := path.Join(folder, filepath.Base(filepath.Dir(file)))
			if _, ok := records[path.Join(run, experiment.ReadoutsFile)]; !ok {
				problems = append(problems, fmt.Sprintf("the run %s was recorded later", run))
			}
		}
	}
	return problems, nil
}

func sourcesSum(cells []string) string {
	h := sha256.New()
	for _, cell := range cells {
		h.Write([]byte(cell + "\x00"))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// TestNotebooksAreUpToDate checks that the outputs of the notebooks show the records that the repository holds.
func TestNotebooksAreUpToDate(t *testing.T) {
	root := filepath.Join("..", "..")
	files, err := filepath.Glob(filepath.Join(root, "notebooks", "*.ipynb"))
	must(t, err)
	if len(files) == 0 {
		t.Fatal("there are no notebooks")
	}
	for _, file := range files {
		var n notebook
		must(t, experiment.ReadJSON(file, &n))
		problems, err := n.stale(root)
		must(t, err)
		if more := len(problems) - 3; more > 0 {
			problems = append(problems[:3], fmt.Sprintf("and %d more reasons", more))
		}
		if len(problems) > 0 {
			t.Errorf("the outputs of notebooks/%s are out of date: %s. Execute the notebooks: make notebooks-write",
				filepath.Base(file), strings.Join(problems, "; "))
		}
	}
}

func TestStaleNotebooksAreFound(t *testing.T) {
	root := t.TempDir()
	write := func(file, text string) {
		full := filepath.Join(root, filepath.FromSlash(file))
		must(t, os.MkdirAll(filepath.Dir(full), 0o755))
		must(t, os.WriteFile(full, []byte(text), 0o644))
	}
	const first = "results/shapes/baseline/seed-1/readouts.json"
	write(first, "{}")
	empty := hex.EncodeToString(sha256.New().Sum(nil))
	sum := sha256.Sum256([]byte("{}"))
	records := fmt.Sprintf(`{%q: "%x"}`, first, sum)
	const one, all = `l.Run(l.Experiment.Name)`, `l.ForEachDataset(show)`
	sourcesOf := func(code string) string { return sourcesSum([]string{code}) }
	for _, c := range []struct{ name, code, records, sources, also, want string }{
		{name: "up to date", code: one, records: records, sources: sourcesOf(one)},
		{name: "no records needed", code: "x", records: "{}", sources: sourcesOf("x")},
		{name: "changed code", code: one, records: records, sources: empty, want: "code cells have changed"},
		{name: "no records", code: one, records: "{}", sources: sourcesOf(one), want: "it lists none"},
		{name: "changed record", code: one, records: `{"` + first + `": "00"}`, sources: sourcesOf(one),
			want: first + " has changed"},
		{name: "missing record", code: one, records: `{"results/none.svg": "00"}`, sources: sourcesOf(one),
			want: "results/none.svg, which cannot be read"},
		{name: "another experiment", code: one, records: records, sources: sourcesOf(one),
			also: "results/shapes/rnn/seed-1/readouts.json"},
		{name: "another experiment in a list of all", code: all, records: records, sources: sourcesOf(all),
			want: "the run results/shapes/rnn/seed-1 was recorded later"},
		{name: "another seed", code: one, records: records, sources: sourcesOf(one),
			also: "results/shapes/baseline/seed-2/readouts.json",
			want: "the run results/shapes/baseline/seed-2 was recorded later"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.also != "" {
				write(c.also, "{}")
			}
			var n notebook
			text := fmt.Sprintf(`{"cells": [{"cell_type": "markdown", "source": "l.Result()"},
				{"cell_type": "code", "source": [%q]}],
				"metadata": {"captionlab": {"records": %s, "sources": %q}}}`, c.code, c.records, c.sources)
			must(t, json.Unmarshal([]byte(text), &n))
			problems, err := n.stale(root)
			must(t, err)
			found := strings.Join(problems, "; ")
			if (found == "") != (c.want == "") || !strings.Contains(found, c.want) {
				t.Errorf("found %q, want %q", found, c.want)
			}
		})
	}
	if problems, err := (notebook{}).stale(root); err != nil || len(problems) != 1 {
		t.Errorf("a notebook that was never executed: %q, %v", problems, err)
	}
}

// TestRecordsAreNoted checks that the files that a cell shows are listed, and those of other experiments are not.
func TestRecordsAreNoted(t *testing.T) {
	l := newRecordsLab(t)
	list := filepath.Join(t.TempDir(), "records")
	t.Setenv(recordsVariable, list)
	run, err := l.Run("baseline")
	must(t, err)
	_, err = FromStrategy(run, "beam-5")
	must(t, err)
	_, err = l.Figure("shapes", "temperature")
	must(t, err)
	noted, err := os.ReadFile(list)
	must(t, err)
	lines := strings.Split(strings.TrimSpace(string(noted)), "\n")
	for _, want := range []string{"results/shapes/baseline/seed-1/run.json", "results/shapes/temperature.svg",
		"results/shapes/baseline/seed-1/curve.csv", "results/shapes/baseline/seed-1/captions_test_beam-5.json"} {
		if !slices.Contains(lines, want) {
			t.Errorf("%s is not listed: %q", want, lines)
		}
	}
	for _, line := range lines {
		if _, err := os.Stat(filepath.Join("..", "..", filepath.FromSlash(line))); err != nil {
			t.Errorf("listed: %v", err)
		}
		if strings.Contains(line, "rnn") {
			t.Errorf("%s is listed, but not shown", line)
		}
	}
	_, err = l.Results("shapes")
	must(t, err)
	noted, err = os.ReadFile(list)
	must(t, err)
	if !strings.Contains(string(noted), "results/shapes/rnn/seed-1/run.json") {
		t.Errorf("all results are shown, but listed is %s", noted)
	}
}

// Package report makes the tables, figures and claims of results/README.md, and the table of the README, out of the records
// that runs leave behind, and out of nothing else.
package report

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"captionlab/captioning/experiment"
	"captionlab/captioning/internal/atomicfile"
	"captionlab/captioning/score"
)

// Run is one run with all its records.
type Run struct {
	experiment.Run
	Folder   string // relative to the results folder, with slashes
	Readouts experiment.ReadoutsRecord
	Losses   Losses            // of the test split
	Coco     *score.CocoScores // of the greedy captions of the test split
	PA4      *score.PA4Scores
	Captions map[score.ID]string
	Curve    []Point
}

// Losses are the part of metrics.json that is not scores, in nats.
type Losses struct {
	Token  float64 `json:"loss_token"`
	Padded float64 `json:"loss_padded"`
}

// Group is an experiment with the runs of its seeds on one dataset.
type Group struct {
	experiment.Experiment
	Runs []Run // by seed
}

// Files returns what the report consists of: file contents by path relative to root, which holds results/ and README.md.
// Fails for a record that is damaged or does not belong to the others of its run.
func Files(root string) (map[string][]byte, error) {
	experiments, err := experiment.Declared()
	if err != nil {
		return nil, err
	}
	return filesFor(root, experiments)
}

func filesFor(root string, experiments []experiment.Experiment) (map[string][]byte, error) {
	results := filepath.Join(root, "results")
	entries, err := os.ReadDir(results)
	if err != nil {
		return nil, fmt.Errorf("report: %w; run it from the root of the repository", err)
	}
	files := make(map[string][]byte)
	var page, short strings.Builder
	page.WriteString(head)
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		groups, err := readDataset(results, entry.Name(), experiments)
		if err != nil {
			return nil, err
		}
		if len(groups) == 0 {
			continue
		}
		d := dataset{results: results, name: entry.Name(), groups: groups}
		if err := d.write(&page, files); err != nil {
			return nil, err
		}
		if entry.Name() == "shapes" {
			continue // drawn pictures: nothing to lay beside the paper's numbers
		}
		if err := d.writeShort(&short); err != nil {
			return nil, err
		}
	}
	if err := writeForecast(results, experiments, &page); err != nil {
		return nil, err
	}
	files["results/README.md"] = []byte(page.String())
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if errors.Is(err, fs.ErrNotExist) {
		return files, nil
	}
	if err != nil {
		return nil, err
	}
	if files["README.md"], err = between(readme, short.String()); err != nil {
		return nil, err
	}
	return files, nil
}

const head = `# Results

Made by ` + "`captionlab report`" + ` out of the records in this folder; ` + "`captionlab report --check`" + ` fails where this page is stale.
Every run has a folder with ` + "`run.json`" + ` (settings, versions, hashes, the command that makes it again), ` + "`metrics.json`" + `,
` + "`curve.csv`, `captions_test.json`, `images_test.csv`" + ` (scores of single pictures) and ` + "`readouts.json`" + `.

Losses are in nats: ` + "`loss_token`" + ` is the mean over real tokens, ` + "`loss_padded`" + ` the paper's way, which counts pads. Scores are from 0
to 100: protocol ` + "`coco`" + ` is coco-caption's, ` + "`pa4`" + ` the paper's. Brackets hold 95 % bootstrap intervals over pictures (1,000 draws,
of the mean over seeds where there are several); ± is the standard deviation over seeds.
`

// Markers around the table in README.md.
const (
	beginMark = "<!-- made by captionlab report -->\n"
	endMark   = "<!-- end -->\n"
)

func between(readme []byte, table string) ([]byte, error) {
	before, rest, ok := bytes.Cut(readme, []byte(beginMark))
	_, after, found := bytes.Cut(rest, []byte(endMark))
	if !ok || !found {
		return nil, fmt.Errorf("README.md: the lines %q and %q, between which the result table goes, are missing", strings.TrimSpace(beginMark), strings.TrimSpace(endMark))
	}
	return slices.Concat(before, []byte(beginMark), []byte(table), []byte(endMark), after), nil
}

// Write writes the report's files below root, and returns the paths of those that were stale.
func Write(root string) ([]string, error) {
	files, stale, err := compare(root)
	if err != nil {
		return nil, err
	}
	for _, path := range stale {
		full := filepath.Join(root, filepath.FromSlash(path))
		if err := atomicfile.WriteFile(full, files[path]); err != nil {
			return nil, err
		}
	}
	return stale, nil
}

// Check returns an error that names the files below root that are not what the records give.
func Check(root string) error {
	_, stale, err := compare(root)
	if err != nil {
		return err
	}
	if len(stale) > 0 {
		return fmt.Errorf("report: not what the records give: %s; run: captionlab report", strings.Join(stale, ", "))
	}
	return nil
}

func compare(root string) (files map[string][]byte, stale []string, err error) {
	if files, err = Files(root); err != nil {
		return nil, nil, err
	}
	for path, want := range files {
		have, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, err
		}
		if err != nil || !bytes.Equal(have, want) {
			stale = append(stale, path)
		}
	}
	slices.Sort(stale)
	return files, stale, nil
}

// Read returns the runs on a dataset that are done, below the folder results, by experiment in the order of their declaration.
// Fails for a record that is damaged or does not belong to the others of its run.
func Read(results, dataset string) ([]Group, error) {
	experiments, err := experiment.Declared()
	if err != nil {
		return nil, err
	}
	return readDataset(results, dataset, experiments)
}

// readDataset reads the runs of a dataset that are done, by experiment in the order of their declaration.
func readDataset(results, name string, experiments []experiment.Experiment) ([]Group, error) {
	var groups []Group
	for _, e := range experiments {
		g := Group{Experiment: e}
		folders, err := filepath.Glob(filepath.Join(results, name, e.Name, "seed-*"))
		if err != nil {
			return nil, err
		}
		for _, folder := range folders {
			if _, err := os.Stat(filepath.Join(folder, experiment.ReadoutsFile)); errors.Is(err, fs.ErrNotExist) {
				continue // not made by captionlab reproduce, or not yet to its end
			}
			r, err := readRun(folder)
			if err != nil {
				return nil, err
			}
			r.Folder = name + "/" + e.Name + "/" + filepath.Base(folder)
			g.Runs = append(g.Runs, r)
		}
		slices.SortFunc(g.Runs, func(a, b Run) int { return int(a.Settings.Seed - b.Settings.Seed) })
		if len(g.Runs) > 0 {
			groups = append(groups, g)
		}
	}
	return groups, nil
}

func readRun(folder string) (Run, error) {
	var r Run
	var err error
	if r.Run, err = experiment.ReadRun(folder); err != nil {
		return r, err
	}
	if r.Readouts, err = experiment.ReadReadouts(folder); err != nil {
		return r, err
	}
	if r.Readouts.Weights != r.Weights {
		return r, fmt.Errorf("%s: %s and %s are of different weights; make the run again with captionlab reproduce", folder, experiment.RunFile, experiment.ReadoutsFile)
	}
	if len(r.Readouts.Readouts) == 0 || r.Readouts.Readouts[0].Readout.Name != experiment.Greedy {
		return r, fmt.Errorf("%s: the first readout is not the greedy one", filepath.Join(folder, experiment.ReadoutsFile))
	}
	var metrics struct {
		Losses Losses `json:"losses"`
	}
	if err := experiment.ReadJSON(filepath.Join(folder, experiment.MetricsFile), &metrics); err != nil {
		return r, err
	}
	r.Losses = metrics.Losses
	if r.Coco, r.PA4, err = score.ReadImages(filepath.Join(folder, experiment.ImagesFile("test"))); err != nil {
		return r, err
	}
	captions, err := score.ReadCaptions(filepath.Join(folder, experiment.CaptionsFile("test")))
	if err != nil {
		return r, err
	}
	r.Captions = make(map[score.ID]string)
	for _, c := range captions {
		r.Captions[c.ID] = c.Text
	}
	r.Curve, err = readCurve(filepath.Join(folder, experiment.CurveFile))
	return r, err
}

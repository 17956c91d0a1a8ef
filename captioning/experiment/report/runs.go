package report

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
)

// Run is one run with all its records.
type Run struct {
	experiment.Run
	Folder   string // relative to the results folder, with slashes
	Readouts experiment.ReadoutsRecord
	Losses   experiment.Losses // of the test split
	Coco     *score.CocoScores // of the greedy captions of the test split
	PA4      *score.PA4Scores
	Captions map[score.ID]string
	Curve    []experiment.CurvePoint
}

// Group is an experiment with the runs of its seeds on one dataset.
type Group struct {
	experiment.Experiment
	Runs []Run // by seed
}

// Read returns the completed runs on a dataset below the folder results, by experiment in the order of declaration. It
// fails for a record that is damaged or does not belong to the others of its run.
func Read(results, dataset string) ([]Group, error) {
	experiments, err := experiment.Declared()
	if err != nil {
		return nil, err
	}
	return readGroups(results, dataset, experiments)
}

// readDatasets reads the completed runs of all datasets that have any.
func readDatasets(results string, experiments []experiment.Experiment) ([]dataset, error) {
	entries, err := os.ReadDir(results)
	if err != nil {
		return nil, fmt.Errorf("report: %w; the root must be the folder that contains results", err)
	}
	var out []dataset
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		groups, err := readGroups(results, entry.Name(), experiments)
		if err != nil {
			return nil, err
		}
		if len(groups) > 0 {
			d := dataset{results: results, name: entry.Name(), groups: groups}
			for _, e := range experiments {
				if _, ok := d.group(e.Name); !ok {
					d.missing = append(d.missing, e.Name)
				}
			}
			out = append(out, d)
		}
	}
	return out, nil
}

func readGroups(results, name string, experiments []experiment.Experiment) ([]Group, error) {
	var groups []Group
	for _, e := range experiments {
		g := Group{Experiment: e}
		folders, err := filepath.Glob(filepath.Join(results, name, e.Name, "seed-*"))
		if err != nil {
			return nil, err
		}
		for _, folder := range folders {
			if _, err := os.Stat(filepath.Join(folder, experiment.ReadoutsFile)); errors.Is(err, fs.ErrNotExist) {
				continue // not written by captionlab reproduce, or not complete yet
			}
			r, err := readRun(folder)
			if err != nil {
				return nil, err
			}
			declared := e.Settings
			declared.Seed = r.Settings.Seed
			if other := r.Settings.Differences(declared); other != "" {
				return nil, fmt.Errorf("%s: the run has other settings than %s declares (%s): remove the folder, and "+
					"run it again with captionlab reproduce", folder, e.Name, other)
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
		return r, fmt.Errorf("%s: %s and %s are of different weights; repeat the run with captionlab reproduce",
			folder, experiment.RunFile, experiment.ReadoutsFile)
	}
	if len(r.Readouts.Readouts) == 0 || r.Readouts.Readouts[0].Readout.Name != experiment.Greedy {
		return r, fmt.Errorf("%s: the first decoding strategy is not %s; repeat the run with captionlab reproduce",
			filepath.Join(folder, experiment.ReadoutsFile), experiment.Greedy)
	}
	var metrics struct {
		Losses experiment.Losses `json:"losses"`
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
	r.Curve, err = experiment.ReadCurve(folder)
	return r, err
}

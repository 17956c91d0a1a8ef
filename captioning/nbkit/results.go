package nbkit

import (
	"errors"
	"fmt"
	"html/template"
	"math"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/janpfeifer/gonb/gonbui/protocol"

	"captionlab/captioning/experiment"
	"captionlab/captioning/experiment/report"
	"captionlab/captioning/score"
	"captionlab/datasets"
)

// ResultsFolder finds the results folder of the repository that the notebook is in.
func ResultsFolder() (string, error) {
	dir := os.Getenv(protocol.GONB_DIR_ENV)
	if dir == "" {
		var err error
		if dir, err = os.Getwd(); err != nil {
			return "", err
		}
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "results", "README.md")); err == nil {
			return filepath.Join(at, "results"), nil
		}
		if at == filepath.Dir(at) {
			return "", errors.New("no folder results above this notebook: keep the notebook in captionlab's " +
				"folder notebooks")
		}
	}
}

// resultFile returns the path of a file of the results folder, and notes that a cell shows it.
func resultFile(name string) (string, error) {
	folder, err := ResultsFolder()
	if err != nil {
		return "", err
	}
	return filepath.Join(folder, filepath.FromSlash(name)), noteRecords(name)
}

// readResults returns the recorded runs on a dataset, by experiment.
func readResults(dataset string) ([]report.Group, error) {
	folder, err := ResultsFolder()
	if err != nil {
		return nil, err
	}
	groups, err := report.Read(folder, dataset)
	if err == nil && len(groups) == 0 {
		err = fmt.Errorf("results/%s holds no run yet: create runs with `captionlab reproduce --dataset %s`",
			dataset, dataset)
	}
	return groups, err
}

// runFiles are the files of a run that package report reads.
var runFiles = []string{experiment.RunFile, experiment.MetricsFile, experiment.ReadoutsFile, experiment.CurveFile,
	experiment.CaptionsFile(string(datasets.Test)), experiment.ImagesFile(string(datasets.Test))}

// noteRuns notes that a cell shows the runs of groups.
func noteRuns(groups ...report.Group) error {
	var names []string
	for _, g := range groups {
		for _, r := range g.Runs {
			for _, file := range runFiles {
				names = append(names, path.Join(r.Folder, file))
			}
		}
	}
	return noteRecords(names...)
}

// Results returns all recorded runs on a dataset, by experiment.
func (l *Lab) Results(dataset string) ([]report.Group, error) {
	groups, err := readResults(dataset)
	if err != nil {
		return nil, err
	}
	return groups, noteRuns(groups...)
}

// Result returns the recorded runs of one experiment on a dataset.
func (l *Lab) Result(dataset, name string) (report.Group, error) {
	groups, err := readResults(dataset)
	if err != nil {
		return report.Group{}, err
	}
	if found := Only(groups, name); len(found) > 0 {
		return found[0], noteRuns(found...)
	}
	var names []string
	for _, g := range groups {
		names = append(names, g.Name)
	}
	return report.Group{}, fmt.Errorf("results/%s holds no run of experiment %q; it holds %s. "+
		"Create it with `captionlab reproduce --dataset %s --only %s`",
		dataset, name, strings.Join(names, ", "), dataset, name)
}

// Run returns the first recorded run of the named experiment on this notebook's dataset.
func (l *Lab) Run(name string) (report.Run, error) {
	g, err := l.Result(l.Dataset.Name(), name)
	if err != nil {
		return report.Run{}, err
	}
	return g.Runs[0], nil
}

// recordedDatasets are the datasets whose records a notebook shows: its own, and Flickr8k, whose records are readable
// without its images.
func (l *Lab) recordedDatasets() []string {
	if name := l.Dataset.Name(); name != "flickr8k" {
		return []string{name, "flickr8k"}
	}
	return []string{"flickr8k"}
}

// OwnResults returns the recorded runs of this notebook's experiment, on its dataset and on Flickr8k. It fails if there
// are none.
func (l *Lab) OwnResults() ([]report.Group, error) {
	var out []report.Group
	for _, dataset := range l.recordedDatasets() {
		groups, err := readResults(dataset)
		if err != nil {
			continue // no run of any experiment
		}
		out = append(out, Only(groups, l.Experiment.Name)...)
	}
	if len(out) == 0 {
		_, err := l.Result(l.Dataset.Name(), l.Experiment.Name)
		return nil, err
	}
	return out, noteRuns(out...)
}

// ForEachDataset calls show with all recorded runs on this notebook's dataset, then with those on Flickr8k, below a
// heading each. It notes a dataset without records.
func (l *Lab) ForEachDataset(show func(groups []report.Group) error) error {
	for _, dataset := range l.recordedDatasets() {
		Show(Heading(dataset))
		groups, err := l.Results(dataset)
		if err != nil {
			Note("%v", err)
			continue
		}
		if err := show(groups); err != nil {
			return err
		}
	}
	return nil
}

// Figure returns a figure of results/DATASET, as in Figure("flickr8k", "temperature").
func (l *Lab) Figure(dataset, name string) (template.HTML, error) {
	file, err := resultFile(path.Join(dataset, name+".svg"))
	if err != nil {
		return "", err
	}
	svg, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("results/%s has no figure %q: create it with `captionlab report`", dataset, name)
	}
	return figure(svg, name), nil
}

// Holds reports whether the images of a recorded run are those of this notebook's dataset.
func (l *Lab) Holds(r report.Run) bool {
	return r.Dataset == l.Dataset.Name() && r.Fingerprint == l.fingerprint
}

// CheckScores scores the recorded captions of a run again, against the references of the dataset. It fails if a score
// differs from the recorded one, or if the run is on another dataset.
func (l *Lab) CheckScores(r report.Run) error {
	if !l.Holds(r) {
		return fmt.Errorf("run %s is on another dataset (%s) than this notebook (%s)", r.Folder, r.Dataset,
			l.Dataset.Name())
	}
	now, err := evaluate(l.testReferences(), FromRun(r))
	if err != nil {
		return err
	}
	file, err := resultFile(path.Join(r.Folder, experiment.MetricsFile))
	if err != nil {
		return err
	}
	var recorded struct {
		Coco *score.CocoScores `json:"coco"`
		PA4  *score.PA4Scores  `json:"pa4"`
	}
	if err := experiment.ReadJSON(file, &recorded); err != nil {
		return err
	}
	for _, c := range []struct{ now, then score.Corpus }{{now.coco, recorded.Coco}, {now.pa4, recorded.PA4}} {
		for _, metric := range c.now.Metrics() {
			now, then := experiment.CorpusValue(c.now, metric), experiment.CorpusValue(c.then, metric)
			if !(math.Abs(now-then) <= 1e-9*(1+math.Abs(then))) {
				return fmt.Errorf("%s: the %s of its captions is %v, its record says %v: create the run again, "+
					"or find the code that changed", r.Folder, metric, now, then)
			}
		}
	}
	return nil
}

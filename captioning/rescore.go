package captioning

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"captionlab/captioning/experiment"
	"captionlab/captioning/internal/atomicfile"
	"captionlab/captioning/score"
	"captionlab/captioning/score/meteor"
	"captionlab/datasets"
)

// Rescored says what Rescore did with one run.
type Rescored struct {
	Folder  string // of the run's records, relative to results
	Changed bool   // records were written
	LeftOut error  // why the run was left out, nil if it was not
}

// Rescore adds METEOR to the records of all runs below the folder results, which may have been written where METEOR's
// tables were missing. It trains and generates nothing: it scores the recorded captions against the references of
// their dataset, opened as OpenDataset does. Decoding strategies whose captions are not recorded keep what they have.
// Every other number in the records stays as it is, to the last digit.
//
// Rescore calls done for each run, in the order of the folders. Runs whose dataset or greedy captions are not on this
// machine are left out. A run is refused, and its records stay unchanged, if its captions do not have the recorded
// scores of protocol coco against the references: then captions, references or records are not what they were. The
// other runs are rescored, and the error names those that were refused. Rescore fails with meteor.ErrNotFetched if
// METEOR's tables are not on this machine.
func Rescore(ctx context.Context, results string, done func(Rescored)) error {
	tables, err := meteor.OpenFetched()
	if err != nil {
		return err
	}
	defer tables.Close()
	var refused []error
	r := rescorer{tables: tables, opened: make(map[string]openedReferences)}
	err = filepath.WalkDir(results, func(path string, entry fs.DirEntry, err error) error {
		if err = errors.Join(err, ctx.Err()); err != nil || entry.Name() != experiment.RunFile {
			return err
		}
		one, err := r.rescore(filepath.Dir(path))
		if err != nil {
			refused = append(refused, err)
			return nil
		}
		if one.Folder, err = filepath.Rel(results, filepath.Dir(path)); err != nil {
			return err
		}
		done(one)
		return nil
	})
	return errors.Join(append(refused, err)...)
}

// rescorer scores captions again.
type rescorer struct {
	tables *meteor.Tables
	opened map[string]openedReferences // by dataset and split
}

// openedReferences are the references of a split, or the reason why there are none.
type openedReferences struct {
	refs score.References
	err  error
}

// rescore adds METEOR to the records in one folder.
func (r *rescorer) rescore(folder string) (Rescored, error) {
	run, err := experiment.ReadRun(folder)
	if err != nil {
		return Rescored{}, err
	}
	records := []amendedRecord{{path: filepath.Join(folder, experiment.MetricsFile), amend: r.metrics},
		{path: filepath.Join(folder, experiment.ReadoutsFile), amend: r.readouts}}
	var out Rescored
	for i := range records {
		record := &records[i]
		if record.old, err = os.ReadFile(record.path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			record.text, err = record.amend(folder, run, record.old)
		}
		var missing notHere
		if errors.As(err, &missing) {
			out.LeftOut = missing.error
			return out, nil
		}
		if err != nil {
			return out, fmt.Errorf("%s: %w", record.path, err)
		}
	}
	for _, record := range records { // only now that none is refused
		if bytes.Equal(record.old, record.text) {
			continue
		}
		out.Changed = true
		if err := atomicfile.WriteFile(record.path, record.text); err != nil {
			return out, err
		}
	}
	return out, nil
}

// amendedRecord is a record's text before and after amend.
type amendedRecord struct {
	path      string
	amend     func(folder string, run experiment.Run, record []byte) ([]byte, error)
	old, text []byte
}

// notHere is the error for a run whose data or captions are not on this machine.
type notHere struct{ error }

// metrics adds METEOR to the record metrics.json.
func (r *rescorer) metrics(folder string, run experiment.Run, record []byte) ([]byte, error) {
	var old Evaluation
	if err := json.Unmarshal(record, &old); err != nil {
		return nil, err
	}
	if old.Coco == nil {
		return nil, fmt.Errorf("the record has no scores of protocol coco")
	}
	s, err := r.score(folder, run, captionsOf{string(old.Split), experiment.Greedy}, old.Coco.Value)
	if err != nil {
		return nil, err
	}
	return experiment.Amend(record, experiment.Member{Name: "meteor", Value: s.Values()[0], After: "pa4"})
}

// readouts adds METEOR to the record readouts.json, for the strategies whose captions are recorded.
func (r *rescorer) readouts(folder string, run experiment.Run, record []byte) ([]byte, error) {
	var old experiment.ReadoutsRecord
	var raw struct {
		Readouts []json.RawMessage `json:"readouts"`
	}
	if err := errors.Join(json.Unmarshal(record, &old), json.Unmarshal(record, &raw)); err != nil {
		return nil, err
	}
	var greedy *score.Scores
	for i, o := range old.Readouts {
		recorded := func(metric string) (float64, bool) {
			interval, ok := o.Coco.Get(metric)
			return interval.Value, ok
		}
		s, err := r.score(folder, run, captionsOf{old.Split, o.Readout.Name}, recorded)
		if o.Readout.Name == experiment.Greedy {
			greedy = s
		} else if errors.As(err, new(notHere)) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if greedy == nil {
			return nil, fmt.Errorf("the first decoding strategy is not %s", experiment.Greedy)
		}
		if err := addMETEOR(&o, s, greedy); err != nil {
			return nil, err
		}
		members := []experiment.Member{{Name: "meteor", Value: o.METEOR, After: "pa4"}}
		if o.Readout.Name != experiment.Greedy {
			members = append(members, experiment.Member{Name: "meteor_against_greedy", Value: o.METEORAgainstGreedy,
				After: "pa4_against_greedy"})
		}
		if raw.Readouts[i], err = experiment.Amend(raw.Readouts[i], members...); err != nil {
			return nil, fmt.Errorf("strategy %s: %w", o.Readout.Name, err)
		}
	}
	return experiment.Amend(record, experiment.Member{Name: "readouts", Value: raw.Readouts})
}

// captionsOf names recorded captions.
type captionsOf struct{ split, strategy string }

// score scores recorded captions by METEOR, after checking that their scores of protocol coco are the recorded ones.
// The error is notHere if the captions or the dataset are not on this machine.
func (r *rescorer) score(folder string, run experiment.Run, of captionsOf,
	recorded func(metric string) (float64, bool)) (*score.Scores, error) {
	file := filepath.Join(folder, experiment.ReadoutCaptionsFile(of.split, of.strategy))
	captions, err := score.ReadCaptions(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notHere{fmt.Errorf("its captions are not recorded: %w", err)}
	}
	if err != nil {
		return nil, err
	}
	all, err := r.references(run, of.split)
	if err != nil {
		return nil, notHere{err}
	}
	refs := make(score.References, len(captions)) // of images that could be read
	for _, c := range captions {
		if texts, ok := all[c.ID]; ok {
			refs[c.ID] = texts
		}
	}
	again, err := score.Coco(refs, captions, score.Options{})
	if err != nil {
		return nil, fmt.Errorf("%s and the references of %s do not belong together: %w", file, run.Dataset, err)
	}
	for _, metric := range again.Metrics() {
		now, _ := again.Value(metric)
		if then, ok := recorded(metric); !ok || !(math.Abs(now-then) <= rescoreTolerance) {
			return nil, fmt.Errorf("%s: %s is %.9g against the references of %s, but %.9g is recorded: the captions, "+
				"the references or the record have changed since; repeat the run with captionlab reproduce",
				file, metric, now, run.Dataset, then)
		}
	}
	return scoreMETEOR(r.tables, refs, captions)
}

// rescoreTolerance is how far a score may be from the recorded one. The order of sums may have changed since.
const rescoreTolerance = 1e-9

// references returns the references of a split of a run's dataset. Each dataset is opened once.
func (r *rescorer) references(run experiment.Run, split string) (score.References, error) {
	source, err := json.Marshal(run.Source)
	if err != nil {
		return nil, err
	}
	key := fmt.Sprintf("%q %q %s", run.Dataset, split, source)
	if _, known := r.opened[key]; !known {
		refs, err := openReferences(run.Dataset, source, datasets.Split(split))
		r.opened[key] = openedReferences{refs, err}
	}
	return r.opened[key].refs, r.opened[key].err
}

// openReferences opens a known dataset by its name or custom data by its source, unless that is null.
func openReferences(name string, source []byte, split datasets.Split) (refs score.References, err error) {
	var own *Source
	if err := json.Unmarshal(source, &own); err != nil {
		return nil, fmt.Errorf("the source of %s: %w", name, err)
	}
	var ds datasets.Dataset
	if own != nil {
		ds, _, err = openCustom(own.Path, DataOptions{Custom: own.Options})
	} else {
		ds, err = OpenDataset(name, "", "")
	}
	if err != nil {
		return nil, err
	}
	refs = References(ds.Examples(split))
	return refs, datasets.Close(ds)
}

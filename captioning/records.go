package captioning

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"captionlab/captioning/encoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/internal/atomicfile"
	"captionlab/captioning/score"
	"captionlab/datasets"
)

// WriteRecords writes what a trained and evaluated run leaves behind into dir: curve.csv, the captions, the scores of single
// pictures, metrics.json and, last, run.json. checkpoints is the folder that the run was trained in, started is when the
// command began; run holds what only the caller knows (experiment, command, backend), the rest is filled in here.
func (m *Model) WriteRecords(dir, checkpoints string, run experiment.Run, started time.Time, ds datasets.Dataset, f *encoder.Features, e *Evaluation, captions []score.Caption) error {
	c := m.Checkpoint
	last, err := ReadCheckpoint(filepath.Join(checkpoints, LastCheckpoint))
	if err != nil {
		return err
	}
	run.Commit, run.Started = commit(), started.UTC().Format(time.RFC3339)
	run.Host = experiment.Host{System: runtime.GOOS + "/" + runtime.GOARCH, Cores: runtime.NumCPU(), CPU: experiment.CPUName()}
	run.Dataset, run.Fingerprint, run.Encoder, run.Settings = c.Dataset, c.Data, c.Encoder, c.Settings
	if run.Identity, err = experiment.Identity(c.Settings, c.Data, c.Encoder); err != nil {
		return err
	}
	run.Model = experiment.ModelVersion
	run.Vocabulary, run.Parameters, run.Weights = c.Vocabulary.Len(), m.NumParameters(), c.weightsSum()
	run.Epochs, run.BestEpoch, run.TrainTime = last.Training.Epoch, last.Training.Best, last.Training.Seconds
	run.Unreadable = len(f.Manifest.Skipped)
	run.Examples = make(map[string]int)
	for _, split := range datasets.Splits {
		for _, ex := range ds.Examples(split) {
			if _, ok := f.Row(ex.ID); ok {
				run.Examples[string(split)] += len(ex.Captions)
			}
		}
	}
	if err := writeCurve(filepath.Join(dir, experiment.CurveFile), last.Training.Curve); err != nil {
		return err
	}
	if err := score.WriteCaptions(filepath.Join(dir, experiment.CaptionsFile(string(e.Split))), captions); err != nil {
		return err
	}
	if err := score.WriteImages(filepath.Join(dir, experiment.ImagesFile(string(e.Split))), e.Coco, e.PA4); err != nil {
		return err
	}
	short := *e // scores of single pictures follow from the captions; they would fill the record
	coco, pa4 := *e.Coco, *e.PA4
	coco.Images, pa4.Images = nil, nil
	short.Coco, short.PA4 = &coco, &pa4
	if err := experiment.WriteJSON(filepath.Join(dir, experiment.MetricsFile), short); err != nil {
		return err
	}
	return experiment.WriteJSON(filepath.Join(dir, experiment.RunFile), run)
}

func writeCurve(path string, curve []CurvePoint) error {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	rows := [][]string{{"epoch", "train_loss", "val_loss_token", "val_loss_padded", "learning_rate", "seconds"}}
	number := func(x float64, digits int) string { return strconv.FormatFloat(x, 'f', digits, 64) }
	for _, p := range curve {
		rows = append(rows, []string{strconv.Itoa(p.Epoch), number(p.TrainLoss, 6), number(p.Val.Token, 6), number(p.Val.Padded, 6),
			strconv.FormatFloat(p.LearningRate, 'g', -1, 64), number(p.Seconds, 1)})
	}
	if err := w.WriteAll(rows); err != nil {
		return fmt.Errorf("curve %s: %w", path, err)
	}
	return atomicfile.WriteFile(path, out.Bytes())
}

// commit is the revision that the program was built from, as the Go tool noted it.
func commit() string {
	revision, changed := "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				revision = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				changed = "+changes"
			}
		}
	}
	return revision + changed
}

// ReadCurve reads the curve of the run in dir.
func ReadCurve(dir string) ([]CurvePoint, error) {
	path := filepath.Join(dir, experiment.CurveFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("curve %s: %w", path, err)
	}
	var curve []CurvePoint
	for i, row := range rows {
		if i == 0 {
			continue // the names of the columns
		}
		var numbers [6]float64
		for j := range numbers {
			if j >= len(row) {
				return nil, fmt.Errorf("curve %s: row %d has %d columns, want %d", path, i+1, len(row), len(numbers))
			}
			if numbers[j], err = strconv.ParseFloat(row[j], 64); err != nil {
				return nil, fmt.Errorf("curve %s: row %d: %w", path, i+1, err)
			}
		}
		curve = append(curve, CurvePoint{Epoch: int(numbers[0]), TrainLoss: numbers[1], Val: Losses{Token: numbers[2], Padded: numbers[3]},
			LearningRate: numbers[4], Seconds: numbers[5]})
	}
	return curve, nil
}

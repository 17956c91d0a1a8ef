package experiment

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"captionlab/captioning/internal/atomicfile"
)

// Losses are the cross-entropies of a split, in nats.
type Losses struct {
	// Token is the mean over all real tokens, <end> included.
	Token float64 `json:"loss_token"`
	// Padded is computed as in the paper: over all positions up to the longest caption of a batch, pads included, as
	// the mean of the means of shuffled batches. A model trained on real tokens only has never seen a pad; its pads
	// cost nothing here.
	Padded float64 `json:"loss_padded"`
	// PadsMeasured reports that the losses of pads were computed, not assumed to be zero.
	PadsMeasured bool `json:"pads_measured"`
}

// CurvePoint holds the losses of one epoch.
type CurvePoint struct {
	Epoch        int     `json:"epoch"`      // from 1
	TrainLoss    float64 `json:"train_loss"` // mean over the batches at the time they were trained on, nats
	Val          Losses  `json:"val"`
	LearningRate float64 `json:"learning_rate"`
	Seconds      float64 `json:"seconds"` // since the start of the run, pauses excluded
	// Sampled is set with loss=self-critical, whose TrainLoss is the mean of advantage x cross-entropy, summed over the
	// tokens of a sampled caption. It says little about progress.
	Sampled *Sampled `json:"sampled,omitempty"`
}

// Sampled describes the captions of one epoch of self-critical training.
type Sampled struct {
	Reward  float64 `json:"reward"`      // mean over the sampled captions
	Entropy float64 `json:"entropy"`     // mean negative log-probability of their tokens, nats
	CIDErD  float64 `json:"val_cider_d"` // of greedy captions of the validation split, protocol coco, from 0 to 10
}

// curveColumns are the columns of a curve file, in order.
var curveColumns = []string{"epoch", "train_loss", "val_loss_token", "val_loss_padded", "learning_rate", "seconds"}

// sampledColumns follow curveColumns in the curve of a run with loss=self-critical.
var sampledColumns = []string{"reward", "entropy", "val_cider_d"}

// WriteCurve writes the curve of the run in dir as CSV, all points with Sampled or none. The file is complete or not
// written at all.
func WriteCurve(dir string, points []CurvePoint) error {
	path := filepath.Join(dir, CurveFile)
	rows := [][]string{curveColumns}
	number := func(x float64, digits int) string { return strconv.FormatFloat(x, 'f', digits, 64) }
	if len(points) > 0 && points[0].Sampled != nil {
		rows[0] = append(slices.Clone(curveColumns), sampledColumns...)
	}
	for _, p := range points {
		row := []string{strconv.Itoa(p.Epoch), number(p.TrainLoss, 6), number(p.Val.Token, 6),
			number(p.Val.Padded, 6), strconv.FormatFloat(p.LearningRate, 'g', -1, 64), number(p.Seconds, 1)}
		if s := p.Sampled; s != nil {
			row = append(row, number(s.Reward, 6), number(s.Entropy, 6), number(s.CIDErD, 6))
		}
		rows = append(rows, row)
	}
	var out bytes.Buffer
	if err := csv.NewWriter(&out).WriteAll(rows); err != nil {
		return fmt.Errorf("curve %s: %w", path, err)
	}
	return atomicfile.WriteFile(path, out.Bytes())
}

// ReadCurve reads the curve of the run in dir. It fails if the file is missing or a row is not as WriteCurve writes
// it.
func ReadCurve(dir string) ([]CurvePoint, error) {
	path := filepath.Join(dir, CurveFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("curve %s: %w", path, err)
	}
	var points []CurvePoint
	for i, row := range rows {
		if i == 0 {
			continue // column names
		}
		p, err := parseCurvePoint(row)
		if err != nil {
			return nil, fmt.Errorf("curve %s: row %d: %w", path, i+1, err)
		}
		points = append(points, p)
	}
	return points, nil
}

func parseCurvePoint(row []string) (CurvePoint, error) {
	if len(row) < len(curveColumns) {
		return CurvePoint{}, fmt.Errorf("%d columns, want %d", len(row), len(curveColumns))
	}
	epoch, err := strconv.Atoi(row[0])
	if err != nil {
		return CurvePoint{}, fmt.Errorf("column %s: %w", curveColumns[0], err)
	}
	p := CurvePoint{Epoch: epoch}
	columns := slices.Concat(curveColumns, sampledColumns)
	to := []*float64{&p.TrainLoss, &p.Val.Token, &p.Val.Padded, &p.LearningRate, &p.Seconds}
	if len(row) >= len(columns) {
		p.Sampled = new(Sampled)
		to = append(to, &p.Sampled.Reward, &p.Sampled.Entropy, &p.Sampled.CIDErD)
	}
	for i, to := range to {
		if *to, err = strconv.ParseFloat(row[i+1], 64); err != nil {
			return CurvePoint{}, fmt.Errorf("column %s: %w", columns[i+1], err)
		}
	}
	return p, nil
}

package decoder

import (
	"encoding/json"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"captionlab/captioning/xla/xlatest"
)

// testdata/make_goldens.py generated the goldens with torch 2.11.0. The sizes and formulas below repeat the script's.

const (
	goldenV, goldenF, goldenE, goldenH, goldenB, goldenT = 23, 7, 5, 6, 4, 5
	goldenSteps                                          = 20
)

type torchGolden struct {
	Losses    []float64
	Attention []float64 // only of cells that attend
	Loss      float64
	Gradients map[string][]float64
	After     map[string][]float64
	LastLoss  float64 `json:"last_loss"`
}

func readGoldens(t *testing.T, name string) map[string]torchGolden {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var content struct{ Cases map[string]torchGolden }
	if err := json.Unmarshal(data, &content); err != nil {
		t.Fatal(err)
	}
	return content.Cases
}

// formula is the linear congruential generator of make_goldens.py.
func formula(n int, salt uint32, scale float64) []float32 {
	x, out := salt, make([]float32, n)
	for i := range out {
		x = 1664525*x + 1013904223
		out[i] = float32((float64(x)/(1<<31) - 1) * scale)
	}
	return out
}

func formulaIDs(n int, salt uint32) []int32 {
	x, out := salt, make([]int32, n)
	for i := range out {
		x = 1664525*x + 1013904223
		out[i] = 4 + int32((float64(x)/(1<<31)-1+1)/2*(goldenV-4))
	}
	return out
}

func goldenModel(cell Cell, imageFirst bool) (Model, Values) {
	m := Model{Cell: cell, Vocabulary: goldenV, Features: goldenF, Embedding: goldenE, Hidden: goldenH,
		ImageFirst: imageFirst, Places: goldenPlaces, Channels: goldenChannels}
	shapes := make(map[string][]int)
	for _, w := range m.Weights() {
		shapes[w.Name] = w.Shape
	}
	values := make(Values)
	for i, name := range slices.Sorted(maps.Keys(shapes)) {
		values[name] = formula(size(shapes[name]), 1000+uint32(i), 0.5)
	}
	return m, values
}

func goldenBatch() *Batch {
	b := &Batch{Size: goldenB, Steps: goldenT, Features: formula(goldenB*goldenF, 1, 1),
		Inputs: formulaIDs(goldenT*goldenB, 2), Targets: formulaIDs(goldenT*goldenB, 3)}
	for grid := range slices.Chunk(formula(3*goldenPlaces*goldenChannels, 4, 2), goldenPlaces*goldenChannels) {
		b.Grids = append(b.Grids, NewGrid(grid))
	}
	b.GridRows = []int32{2, 0, 1, 0}
	for t := range goldenT {
		for i := range goldenB {
			weight := float32(0)
			if t < 2+i {
				weight = 1
			}
			b.Weights = append(b.Weights, weight)
		}
	}
	return b
}

// relative returns the largest difference divided by the golden's largest magnitude.
func relative(t *testing.T, got []float32, want []float64) float64 {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d numbers, want %d", len(got), len(want))
	}
	var worst, scale float64
	for i := range want {
		worst = math.Max(worst, math.Abs(float64(got[i])-want[i]))
		scale = math.Max(scale, math.Abs(want[i]))
	}
	return worst / scale
}

// firstStep takes the first optimizer step and returns the loss and the gradients, which are read from Adam's first
// moments: after one step they are the gradients times 1 - 0.9.
func (t *Trainer) firstStep(b ...*Batch) (loss float64, gradients Values, err error) {
	if loss, err = t.Step(b...); err != nil {
		return 0, nil, err
	}
	gradients = make(Values)
	for _, w := range t.Weights() {
		moment := strings.TrimPrefix(variablePath(w.Name), "/") + "_1st_moment"
		err := t.ReadState(moment, func(data []float32) error {
			for _, x := range data {
				gradients[w.Name] = append(gradients[w.Name], x/(1-0.9))
			}
			return nil
		})
		if err != nil {
			return 0, nil, err
		}
	}
	return loss, gradients, nil
}

func TestAgreesWithPyTorch(t *testing.T) {
	goldens := readGoldens(t, "torch_goldens.json")
	for _, c := range []struct {
		golden   string
		cell     Cell
		first    bool
		autodiff bool
	}{
		{"lstm", LSTM{}, false, false},
		{"lstm", LSTM{}, false, true},
		{"rnn", RNN{}, false, false},
		{"rnn", RNN{}, false, true},
		{"lstm_first", LSTM{}, true, false},
		{"rnn_first", RNN{}, true, false},
	} {
		name := c.golden + " by hand"
		if c.autodiff {
			name = c.golden + " by autodiff"
		}
		t.Run(name, func(t *testing.T) {
			m, values := goldenModel(c.cell, c.first)
			options := TrainOptions{LearningRate: 1e-2, Autodiff: c.autodiff}
			trainer, err := NewTrainer(xlatest.OpenForTest(t), m, values, nil, options)
			if err != nil {
				t.Fatal(err)
			}
			defer trainer.Finalize()
			compareWithPyTorch(t, trainer, goldens[c.golden])
		})
	}
}

// compareWithPyTorch compares losses, gradients, and the weights after goldenSteps steps.
func compareWithPyTorch(t *testing.T, trainer *Trainer, want torchGolden) {
	losses, err := trainer.TokenLosses(goldenBatch())
	if err != nil {
		t.Fatal(err)
	}
	if worst := relative(t, losses, want.Losses); worst > 1e-5 {
		t.Errorf("losses differ by %.2g", worst)
	}
	loss, gradients, err := trainer.firstStep(goldenBatch())
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(loss-want.Loss) > 1e-5*want.Loss {
		t.Errorf("the first loss is %.7g, PyTorch's is %.7g", loss, want.Loss)
	}
	for _, w := range trainer.Weights() {
		if worst := relative(t, gradients[w.Name], want.Gradients[w.Name]); worst > 1e-4 {
			t.Errorf("the gradient of %s differs by %.2g", w.Name, worst)
		}
	}
	for range goldenSteps - 1 {
		if loss, err = trainer.Step(goldenBatch()); err != nil {
			t.Fatal(err)
		}
	}
	if math.Abs(loss-want.LastLoss) > 1e-4*want.LastLoss {
		t.Errorf("the loss before step %d is %.7g, PyTorch's is %.7g", goldenSteps, loss, want.LastLoss)
	}
	after, err := trainer.Values()
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range trainer.Weights() {
		if worst := relative(t, after[w.Name], want.After[w.Name]); worst > 1e-4 {
			t.Errorf("%s after %d steps differs by %.2g", w.Name, goldenSteps, worst)
		}
	}
}

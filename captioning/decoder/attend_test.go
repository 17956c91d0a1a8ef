package decoder

import (
	"math"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"captionlab/captioning/vocab"
	"captionlab/captioning/xla/xlatest"
)

// attendingCells are the built-in cells that look, each as such and like a custom cell.
func attendingCells() map[string]Cell {
	return map[string]Cell{
		"attention": Attention{Size: goldenSize}, "top-down": TopDown{Size: goldenSize},
		"attention, stepwise": stepwise{Attention{Size: goldenSize}},
		"top-down, stepwise":  stepwise{TopDown{Size: goldenSize}},
	}
}

// lookingModel is the golden model with larger weights, so that captions end at different lengths.
func lookingModel(t *testing.T, cell Cell) *Decoder {
	t.Helper()
	m, values := goldenModel(cell, false)
	for name := range values {
		if name != outputBias {
			for i := range values[name] {
				values[name][i] *= 3
			}
		}
	}
	values[outputBias][vocab.End]++
	d, err := New(xlatest.OpenForTest(t), m, values)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Finalize)
	return d
}

func lookingInputs(n int) Inputs {
	in := Inputs{Features: formula(n*goldenF, 77, 1)}
	for grid := range slices.Chunk(formula(n*goldenPlaces*goldenChannels, 78, 2), goldenPlaces*goldenChannels) {
		in.Grids = append(in.Grids, NewGrid(grid))
	}
	return in
}

// The log-probabilities that generation adds up, step by step and in any order of the images, are those of teacher
// forcing with the hand-written pass, greedily, sampled and for every hypothesis of a beam.
func TestGenerationAgreesWithTeacherForcing(t *testing.T) {
	const n = 9
	in := lookingInputs(n)
	for name, cell := range attendingCells() {
		t.Run(name, func(t *testing.T) {
			d := lookingModel(t, cell)
			different := make(map[string]bool)
			for _, o := range []GenerateOptions{{MaxWords: 4, BatchSize: 2}, {MaxWords: 4, Beam: 3, BatchSize: 4},
				{MaxWords: 4, Temperature: 2, Seed: 5}} {
				generated, err := d.GenerateFrom(in, o)
				if err != nil {
					t.Fatal(err)
				}
				for k := range generated[0] {
					captions := make([][]int32, n)
					for i := range captions {
						captions[i] = generated[i][k].IDs
						different[string(rune(captions[i][0]))+string(rune(len(captions[i])))] = true
					}
					words, err := d.WordLogProbsFrom(in, captions, o)
					if err != nil {
						t.Fatal(err)
					}
					for i := range captions {
						sum := 0.0
						for _, x := range words[i] {
							sum += x
						}
						if want := generated[i][k].LogProb; math.Abs(sum-want) > 1e-4 {
							t.Errorf("%+v, image %d, hypothesis %d: %g, teacher forcing %g", o, i, k, want, sum)
						}
					}
				}
			}
			if len(different) < 4 {
				t.Errorf("only %d kinds of captions: the test needs more", len(different))
			}
		})
	}
}

// A batch that refers to each grid once has the losses and gradients of one that repeats them.
func TestSharedGridsAreThoseOfEachCaption(t *testing.T) {
	shared, repeated := goldenBatch(), goldenBatch()
	repeated.Grids = nil
	for i, row := range shared.GridRows {
		repeated.Grids, repeated.GridRows[i] = append(repeated.Grids, shared.Grids[row]), int32(i)
	}
	m, values := goldenModel(Attention{Size: goldenSize}, false)
	var gradients [2]Values
	var losses [2]float64
	for i, b := range []*Batch{shared, repeated} {
		trainer, err := NewTrainer(xlatest.OpenForTest(t), m, values, nil, TrainOptions{LearningRate: 1e-2})
		if err != nil {
			t.Fatal(err)
		}
		defer trainer.Finalize()
		if losses[i], gradients[i], err = trainer.firstStep(b); err != nil {
			t.Fatal(err)
		}
	}
	if math.Abs(losses[0]-losses[1]) > 1e-6 {
		t.Errorf("losses %g and %g", losses[0], losses[1])
	}
	for name, want := range gradients[1] {
		golden := make([]float64, len(want))
		for i, x := range want {
			golden[i] = float64(x)
		}
		if worst := relative(t, gradients[0][name], golden); worst > 1e-5 {
			t.Errorf("the gradient of %s differs by %.2g", name, worst)
		}
	}
}

// The weights of the places are PyTorch's, and those that Attention returns of a caption are those of its tokens.
func TestWeightsOfPlacesAgreeWithPyTorch(t *testing.T) {
	goldens := readGoldens(t, "attention_goldens.json")
	for name, cell := range attendingCells() {
		t.Run(name, func(t *testing.T) {
			m, values := goldenModel(cell, false)
			d, err := New(xlatest.OpenForTest(t), m, values)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Finalize()
			b := goldenBatch()
			exec, err := model.NewExec(d.backend, d.store, func(_ *model.Scope, in []*Node) *Node {
				w := d.weightsGraph(in[0].Graph())
				_, weights := d.attendingGraph(w, d.forcedGraph(w, in))
				return weights
			})
			if err != nil {
				t.Fatal(err)
			}
			defer exec.Finalize()
			out, err := exec.Call1(append(b.tensors(m), b.grids(m)...)...)
			if err != nil {
				t.Fatal(err)
			}
			want := goldens[strings.Split(name, ",")[0]].Attention
			if worst := relative(t, tensors.MustCopyFlatData[float32](out), want); worst > 1e-5 {
				t.Errorf("the weights differ by %.2g", worst)
			}
		})
	}
}

func TestAttentionOfCaptions(t *testing.T) {
	d := lookingModel(t, Attention{Size: goldenSize})
	const n = 9
	in, o := lookingInputs(n), GenerateOptions{MaxWords: 4}
	captions := make([][]int32, n)
	for i := range captions {
		captions[i] = formulaIDs(1+i%4, uint32(i))
	}
	all, err := d.Attention(in, captions, o)
	if err != nil {
		t.Fatal(err)
	}
	for i, words := range all {
		if want := min(len(captions[i])+1, 4); len(words) != want {
			t.Fatalf("caption %d has weights for %d tokens, want %d", i, len(words), want)
		}
		for _, weights := range words {
			sum := 0.0
			for _, w := range weights {
				if sum += float64(w); w < 0 {
					t.Errorf("caption %d has a weight of %g", i, w)
				}
			}
			if len(weights) != goldenPlaces || math.Abs(sum-1) > 1e-5 {
				t.Errorf("caption %d: %d weights that add up to %g", i, len(weights), sum)
			}
		}
	}
	if same := slices.Equal(all[0][0], all[1][0]); same {
		t.Error("the model looks at two images in the same way")
	}
	_, err = sharpModel(t).Attention(in, captions, o)
	if err == nil || !strings.Contains(err.Error(), "no attention") {
		t.Errorf("an LSTM: %v", err)
	}
}

func TestInputsWithoutGridsAreRefused(t *testing.T) {
	d := lookingModel(t, TopDown{Size: goldenSize})
	in := lookingInputs(2)
	for want, bad := range map[string]Inputs{
		"0 feature maps for 2 images":            {Features: in.Features},
		"the feature map of image 1 has 5 numbe": {Features: in.Features, Grids: []Grid{in.Grids[0], in.Grids[1][:5]}},
	} {
		if _, err := d.GenerateFrom(bad, GenerateOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	b := goldenBatch()
	b.GridRows[3] = 3
	if _, err := d.TokenLosses(b); err == nil || !strings.Contains(err.Error(), "caption 3 is of feature map 3") {
		t.Errorf("a batch with a wrong row: %v", err)
	}
	m, values := goldenModel(LSTM{}, false)
	_, err := NewTrainer(d.backend, m, values, nil, TrainOptions{LearningRate: 1, AttentionRegulariser: 1})
	if err == nil || !strings.Contains(err.Error(), "no attention") {
		t.Errorf("an LSTM with the regulariser of attention: %v", err)
	}
	m.Cell, m.Places = Attention{}, 0
	if err := m.Check(); err == nil || !strings.Contains(err.Error(), "0 places") {
		t.Errorf("a model without places: %v", err)
	}
}

// Several draws of an image are the captions of as many copies of it.
func TestDrawsAreThoseOfCopies(t *testing.T) {
	const n, draws = 5, 3
	in := lookingInputs(n)
	var copies Inputs
	for i := range n {
		for range draws {
			copies.Features = append(copies.Features, in.Features[i*goldenF:(i+1)*goldenF]...)
			copies.Grids = append(copies.Grids, in.Grids[i])
		}
	}
	for name, cell := range map[string]Cell{"attention": Attention{Size: goldenSize}, "lstm": LSTM{}} {
		d := lookingModel(t, cell)
		o := GenerateOptions{MaxWords: 4, Temperature: 2, Seed: 3, BatchSize: 4}
		want, err := d.GenerateFrom(copies, o)
		if err != nil {
			t.Fatal(err)
		}
		o.Draws = draws
		got, err := d.GenerateFrom(in, o)
		if err != nil {
			t.Fatal(err)
		}
		different := 0
		for i := range n {
			if len(got[i]) != draws {
				t.Fatalf("%s: %d captions of image %d, want %d", name, len(got[i]), i, draws)
			}
			for k, caption := range got[i] {
				same := want[i*draws+k][0]
				if !slices.Equal(caption.IDs, same.IDs) || math.Abs(caption.LogProb-same.LogProb) > 1e-5 {
					t.Errorf("%s, image %d, draw %d: %+v, want %+v", name, i, k, caption, same)
				}
				if !slices.Equal(caption.IDs, got[i][0].IDs) {
					different++
				}
			}
		}
		if different == 0 {
			t.Errorf("%s: all draws of an image are the same", name)
		}
	}
	_, err := lookingModel(t, LSTM{}).GenerateFrom(in, GenerateOptions{Draws: 2})
	if err == nil || !strings.Contains(err.Error(), "2 draws") {
		t.Errorf("draws without a temperature: %v", err)
	}
}

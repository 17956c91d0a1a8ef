package decoder_test

import (
	"fmt"
	"log"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend"
	. "github.com/gomlx/gomlx/core/graph"

	"captionlab/captioning/decoder"
)

// gru is a gated recurrent unit (Cho et al. 2014) without biases: h' = (1-z) h + z tanh(W x + U (r h)), with the reset
// gate r and the update gate z.
type gru struct{}

func (gru) Name() string { return "gru" }

func (gru) Weights(in, hidden int) []decoder.Weight {
	return []decoder.Weight{
		{Name: "gates_x", Shape: []int{in, 2 * hidden}}, {Name: "gates_h", Shape: []int{hidden, 2 * hidden}},
		{Name: "new_x", Shape: []int{in, hidden}}, {Name: "new_h", Shape: []int{hidden, hidden}},
	}
}

func (gru) NumStates() int { return 1 }

// Start maps the image embedding [batch, hidden] to h0 [batch, hidden].
func (gru) Start(image *Node) []*Node { return []*Node{Tanh(image)} }

// Step maps x [batch, in] and h [batch, hidden] to the next h [batch, hidden].
func (gru) Step(w decoder.Weights, x *Node, state []*Node) []*Node {
	h := state[0]
	hidden := h.Shape().Dim(1)
	gates := Sigmoid(Add(MatMul(x, w["gates_x"]), MatMul(h, w["gates_h"])))
	gates.AssertDims(h.Shape().Dim(0), 2*hidden)
	reset, update := SliceAxis(gates, 1, AxisRange(0, hidden)), SliceAxis(gates, 1, AxisRange(hidden))
	proposed := Tanh(Add(MatMul(x, w["new_x"]), MatMul(Mul(reset, h), w["new_h"])))
	return []*Node{Add(h, Mul(update, Sub(proposed, h)))}
}

// A custom cell trains and generates without any other change.
func ExampleCell() {
	backend, err := compute.NewWithConfig("go") // package xla opens the fast backends
	if err != nil {
		log.Fatal(err)
	}
	m := decoder.Model{Cell: gru{}, Vocabulary: 8, Features: 2, Embedding: 6, Hidden: 10}
	trainer, err := decoder.NewTrainer(backend, m, m.Initialize(1), nil, decoder.TrainOptions{LearningRate: 0.05})
	if err != nil {
		log.Fatal(err)
	}
	// Two images, captioned "4 5" and "6 7". Id 1 is <start>, 2 is <end>. Each pair is one step of both captions.
	batch := &decoder.Batch{Size: 2, Steps: 3, Features: []float32{1, 0, 0, 1},
		Inputs: []int32{1, 1, 4, 6, 5, 7}, Targets: []int32{4, 6, 5, 7, 2, 2}, Weights: []float32{1, 1, 1, 1, 1, 1}}
	var first, last float64
	for step := range 60 {
		if last, err = trainer.Step(batch); err != nil {
			log.Fatal(err)
		}
		if step == 0 {
			first = last
		}
	}
	captions, err := trainer.Generate(batch.Features, decoder.GenerateOptions{MaxWords: 5})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(last < first/10, captions[0][0].IDs, captions[1][0].IDs)
	// Output: true [4 5] [6 7]
}

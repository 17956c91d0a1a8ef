package decoder_test

import (
	"fmt"
	"log"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend"
	. "github.com/gomlx/gomlx/core/graph"

	"captionlab/captioning/decoder"
)

// glance is a tanh RNN that looks at the image in every step. The places that fit its hidden state best weigh most.
type glance struct{}

func (glance) Name() string { return "glance" }

func (glance) Weights(in, hidden int) []decoder.Weight {
	return []decoder.Weight{
		{Name: "x", Shape: []int{in, hidden}}, {Name: "h", Shape: []int{hidden, hidden}},
		{Name: "seen", Shape: []int{hidden, hidden}},
	}
}

// LookWeights lists what only Look needs.
func (glance) LookWeights(channels, hidden int) []decoder.Weight {
	return []decoder.Weight{{Name: "place", Shape: []int{channels, hidden}}}
}

// Look maps grids [images, places, channels], once for each image, to vectors [images, places, hidden].
func (glance) Look(w decoder.Weights, grid *Node) []*Node {
	return []*Node{Tanh(DotGeneral(grid, []int{2}, nil, w["place"], []int{0}, nil))}
}

func (glance) NumStates() int { return 1 }

func (glance) Start(image *Node) []*Node { return []*Node{Tanh(image)} }

// Attention returns the weights of the places [batch, places]. Behind the one state is what Look returned.
func (glance) Attention(_ decoder.Weights, _ *Node, state []*Node) *Node {
	h := state[0]
	places := decoder.EachRow(state[1], h.Shape().Dim(0)) // in a beam search, several rows share an image
	return Softmax(DotGeneral(places, []int{2}, []int{0}, h, []int{1}, []int{0}), -1)
}

func (c glance) Step(w decoder.Weights, x *Node, state []*Node) []*Node {
	h := state[0]
	places := decoder.EachRow(state[1], h.Shape().Dim(0))
	seen := DotGeneral(c.Attention(w, x, state), []int{1}, []int{0}, places, []int{1}, []int{0})
	sum := Add(MatMul(x, w["x"]), MatMul(h, w["h"]))
	return []*Node{Tanh(Add(sum, MatMul(seen, w["seen"])))}
}

// A custom cell that looks needs the feature map of each image besides its feature vector. Here the vectors are the
// same, so that only the maps tell the two images apart.
func ExampleLooking() {
	backend, err := compute.NewWithConfig("go") // package xla opens the fast backends
	if err != nil {
		log.Fatal(err)
	}
	m := decoder.Model{Cell: glance{}, Vocabulary: 8, Features: 1, Embedding: 6, Hidden: 10, Places: 2, Channels: 3}
	trainer, err := decoder.NewTrainer(backend, m, m.Initialize(1), nil, decoder.TrainOptions{LearningRate: 0.05})
	if err != nil {
		log.Fatal(err)
	}
	images := decoder.Inputs{Features: []float32{1, 1}, Grids: []decoder.Grid{
		decoder.NewGrid([]float32{1, 0, 0, 0, 1, 0}), decoder.NewGrid([]float32{0, 0, 1, 0, 1, 0}),
	}}
	// The images are captioned "4 5" and "6 7". Id 1 is <start>, 2 is <end>. Each pair is one step of both captions.
	batch := &decoder.Batch{Size: 2, Steps: 3, Features: images.Features, Grids: images.Grids, GridRows: []int32{0, 1},
		Inputs: []int32{1, 1, 4, 6, 5, 7}, Targets: []int32{4, 6, 5, 7, 2, 2}, Weights: []float32{1, 1, 1, 1, 1, 1}}
	for range 80 {
		if _, err := trainer.Step(batch); err != nil {
			log.Fatal(err)
		}
	}
	captions, err := trainer.GenerateFrom(images, decoder.GenerateOptions{MaxWords: 5})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(captions[0][0].IDs, captions[1][0].IDs)
	said := [][]int32{captions[0][0].IDs, captions[1][0].IDs}
	looked, err := trainer.Attention(images, said, decoder.GenerateOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(looked[0]), "tokens,", len(looked[0][0]), "places")
	// Output:
	// [4 5] [6 7]
	// 3 tokens, 2 places
}

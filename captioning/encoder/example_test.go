package encoder_test

import (
	"context"
	"fmt"
	"image"
	"image/color"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend"
	"github.com/gomlx/gomlx/core/graph"

	"captionlab/captioning/encoder"
)

// A custom encoder without weights: the mean colours of a grid of 4 x 4 cells, as 48 features between 0 and 1.
func ExampleNew() {
	spec := encoder.Spec{
		Name: "colour-grid", FeatureDim: 48, Resize: 64, Crop: 64,
		Std: [3]float32{255, 255, 255},
		Graph: func(images *graph.Node, _ []*graph.Node) *graph.Node { // [batch, 64, 64, 3]
			batch := images.Shape().Dim(0)
			cells := graph.Reshape(images, batch, 4, 16, 4, 16, 3)
			return graph.Reshape(graph.ReduceMean(cells, 2, 4), batch, 48)
		},
	}
	backend, err := compute.NewWithConfig("go") // package xla opens the fast ones
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := encoder.New(backend, spec, "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Finalize()

	halves := image.NewRGBA(image.Rect(0, 0, 64, 64)) // the left half red, the right half blue
	for y := range 64 {
		for x := range 64 {
			if x < 32 {
				halves.Set(x, y, color.RGBA{R: 255, A: 255})
			} else {
				halves.Set(x, y, color.RGBA{B: 255, A: 255})
			}
		}
	}
	pixels, err := spec.Preprocess(encoder.FromImage(halves))
	if err != nil {
		fmt.Println(err)
		return
	}
	features, err := e.Encode(context.Background(), []*encoder.Pixels{pixels})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("top left: ", features[:3])
	fmt.Println("top right:", features[9:12])
	fmt.Println("known:", spec.Known())
	// Output:
	// top left:  [1 0 0]
	// top right: [0 0 1]
	// known: false
}

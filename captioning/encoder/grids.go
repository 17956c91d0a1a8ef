package encoder

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/gomlx/core/graph"
)

// Grid is the feature map of an image: [places, FeatureDim], row-major, the places row by row from the top left.
type Grid = []bfloat16.BFloat16

// WithGrids returns s for an encoder that computes grids in addition to feature vectors, in one pass. The vector is the
// mean of the grid. Fails if s has none.
func (s Spec) WithGrids() (Spec, error) {
	if s.Grid == nil {
		return s, fmt.Errorf("encoder %s has no feature maps: set Grid and Places, or use %v", s.Name, Names())
	}
	s.grids = true
	return s, nil
}

// GridPlaces is the number of places of the grids that the encoder computes; 0 without grids. See WithGrids.
func (s Spec) GridPlaces() int {
	if !s.grids {
		return 0
	}
	return s.Places
}

// RowDim is the number of values that an encoder returns for an image: FeatureDim and, with grids, Places*FeatureDim
// more.
func (s Spec) RowDim() int { return s.FeatureDim * (1 + s.GridPlaces()) }

// rowsGraph returns what the encoder returns for images, [batch, RowDim] (float32): the feature vectors and, with
// grids, the grids after them.
func (s Spec) rowsGraph(images *graph.Node, arrays []*graph.Node) *graph.Node {
	batch := images.Shape().Dim(0)
	if !s.grids {
		features := graph.ConvertDType(s.Graph(images, arrays), dtypes.Float32)
		features.AssertDims(batch, s.FeatureDim)
		return features
	}
	grid := graph.ConvertDType(s.Grid(images, arrays), dtypes.Float32)
	grid = graph.Reshape(grid, batch, s.Places, s.FeatureDim)
	features := graph.ReduceMean(grid, 1)
	rows := graph.Concatenate([]*graph.Node{features, graph.Reshape(grid, batch, s.Places*s.FeatureDim)}, 1)
	rows.AssertDims(batch, s.RowDim())
	return rows
}

// rounded rounds numbers to bfloat16.
func rounded(numbers []float32) []bfloat16.BFloat16 {
	out := make([]bfloat16.BFloat16, len(numbers))
	for i, x := range numbers {
		out[i] = bfloat16.FromFloat32(x)
	}
	return out
}

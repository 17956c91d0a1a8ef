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

// HasGrids reports whether the encoder computes grids; see WithGrids.
func (s Spec) HasGrids() bool { return s.grids }

// RowDim is the number of values that an encoder returns for an image: FeatureDim and, with grids, Places*FeatureDim
// more.
func (s Spec) RowDim() int {
	if !s.grids {
		return s.FeatureDim
	}
	return s.FeatureDim * (1 + s.Places)
}

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

// rounded is a grid as it is stored.
func rounded(numbers []float32) Grid {
	grid := make(Grid, len(numbers))
	for i, x := range numbers {
		grid[i] = bfloat16.FromFloat32(x)
	}
	return grid
}

package decoder

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/bfloat16"
	. "github.com/gomlx/gomlx/core/graph"
)

// Looking is a Cell that looks at the image in every step, not only at the start. It needs each image's feature map, a
// grid of Model.Places places with Model.Channels numbers each, in addition to the feature vector. Attention and
// TopDown are built in; the example shows a custom one.
//
// Look prepares what the steps need, once per image. Step then finds the arrays that Look returned behind the states:
// its argument state holds the NumStates states [batch, hidden] and after them Look's arrays [images, ...]. Batch is a
// multiple of images, because the hypotheses of a beam search share their image: row r belongs to image r / (batch /
// images). EachRow repeats an array accordingly. Step returns the NumStates states only.
type Looking interface {
	Cell
	// LookWeights lists further arrays of the cell, for grids with so many channels. Weights does not list them again.
	LookWeights(channels, hidden int) []Weight
	// Look maps the grids of images [images, places, channels] (float32) to one or more arrays [images, ...] (float32).
	Look(w Weights, grid *Node) []*Node
}

// Attending is a Looking cell that can say where it looks.
type Attending interface {
	Looking
	// Attention returns the weights of all places, [batch, places] (float32), in the step that Step would take with the
	// same arguments. They are not negative and sum to 1 in each row.
	Attention(w Weights, x *Node, state []*Node) *Node
}

// Grid is the feature map of one image, [places, channels], row-major.
type Grid = []bfloat16.BFloat16

// NewGrid rounds numbers to a Grid.
func NewGrid(numbers []float32) Grid {
	grid := make(Grid, len(numbers))
	for i, x := range numbers {
		grid[i] = bfloat16.FromFloat32(x)
	}
	return grid
}

// EachRow repeats the rows of x [images, ...] for batch rows, of which each image has equally many: [batch, ...].
func EachRow(x *Node, batch int) *Node {
	dims := x.Shape().Clone().Dimensions
	images := dims[0]
	if batch == images {
		return x
	}
	if batch%images != 0 {
		panic(fmt.Errorf("%d rows of %d images: the rows must be a multiple of the images", batch, images))
	}
	dims[0] = batch
	wide := append([]int{images, batch / images}, dims[1:]...)
	out := Reshape(BroadcastToDims(ExpandAxes(x, 1), wide...), dims...)
	out.AssertDims(dims...)
	return out
}

// asLooking returns the cell as a Looking one, also if it is treated like a custom cell.
func asLooking(cell Cell) (Looking, bool) {
	if hidden, ok := cell.(stepwise); ok {
		cell = hidden.Cell
	}
	looking, ok := cell.(Looking)
	return looking, ok
}

// asAttending is asLooking for an Attending cell.
func asAttending(cell Cell) (Attending, bool) {
	if hidden, ok := cell.(stepwise); ok {
		cell = hidden.Cell
	}
	attending, ok := cell.(Attending)
	return attending, ok
}

// Looks reports whether the model needs grids: whether its cell is a Looking one.
func (m Model) Looks() bool {
	_, ok := asLooking(m.Cell)
	return ok
}

// Attends reports whether the model's cell is an Attending one.
func (m Model) Attends() bool {
	_, ok := asAttending(m.Cell)
	return ok
}

// gridSize is the number of values in the grid of an image; 0 for a model that does not look.
func (m Model) gridSize() int {
	if !m.Looks() {
		return 0
	}
	return m.Places * m.Channels
}

// ownWeights lists the cell's arrays, those of a Looking cell last.
func (m Model) ownWeights() []Weight {
	weights := m.Cell.Weights(m.Embedding, m.Hidden)
	if looking, ok := asLooking(m.Cell); ok {
		weights = append(weights[:len(weights):len(weights)], looking.LookWeights(m.Channels, m.Hidden)...)
	}
	return weights
}

// lookGraph returns what the cell prepares of grids [images, places, channels] (float32 or bfloat16): arrays
// [images, ...] (float32). It panics if they are unsound.
func (m Model) lookGraph(w Weights, grids *Node) []*Node {
	looking, ok := asLooking(m.Cell)
	if !ok {
		return nil
	}
	images := grids.Shape().Dim(0)
	grids.AssertDims(images, m.Places, m.Channels)
	seen := looking.Look(m.cellWeights(w), ConvertDType(grids, dtypes.Float32))
	if len(seen) == 0 {
		panic(fmt.Errorf("Look returned no arrays"))
	}
	for i, s := range seen {
		if s == nil {
			panic(fmt.Errorf("array %d from Look is nil", i))
		}
		if s.DType() != dtypes.Float32 || s.Rank() < 1 || s.Shape().Dim(0) != images {
			panic(fmt.Errorf("array %d from Look has shape %v, want float32 [images=%d, ...]", i, s.Shape(), images))
		}
	}
	return seen
}

// seenByRow returns, for arrays [images, ...] and the image of each row [batch] (int32), arrays [batch, ...]. The
// gradient adds up the rows of each image with a matrix product, which is much faster than a scatter on a CPU.
func seenByRow(seen []*Node, image *Node) []*Node {
	out := make([]*Node, len(seen))
	for i, s := range seen {
		out[i] = gatherRows(s, image)
	}
	return out
}

// gatherRows is Gather along the first axis of x [n, ...] by rows [batch] (int32), with a gradient that is one product.
func gatherRows(x, rows *Node) *Node {
	n, batch := x.Shape().Dim(0), rows.Shape().Dim(0)
	each := x.Shape().Size() / n
	return withGradient([]*Node{x}, func(in []*Node) *Node {
		return lookUp(in[0], rows)
	}, func(v *Node) []*Node {
		g := v.Graph()
		own := Equal(spread(rows, batch, n), indices(g, 1, batch, n))
		sum := DotGeneral(ConvertDType(own, v.DType()), []int{0}, nil, Reshape(v, batch, each), []int{0}, nil)
		return []*Node{Reshape(sum, x.Shape().Dimensions...)}
	})
}

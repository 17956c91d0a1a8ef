package encoder

import (
	"github.com/gomlx/gomlx/core/graph"
)

// Winograd's minimal filtering F(2x2, 3x3) computes four outputs of a 3x3 convolution with 16 products instead of 36.
// It transforms the kernel and each 4x4 tile of the input, multiplies them position by position (a matrix product
// over the channels), and transforms the products back. It pays off if there are many channels for each pixel.
//
// Reference: Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks", section 4.1.

// winogradKernel transforms a kernel [3, 3, in, out], row-major, to [16, in, out].
func winogradKernel(kernel []float32, in, out int) []float32 {
	n := in * out
	transformed := make([]float32, 16*n)
	g := [4][3]float64{{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}}
	for at := range n {
		var half [4][3]float64 // G times the kernel
		for i := range 4 {
			for x := range 3 {
				for y := range 3 {
					half[i][x] += g[i][y] * float64(kernel[(y*3+x)*n+at])
				}
			}
		}
		for i := range 4 {
			for j := range 4 {
				var sum float64
				for x := range 3 {
					sum += half[i][x] * g[j][x]
				}
				transformed[(i*4+j)*n+at] = float32(sum)
			}
		}
	}
	return transformed
}

// winogradConv is the 3x3 convolution of x, [batch, height, width, in], with stride 1 and padding 1: [batch, height,
// width, out]. The kernel is one that winogradKernel returned.
func winogradConv(x, kernel *graph.Node) *graph.Node {
	batch, height, width, in := x.Shape().Dim(0), x.Shape().Dim(1), x.Shape().Dim(2), x.Shape().Dim(3)
	out := kernel.Shape().Dim(2)
	rows, columns := (height+1)/2, (width+1)/2
	tiles := batch * rows * columns
	edge := func(size, tiles int) graph.PadAxis { return graph.PadAxis{Start: 1, End: 2*tiles + 1 - size} }
	zero := graph.ScalarZero(x.Graph(), x.DType())
	x = graph.Pad(x, zero, graph.PadAxis{}, edge(height, rows), edge(width, columns), graph.PadAxis{})

	// forward applies the input transform along one direction to the four entries of a tile.
	forward := func(d [4]*graph.Node) [4]*graph.Node {
		return [4]*graph.Node{
			graph.Sub(d[0], d[2]), graph.Add(d[1], d[2]), graph.Sub(d[2], d[1]), graph.Sub(d[1], d[3]),
		}
	}
	everySecond := func(first, n int) graph.SliceAxisSpec { return graph.AxisRange(first, first+2*n-1).Stride(2) }
	var entries [4][4]*graph.Node // [row][column] of the tile
	for j := range 4 {
		var column [4]*graph.Node
		for i := range 4 {
			column[i] = graph.Slice(x, graph.AxisRange(), everySecond(i, rows), everySecond(j, columns))
			column[i].AssertDims(batch, rows, columns, in)
		}
		for i, e := range forward(column) {
			entries[i][j] = e
		}
	}
	var products [4][4]*graph.Node
	for i := range 4 {
		for j, e := range forward(entries[i]) {
			weight := graph.Squeeze(graph.Slice(kernel, graph.AxisElem(4*i+j)), 0)
			weight.AssertDims(in, out)
			products[i][j] = graph.MatMul(graph.Reshape(e, tiles, in), weight)
			products[i][j].AssertDims(tiles, out)
		}
	}
	// back applies the output transform along one direction.
	back := func(m [4]*graph.Node) [2]*graph.Node {
		return [2]*graph.Node{graph.Add(graph.Add(m[0], m[1]), m[2]), graph.Sub(graph.Sub(m[1], m[2]), m[3])}
	}
	var halves [2][4]*graph.Node
	for j := range 4 {
		for a, h := range back([4]*graph.Node{products[0][j], products[1][j], products[2][j], products[3][j]}) {
			halves[a][j] = h
		}
	}
	var lines []*graph.Node // [batch, rows, 2*columns, out]
	for a := range 2 {
		pair := back(halves[a])
		both := graph.Stack(pair[:], 1) // the two columns of each tile
		both.AssertDims(tiles, 2, out)
		lines = append(lines, graph.Reshape(both, batch, rows, 2*columns, out))
	}
	y := graph.Reshape(graph.Stack(lines, 2), batch, 2*rows, 2*columns, out)
	y = graph.Slice(y, graph.AxisRange(), graph.AxisRange(0, height), graph.AxisRange(0, width))
	y.AssertDims(batch, height, width, out)
	return y
}

package decoder

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Mixed precision: weights, optimizer and all that is computed element by element stay float32; the factors of the large matrix
// products are rounded to bfloat16, and the products are summed and returned in float32. The gradient of a weight that was
// rounded is rounded too, on its way back to float32, as with torch.autocast, which rounds every product besides. bfloat16 has
// float32's range, so that losses need not be scaled (Kalamkar et al. 2019, "A Study of BFLOAT16 for Deep Learning Training").
//
// A product knows by the dtype of its weight: who wants products in bfloat16 hands out weights in bfloat16.

// Precisions are the values of TrainOptions.Precision.
var Precisions = []string{"float32", "bfloat16"}

// inPrecision returns w with the weights of the large products rounded to bfloat16, if precision says so. The weights of a
// cell of one's own stay float32: nothing is known of what it does with them.
func (m Model) inPrecision(precision string, w Weights) Weights {
	if precision != "bfloat16" {
		return w
	}
	rounded := make(Weights)
	_, builtin := m.Cell.(tabled)
	if hidden, ok := m.Cell.(stepwise); ok {
		_, builtin = hidden.Cell.(tabled)
	}
	for name, value := range w {
		own := strings.HasPrefix(name, cellPrefix)
		if isProduct := name == outputWeight || own && builtin && value.Rank() == 2; isProduct {
			value = ConvertDType(value, dtypes.BFloat16)
		}
		rounded[name] = value
	}
	return rounded
}

func checkPrecision(precision string) error {
	if precision != "" && !slices.Contains(Precisions, precision) {
		return fmt.Errorf("decoder: precision %q: use %s", precision, strings.Join(Precisions, " or "))
	}
	return nil
}

// product is DotGeneral without batch axes. Where b is bfloat16 a is rounded to it, too; the result is float32 in any case. It
// has no gradient in bfloat16; see matMulT.
//
// XLA's CPU backend multiplies bfloat16 at speed (several times float32's, measured with AMX) where the axes that are summed over
// come last in both factors, so they are brought there. A factor that is nothing but turned XLA's simplifier would turn back, and
// the product would be computed in float32, so both are padded with zeros; with several axes it lets them be. The accumulator is
// named bfloat16 for GoMLX's sake, which otherwise ties b to a by a copy, made anew in each step of a loop; sums are of float32,
// as the result is.
func product(a *Node, aAxes []int, b *Node, bAxes []int) *Node {
	if b.DType() != dtypes.BFloat16 {
		return DotGeneral(a, aAxes, nil, b, bAxes, nil)
	}
	a = like(a, b)
	left, right := summedLast(a, aAxes), summedLast(b, bAxes)
	if len(aAxes) == 1 && (left != a || right != b) {
		left, right = paddedLast(left), paddedLast(right)
	}
	last := func(x *Node, axes []int) []int {
		out := make([]int, len(axes))
		for i := range out {
			out[i] = x.Rank() - len(axes) + i
		}
		return out
	}
	return Dot(left, right).WithAccumulatorDType(dtypes.BFloat16).WithOutputDType(dtypes.Float32).
		General(last(left, aAxes), nil, last(right, bAxes), nil)
}

// paddedLast is x with zeros appended to its last axis, one at least, up to a multiple of 32.
func paddedLast(x *Node) *Node {
	axes := make([]PadAxis, x.Rank())
	axes[x.Rank()-1].End = 32 - x.Shape().Dim(-1)%32
	return Pad(x, ScalarZero(x.Graph(), x.DType()), axes...)
}

// summedLast is x with the given axes, in their order, behind all others.
func summedLast(x *Node, axes []int) *Node {
	var order []int
	for i := range x.Rank() {
		if !slices.Contains(axes, i) {
			order = append(order, i)
		}
	}
	order = append(order, axes...)
	if slices.IsSorted(order) {
		return x
	}
	return TransposeAllAxes(x, order...)
}

// like is x in the dtype of weight.
func like(x, weight *Node) *Node {
	if x.DType() == weight.DType() {
		return x
	}
	return ConvertDType(x, weight.DType())
}

// matMulT is x [..., k] times the transpose of w [n, k]: [..., n]. In bfloat16 its gradients, too, are products of factors in
// bfloat16: GoMLX's own would be computed in float32.
func matMulT(x, w *Node) *Node {
	last := x.Rank() - 1
	if w.DType() != dtypes.BFloat16 {
		return product(x, []int{last}, w, []int{1})
	}
	axes := make([]int, last)
	for i := range axes {
		axes[i] = i
	}
	var xs, ws *Node
	return withGradient([]*Node{x, w}, func(in []*Node) *Node {
		xs, ws = like(in[0], in[1]), in[1]
		return product(xs, []int{last}, ws, []int{1})
	}, func(v *Node) []*Node {
		v = like(v, ws)
		return []*Node{product(v, []int{last}, ws, []int{0}), like(product(v, axes, xs, axes), ws)}
	})
}

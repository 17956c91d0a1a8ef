package encoder

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"captionlab/captioning/xla/xlatest"
)

// TestWinogradConv compares with the definition of a convolution, in float64, for even and odd sizes.
func TestWinogradConv(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	random := rand.New(rand.NewPCG(1, 2))
	numbers := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(random.NormFloat64())
		}
		return x
	}
	for _, size := range []struct{ batch, height, width, in, out int }{
		{1, 1, 1, 1, 1}, {2, 4, 6, 3, 5}, {1, 7, 5, 4, 2}, {3, 8, 3, 2, 7},
	} {
		x, kernel := numbers(size.batch*size.height*size.width*size.in), numbers(9*size.in*size.out)
		exec := graph.MustNewExec(backend, winogradConv)
		out, err := exec.Call1(tensors.FromFlatDataAndDimensions(x, size.batch, size.height, size.width, size.in),
			tensors.FromFlatDataAndDimensions(winogradKernel(kernel, size.in, size.out), 16, size.in, size.out))
		if err != nil {
			t.Fatalf("%+v: %v", size, err)
		}
		got := tensors.MustCopyFlatData[float32](out)
		if want := size.batch * size.height * size.width * size.out; len(got) != want {
			t.Fatalf("%+v: %d numbers, want %d", size, len(got), want)
		}
		for at, g := range got {
			o, left := at%size.out, at/size.out
			column, left := left%size.width, left/size.width
			row, image := left%size.height, left/size.height
			var want float64
			for dy := range 3 {
				for dx := range 3 {
					y, z := row+dy-1, column+dx-1
					if y < 0 || z < 0 || y >= size.height || z >= size.width {
						continue
					}
					for i := range size.in {
						pixel := x[((image*size.height+y)*size.width+z)*size.in+i]
						want += float64(pixel) * float64(kernel[((dy*3+dx)*size.in+i)*size.out+o])
					}
				}
			}
			if math.Abs(float64(g)-want) > 1e-5*(1+math.Abs(want)) {
				t.Fatalf("%+v: output %d is %v, want %v", size, at, g, want)
			}
		}
	}
}

package encoder

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Stage is what a part of a network computes, up to its end.
type Stage struct {
	Name         string // as in "layer2: 4 blocks"
	Convolutions int
	// Parameters are the weights of its convolutions, and scale and shift of the batch normalisation behind each.
	Parameters int
	Products   int // multiplications with weights that one picture takes
	// Side and Channels are of its output, [Side, Side, Channels]; the last stage has Side 1, the feature vector.
	Side, Channels int
	// Receptive is the side of the square of the picture, in pixels, that one output position depends on. It may be larger
	// than the picture, beyond which there are zeros.
	Receptive int
}

// Stages lays the network out without any weights and tells what its stages compute, in order. The backend computes nothing;
// graphs are laid out for one.
func (s Spec) Stages(backend compute.Backend) (stages []Stage, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("encoder %s: %v", s.Name, problem)
		}
	}()
	net := s.network()
	g := graph.NewGraph(backend, s.Name)
	defer g.Finalize()
	b := &builder{specs: net.specs, survey: &survey{side: s.Crop, receptive: 1}}
	for i, c := range net.specs {
		shape := []int{c.k, c.k, c.in, c.out}
		if c.winograd {
			shape = []int{16, c.in, c.out}
		}
		b.kernels = append(b.kernels, graph.Parameter(g, fmt.Sprintf("kernel%d", i), shapes.Make(dtypes.Float32, shape...)))
		b.bias = append(b.bias, graph.Parameter(g, fmt.Sprintf("bias%d", i), shapes.Make(dtypes.Float32, c.out)))
	}
	pixels := graph.Parameter(g, "pixels", shapes.Make(dtypes.Uint8, 1, s.Crop, s.Crop, 3))
	features := net.build(b, s.normalizeGraph(pixels))
	b.survey.stage("mean over all positions", features)
	return b.survey.stages, nil
}

// survey notes what a network consists of while it is laid out. A nil survey, of a network that is to compute something, notes
// nothing.
type survey struct {
	side      int // of the picture
	receptive int
	running   Stage
	stages    []Stage
}

// conv notes the convolution c of x.
func (v *survey) conv(c convSpec, x *graph.Node, stride int) {
	if v == nil {
		return
	}
	side, weights := (x.Shape().Dim(1)+stride-1)/stride, c.k*c.k*c.in*c.out
	v.running.Convolutions++
	v.running.Parameters += weights + 2*c.out
	v.running.Products += weights * side * side
	v.window(c.k, x)
}

// window notes that an output position depends on k x k positions of x. Neighbours in x are as many pixels apart as its side is
// shorter than the picture's. A shortcut's window of one position adds nothing, so the longest path is what is summed up.
func (v *survey) window(k int, x *graph.Node) {
	if v != nil {
		v.receptive += (k - 1) * v.side / x.Shape().Dim(1)
	}
}

// stage ends a stage whose output is x, [1, side, side, channels] or the features [1, channels].
func (v *survey) stage(name string, x *graph.Node) {
	if v == nil {
		return
	}
	s := v.running
	s.Name, s.Side, s.Channels, s.Receptive = name, 1, x.Shape().Dim(-1), v.receptive
	if x.Rank() == 4 {
		s.Side = x.Shape().Dim(1)
	} else {
		s.Receptive += v.side - v.side/v.stages[len(v.stages)-1].Side // the mean joins the windows of all positions
	}
	v.stages, v.running = append(v.stages, s), Stage{}
}

package encoder

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Stage describes a part of a network.
type Stage struct {
	Name         string // as in "layer2: 4 blocks"
	Convolutions int
	// Parameters counts the weights of its convolutions, and scale and shift of each batch normalisation.
	Parameters int
	Products   int // multiplications with weights for one image
	// Side and Channels are the dimensions of its output, [Side, Side, Channels]. The last stage, the feature vector,
	// has Side 1.
	Side, Channels int
	// Receptive is the side, in pixels, of the square of the image on which one output position depends. It may be
	// larger than the image, which is padded with zeros.
	Receptive int
}

// Stages describes the stages of a known encoder, in order. It needs no weights. It builds a graph for the backend
// but does not run it. Fails for a custom encoder, whose stages are not known.
func (s Spec) Stages(backend compute.Backend) (stages []Stage, err error) {
	if s.network == nil || !s.Known() {
		return nil, fmt.Errorf("encoder %s: the stages of a custom encoder are not known", s.Name)
	}
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("encoder %s: %v", s.Name, problem)
		}
	}()
	net := s.network
	g := graph.NewGraph(backend, s.Name)
	defer g.Finalize()
	parameter := func(name string, shape ...int) *graph.Node {
		return graph.Parameter(g, name, shapes.Make(s.dtype(), shape...))
	}
	b := &builder{convs: net.convs, survey: &survey{side: s.Crop, receptive: 1}}
	for i, c := range net.convs {
		b.kernels = append(b.kernels, parameter(fmt.Sprintf("kernel%d", i), c.kernelShape()...))
		b.bias = append(b.bias, parameter(fmt.Sprintf("bias%d", i), c.out))
	}
	pixels := graph.Parameter(g, "pixels", shapes.Make(dtypes.Uint8, 1, s.Crop, s.Crop, 3))
	features := pooled(net.build(b, s.normalize(pixels)))
	b.survey.stage("mean over all positions", features)
	return b.survey.stages, nil
}

// UpTo returns an encoder that ends after a stage, counted from 0 as Stages lists them; its features are the means of
// the stage's channels. It serves to measure where the time goes. Fails for a custom encoder and for the last stage,
// which is the mean.
func (s Spec) UpTo(stage int) (Spec, error) {
	if s.network == nil || !s.Known() {
		return Spec{}, fmt.Errorf("encoder %s: the stages of a custom encoder are not known", s.Name)
	}
	net := s.network
	if n := len(net.ends); stage < 0 || stage >= n {
		return Spec{}, fmt.Errorf("encoder %s: stage %d, want 0 to %d", s.Name, stage, n-1)
	}
	s.Name, s.Version, s.FeatureDim = fmt.Sprintf("%s-stage%d", s.Name, stage), "1", net.ends[stage]
	s.Graph = func(images *graph.Node, arrays []*graph.Node) *graph.Node {
		v := &survey{side: s.Crop, receptive: 1}
		kernels, bias := arrays[:len(net.convs)], arrays[len(net.convs):]
		net.build(&builder{convs: net.convs, kernels: kernels, bias: bias, survey: v}, images)
		return pooled(v.outputs[stage])
	}
	s.Grid, s.Places, s.network = nil, 0, nil
	return s, nil
}

// survey records what a network consists of while its graph is built. A nil survey records nothing.
type survey struct {
	side      int // of the image
	receptive int
	running   Stage
	stages    []Stage
	outputs   []*graph.Node // of the stages
}

// conv records the convolution c of x.
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

// window records that an output position depends on k x k positions of x. The distance of neighbours in x, in pixels,
// is the side of the image over the side of x. The window of a shortcut, one position, adds nothing, so the sum
// follows the longest path.
func (v *survey) window(k int, x *graph.Node) {
	if v != nil {
		v.receptive += (k - 1) * v.side / x.Shape().Dim(1)
	}
}

// stage ends a stage with the output x, either [1, side, side, channels] or features [1, channels].
func (v *survey) stage(name string, x *graph.Node) {
	if v == nil {
		return
	}
	s := v.running
	s.Name, s.Side, s.Channels, s.Receptive = name, 1, x.Shape().Dim(-1), v.receptive
	if x.Rank() == 4 {
		s.Side = x.Shape().Dim(1)
	} else {
		s.Receptive += v.side - v.side/v.stages[len(v.stages)-1].Side // the mean combines the windows of all positions
	}
	v.stages, v.running, v.outputs = append(v.stages, s), Stage{}, append(v.outputs, x)
}

// Package encoder turns photographs into feature vectors with a pretrained, frozen convolutional network, and keeps the
// vectors of a whole dataset on disk.
//
// It reads weights from PyTorch and safetensors files without running any code in them, decodes and resizes pictures as
// the Python Imaging Library does, and folds batch normalisation into the convolutions. What becomes of the features is
// for package decoder.
package encoder

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"captionlab/captioning/safetensors"
)

// Spec describes an encoder before any weights are loaded.
type Spec struct {
	Name       string
	FeatureDim int
	// Resize is the length, in pixels, that the shorter side of a picture is brought to (antialiased bilinear), Crop the
	// side of the square cut out of its centre.
	Resize, Crop int
	Mean, Std    [3]float32 // of red, green, blue in 0..255: a pixel p enters the network as (p - Mean) / Std
	// BatchSize is how many pictures the network takes at once, the number that was measured as fastest; a smaller batch is
	// filled up, so that one program serves all.
	BatchSize int
	network   func() network
	// half has the network compute in bfloat16; see Lookup.
	half bool
}

// halfSuffix behind an encoder's name has it compute in bfloat16.
const halfSuffix = "-bfloat16"

// Preprocessing spells out what is done to a picture, for identities and records.
func (s Spec) Preprocessing() string {
	return fmt.Sprintf("shorter side %d, bilinear antialiased; centre crop %d; (p-%v)/%v", s.Resize, s.Crop, s.Mean, s.Std)
}

var specs = []Spec{
	{ // The paper's: ImageNet mean and standard deviation, 256 pixels (protocol pa4's starter code).
		Name: "resnet50", FeatureDim: 2048, Resize: 256, Crop: 256, BatchSize: 8,
		Mean:    [3]float32{0.485 * 255, 0.456 * 255, 0.406 * 255},
		Std:     [3]float32{0.229 * 255, 0.224 * 255, 0.225 * 255},
		network: resNet50,
	},
	{
		Name: "efficientnet-lite0", FeatureDim: 1280, Resize: 224, Crop: 224, BatchSize: 16,
		Mean: [3]float32{127, 127, 127}, Std: [3]float32{128, 128, 128},
		network: efficientNetLite0,
	},
}

// Names lists the encoders.
func Names() []string {
	var names []string
	for _, s := range specs {
		names = append(names, s.Name)
	}
	return names
}

// Lookup returns the encoder called name, or an error that lists the known ones. With "-bfloat16" behind its name an encoder
// keeps kernels and what lies between its layers in bfloat16, sums in float32, and returns float32; its features are others, by
// about a hundredth, and so is its Identity. It is meant for GPUs.
func Lookup(name string) (Spec, error) {
	plain, half := strings.CutSuffix(name, halfSuffix)
	i := slices.IndexFunc(specs, func(s Spec) bool { return s.Name == plain })
	if i < 0 {
		return Spec{}, fmt.Errorf("unknown encoder %q: the encoders are %s, each also with %s behind its name", name, strings.Join(Names(), ", "), halfSuffix)
	}
	spec := specs[i]
	spec.Name, spec.half = name, half
	return spec, nil
}

// Network is the encoder's name without its precision: those of one network take the same weights.
func (s Spec) Network() string { return strings.TrimSuffix(s.Name, halfSuffix) }

// dtype is what the network computes in.
func (s Spec) dtype() dtypes.DType {
	if s.half {
		return dtypes.BFloat16
	}
	return dtypes.Float32
}

// Identity is what decides the features of a picture. It is stored with features and in checkpoints.
type Identity struct {
	Name          string `json:"name"`
	WeightsSHA256 string `json:"weights_sha256"`
	Preprocessing string `json:"preprocessing"`
	FeatureDim    int    `json:"feature_dim"`
}

// Encoder is a network with its weights on a device. Safe for concurrent use; batches run one after another.
type Encoder struct {
	spec     Spec
	identity Identity
	weights  []any // tensors: kernels, then biases
	exec     *graph.Exec
	mu       sync.Mutex
}

// Open loads the weights of the encoder called name from a .pth or safetensors file and prepares it on the backend.
// Tensors of the classifier may be there; a missing, unknown or wrong-shaped tensor, and a file that is damaged or names
// code, give an error that tells which.
func Open(backend compute.Backend, name, weightsFile string) (*Encoder, error) {
	spec, err := Lookup(name)
	if err != nil {
		return nil, err
	}
	arrays, sum, err := readWeights(weightsFile)
	if err != nil {
		return nil, err
	}
	return build(backend, spec, weightsFile, arrays, sum)
}

// build folds the arrays read from weightsFile and puts them on the backend.
func build(backend compute.Backend, spec Spec, weightsFile string, arrays map[string]safetensors.Tensor, sum string) (*Encoder, error) {
	net := spec.network()
	for i := range net.specs { // Winograd's transforms cost bfloat16 too many of its bits
		net.specs[i].winograd = net.specs[i].winograd && !spec.half
	}
	layers, err := foldAll(weightsFile, arrays, net.specs, net.epsilon, net.ignored...)
	if err != nil {
		return nil, err
	}
	e := &Encoder{spec: spec, identity: Identity{spec.Name, sum, spec.Preprocessing(), spec.FeatureDim}}
	for _, l := range layers {
		e.weights = append(e.weights, spec.tensor(l.kernel, l.shape...))
	}
	for _, l := range layers {
		e.weights = append(e.weights, spec.tensor(l.bias, len(l.bias)))
	}
	e.exec, err = graph.NewExec(backend, func(in []*graph.Node) *graph.Node {
		b := &builder{specs: net.specs, kernels: in[1 : 1+len(layers)], bias: in[1+len(layers):]}
		features := net.build(b, spec.normalizeGraph(in[0]))
		features = graph.ConvertDType(features, dtypes.Float32)
		features.AssertDims(in[0].Shape().Dim(0), spec.FeatureDim)
		return features
	})
	return e, err
}

// normalizeGraph maps pixels [batch, height, width, 3] (uint8, or float32 in 0..255) to the network's input.
func (s Spec) normalizeGraph(pixels *graph.Node) *graph.Node {
	g := pixels.Graph()
	x := graph.ConvertDType(pixels, dtypes.Float32)
	mean := graph.Reshape(graph.Const(g, s.Mean[:]), 1, 1, 1, 3)
	std := graph.Reshape(graph.Const(g, s.Std[:]), 1, 1, 1, 3)
	return graph.ConvertDType(graph.Div(graph.Sub(x, mean), std), s.dtype())
}

// tensor puts weights on the host into the dtype that the network computes in.
func (s Spec) tensor(data []float32, shape ...int) *tensors.Tensor {
	if !s.half {
		return tensors.FromFlatDataAndDimensions(data, shape...)
	}
	rounded := make([]bfloat16.BFloat16, len(data))
	for i, x := range data {
		rounded[i] = bfloat16.FromFloat32(x)
	}
	return tensors.FromFlatDataAndDimensions(rounded, shape...)
}

// Spec returns the description of the network.
func (e *Encoder) Spec() Spec { return e.spec }

// Identity returns what decides the features: network, weights, preprocessing.
func (e *Encoder) Identity() Identity { return e.identity }

// Encode returns the pooled features, row by row [n, FeatureDim], of pictures that Preprocess made.
func (e *Encoder) Encode(ctx context.Context, pictures []*Pixels) ([]float32, error) {
	side, dim := e.spec.Crop, e.spec.FeatureDim
	features := make([]float32, 0, len(pictures)*dim)
	for batch := range slices.Chunk(pictures, e.spec.BatchSize) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		pixels := make([]uint8, e.spec.BatchSize*side*side*3)
		for i, p := range batch {
			if err := p.check(); err != nil {
				return nil, fmt.Errorf("encoder %s: %w", e.spec.Name, err)
			}
			if p.Width != side || p.Height != side {
				return nil, fmt.Errorf("encoder %s: a picture of %dx%d pixels was not preprocessed to %dx%d", e.spec.Name, p.Width, p.Height, side, side)
			}
			copy(pixels[i*side*side*3:], p.RGB)
		}
		out, err := e.run(tensors.FromFlatDataAndDimensions(pixels, e.spec.BatchSize, side, side, 3))
		if err != nil {
			return nil, err
		}
		features = append(features, out[:len(batch)*dim]...)
	}
	return features, nil
}

// run feeds one batch of any size through the network.
func (e *Encoder) run(pixels *tensors.Tensor) (features []float32, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("encoder %s: %v", e.spec.Name, problem)
		}
	}()
	out, err := e.exec.Call1(append([]any{pixels}, e.weights...)...)
	if err != nil {
		return nil, fmt.Errorf("encoder %s: %w", e.spec.Name, err)
	}
	return tensors.MustCopyFlatData[float32](out), out.FinalizeAll()
}

// Finalize frees the device's memory. The encoder must not be used after that.
func (e *Encoder) Finalize() {
	e.exec.Finalize()
	for _, w := range e.weights {
		w.(*tensors.Tensor).MustFinalizeAll()
	}
}

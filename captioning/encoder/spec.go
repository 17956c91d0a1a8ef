package encoder

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"captionlab/captioning/safetensors"
)

// Spec describes an encoder: its name, its network, the preprocessing of images, and where its weights are. Lookup
// returns the known ones; any other value of this type, as a program or a notebook cell writes it, is a custom
// encoder.
type Spec struct {
	Name       string // without path separators
	FeatureDim int
	// Resize is the length in pixels to which the shorter side of an image is scaled (antialiased bilinear). Crop is
	// the side of the square that is cut out of the centre, at most Resize.
	Resize, Crop int
	// Mean and Std are of red, green and blue in 0..255: a pixel p enters the network as (p - Mean) / Std.
	Mean, Std [3]float32
	// BatchSize is the number of images that the network takes at once; 0 means 8. The known encoders have the size
	// that was measured as fastest. A smaller batch is filled up, so that one program serves all.
	BatchSize int
	// DType is the type of the images and arrays that Graph receives. The zero value means float32.
	DType dtypes.DType

	// Load turns the tensors of a weights file into the arrays that Graph takes. It is nil for a network without
	// weights.
	Load func(tensors map[string]safetensors.Tensor) ([]Array, error)
	// Graph computes features [batch, FeatureDim] of normalised images [batch, Crop, Crop, 3]. The arrays are those
	// that Load returned, in the same order.
	Graph func(images *graph.Node, arrays []*graph.Node) *graph.Node
	// Grid computes the feature map of images like Graph: [batch, Places, FeatureDim] or [batch, height, width,
	// FeatureDim], whose mean over the places is the feature vector. It is nil for a network without one.
	Grid   func(images *graph.Node, arrays []*graph.Node) *graph.Node
	Places int // height x width of the grid; ignored without Grid
	// Weights finds the weights file, or fetches it. If it is nil, the caller has to name the file.
	Weights func(ctx context.Context) (path string, err error)

	// Version identifies Load and Graph of a custom encoder; ignored for a known one. Change it whenever a change of
	// that code changes features. If it is empty, New identifies the code by the features of a fixed image. See
	// Identity.
	Version string

	grids   bool     // see WithGrids
	network *network // set for convolutional networks whose Stages are known
}

// Array is a float32 array that a network takes, row-major.
type Array struct {
	Shape []int
	Data  []float32
}

// halfSuffix follows the name of an encoder that computes in bfloat16.
const halfSuffix = "-bfloat16"

// known lists the known encoders, each in float32 and in bfloat16. To add one, write a file like resnet50.go and add
// its function here.
var known = inBothPrecisions(resNet50, efficientNetLite0)

func inBothPrecisions(specs ...func(dtypes.DType) Spec) []Spec {
	var all []Spec
	for _, spec := range specs {
		half := spec(dtypes.BFloat16)
		half.Name += halfSuffix
		all = append(all, spec(dtypes.Float32), half)
	}
	return all
}

// Names lists the known encoders, without the bfloat16 variants.
func Names() []string {
	var names []string
	for _, s := range known {
		if s.Name == s.Network() {
			names = append(names, s.Name)
		}
	}
	return names
}

// Lookup returns the encoder called name. The error for an unknown name lists the known ones. An encoder with the
// suffix "-bfloat16" keeps kernels and activations in bfloat16, accumulates in float32, and returns float32. Its
// features differ by about a hundredth from those in float32, and so does its Identity. It is meant for GPUs.
func Lookup(name string) (Spec, error) {
	i := slices.IndexFunc(known, func(s Spec) bool { return s.Name == name })
	if i < 0 {
		return Spec{}, fmt.Errorf("unknown encoder %q: choose one of %s, optionally with the suffix %s",
			name, strings.Join(Names(), ", "), halfSuffix)
	}
	return known[i], nil
}

// Network is the encoder's name without its precision. Encoders with the same network take the same weights.
func (s Spec) Network() string { return strings.TrimSuffix(s.Name, halfSuffix) }

// Known reports whether s is, in name and code, one of the encoders that Lookup returns. The identity of a known
// encoder follows from its name and the checksum of its weights; see Identity for the others.
func (s Spec) Known() bool {
	listed, err := Lookup(s.Name)
	return err == nil && s.network == listed.network && s.dtype() == listed.dtype() &&
		s.FeatureDim == listed.FeatureDim && s.Places == listed.Places && sameCode(s.Load, listed.Load) &&
		sameCode(s.Graph, listed.Graph) && sameCode(s.Grid, listed.Grid)
}

func sameCode(a, b any) bool { return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer() }

// Preprocessing describes, for identities and records, how an image is preprocessed.
func (s Spec) Preprocessing() string {
	return fmt.Sprintf("shorter side %d, bilinear antialiased; centre crop %d; (p-%v)/%v",
		s.Resize, s.Crop, s.Mean, s.Std)
}

// WeightsFile returns the weights file to open s with: named, unless it is empty, else what s.Weights returns. It is
// "" for an encoder without weights. Fails if the encoder takes weights and no file is named or found.
func (s Spec) WeightsFile(ctx context.Context, named string) (string, error) {
	switch {
	case s.Load == nil && named != "":
		return "", fmt.Errorf("encoder %s takes no weights: do not name %s", s.Name, named)
	case s.Load == nil || named != "":
		return named, nil
	case s.Weights == nil:
		return "", fmt.Errorf("encoder %s has no default weights: name a .pth or safetensors file", s.Name)
	}
	path, err := s.Weights(ctx)
	if err != nil {
		return "", fmt.Errorf("encoder %s: %w", s.Name, err)
	}
	return path, nil
}

// check reports what is missing or impossible in s.
func (s Spec) check() error {
	fail := func(format string, values ...any) error {
		return fmt.Errorf("encoder %q: %s", s.Name, fmt.Sprintf(format, values...))
	}
	switch {
	case s.Name == "" || strings.ContainsAny(s.Name, `/\`):
		return fail("set Name to a name without path separators")
	case s.Graph == nil:
		return fail("Graph is nil")
	case s.FeatureDim < 1:
		return fail("FeatureDim is %d, must be at least 1", s.FeatureDim)
	case s.Crop < 1 || s.Resize < s.Crop:
		return fail("Crop is %d and Resize %d, must be 1 <= Crop <= Resize", s.Crop, s.Resize)
	case s.Grid != nil && s.Places < 1:
		return fail("Places is %d, must be at least 1, the number of places of the grid", s.Places)
	case s.BatchSize < 0:
		return fail("BatchSize is %d, must not be negative", s.BatchSize)
	}
	for i := range s.Std {
		if !(s.Std[i] > 0) || math.IsInf(float64(s.Std[i]), 0) || math.IsNaN(float64(s.Mean[i]-s.Mean[i])) {
			return fail("Mean is %v and Std %v, must be finite, and Std positive", s.Mean, s.Std)
		}
	}
	return nil
}

// dtype is the type of images and arrays in the network.
func (s Spec) dtype() dtypes.DType {
	if s.DType == dtypes.InvalidDType {
		return dtypes.Float32
	}
	return s.DType
}

// normalize maps pixels [batch, height, width, 3] (uint8, or float32 in 0..255) to the network's input.
func (s Spec) normalize(pixels *graph.Node) *graph.Node {
	g := pixels.Graph()
	x := graph.ConvertDType(pixels, dtypes.Float32)
	mean := graph.Reshape(graph.Const(g, s.Mean[:]), 1, 1, 1, 3)
	std := graph.Reshape(graph.Const(g, s.Std[:]), 1, 1, 1, 3)
	return graph.ConvertDType(graph.Div(graph.Sub(x, mean), std), s.dtype())
}

// Package encoder turns images into feature vectors with a pretrained, frozen network, and keeps the vectors of a whole
// dataset on disk.
//
// It reads weights from PyTorch and safetensors files without running any code in them, decodes and resizes images as
// the Python Imaging Library does, and folds batch normalisation into convolutions. Package decoder uses the
// features.
//
// Lookup knows ResNet-50 and EfficientNet-Lite0. A custom encoder is a Spec of your own, opened with New.
package encoder

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// Encoder is a network with its weights on a device. It is safe for concurrent use; batches run one after another.
type Encoder struct {
	spec     Spec
	identity Identity
	arrays   []any // tensors
	exec     *graph.Exec
	whole    atomic.Bool // the program for whole batches has run
	device   compute.DeviceNum
	mu       sync.Mutex
	others   []*Encoder // the same encoder on further devices; see Spread
}

// Open opens the known encoder called name: Lookup, then New.
func Open(backend compute.Backend, name, weightsFile string) (*Encoder, error) {
	spec, err := Lookup(name)
	if err != nil {
		return nil, err
	}
	return New(backend, spec, weightsFile)
}

// New loads the weights of an encoder from a .pth or safetensors file and prepares its network on the backend.
// weightsFile is ignored by an encoder without weights; Spec.WeightsFile finds one. Tensors of a classifier may be
// present. The error for a missing, unknown or wrongly shaped tensor, and for a file that is damaged or names code,
// says which.
func New(backend compute.Backend, spec Spec, weightsFile string) (*Encoder, error) {
	if err := spec.check(); err != nil {
		return nil, err
	}
	var arrays []Array
	if spec.Load != nil {
		if weightsFile == "" {
			return nil, fmt.Errorf("encoder %s takes weights: name a .pth or safetensors file", spec.Name)
		}
		tensors, err := readWeights(weightsFile)
		if err != nil {
			return nil, err
		}
		if arrays, err = spec.Load(tensors); err != nil {
			return nil, fmt.Errorf("encoder weights: %s: %w", weightsFile, err)
		}
	}
	e, err := build(backend, spec, arrays)
	if err != nil {
		return nil, err
	}
	if err := e.identify(backend, weightsFile); err != nil {
		e.Finalize()
		return nil, err
	}
	return e, nil
}

// build puts the arrays on the backend and prepares the network there.
func build(backend compute.Backend, spec Spec, arrays []Array) (*Encoder, error) {
	if spec.BatchSize == 0 {
		spec.BatchSize = 8
	}
	e := &Encoder{spec: spec}
	for i, a := range arrays {
		n := 1
		for _, d := range a.Shape {
			n *= d
		}
		if n != len(a.Data) || slices.ContainsFunc(a.Shape, func(d int) bool { return d < 1 }) {
			return nil, fmt.Errorf("encoder %s: array %d of shape %v has %d numbers",
				spec.Name, i, a.Shape, len(a.Data))
		}
		tensor, err := a.tensor(spec.dtype())
		if err != nil {
			return nil, fmt.Errorf("encoder %s: %w", spec.Name, err)
		}
		e.arrays = append(e.arrays, tensor)
	}
	var err error
	e.exec, err = graph.NewExec(backend, func(in []*graph.Node) *graph.Node {
		return spec.rowsGraph(spec.normalize(in[0]), in[1:])
	})
	if err != nil {
		return nil, fmt.Errorf("encoder %s: %w", spec.Name, err)
	}
	return e, nil
}

// tensor converts the array to the type in which the network computes.
func (a Array) tensor(dtype dtypes.DType) (*tensors.Tensor, error) {
	switch dtype {
	case dtypes.Float32:
		return tensors.FromFlatDataAndDimensions(a.Data, a.Shape...), nil
	case dtypes.BFloat16:
		return tensors.FromFlatDataAndDimensions(rounded(a.Data), a.Shape...), nil
	}
	return nil, fmt.Errorf("DType is %s, must be float32 or bfloat16", dtype)
}

// Spec returns the description of the encoder.
func (e *Encoder) Spec() Spec { return e.spec }

// Identity returns what determines the features: network, weights and preprocessing.
func (e *Encoder) Identity() Identity { return e.identity }

// Encode returns the features of preprocessed images, row-major [len(images), RowDim]: each image's feature vector and,
// if the encoder computes grids, its grid after it. See Spec.Preprocess, Spec.RowDim.
func (e *Encoder) Encode(ctx context.Context, images []*Pixels) ([]float32, error) {
	return e.encode(ctx, images, e.sizeFor)
}

// EncodeFew is Encode for a server: a few images take a program of a power of two, even after whole batches, so that a
// single image does not take as long as a batch.
func (e *Encoder) EncodeFew(ctx context.Context, images []*Pixels) ([]float32, error) {
	return e.encode(ctx, images, e.fewFor)
}

// encode is Encode with sizeFor, which returns the number of images that the network takes for n of them.
func (e *Encoder) encode(ctx context.Context, images []*Pixels, sizeFor func(n int) int) ([]float32, error) {
	features := make([]float32, 0, len(images)*e.spec.RowDim())
	for batch := range slices.Chunk(images, e.spec.BatchSize) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out, err := e.encodeBatch(batch, sizeFor(len(batch)))
		if err != nil {
			return nil, err
		}
		features = append(features, out...)
	}
	return features, nil
}

// encodeBatch returns the features of a batch, for which the network takes size images.
func (e *Encoder) encodeBatch(batch []*Pixels, size int) ([]float32, error) {
	side := e.spec.Crop
	pixels := make([]uint8, size*side*side*3)
	for i, p := range batch {
		if err := p.check(); err != nil {
			return nil, fmt.Errorf("encoder %s: %w", e.spec.Name, err)
		}
		if p.Width != side || p.Height != side {
			return nil, fmt.Errorf("encoder %s: an image has %d x %d pixels, want %d x %d: preprocess it",
				e.spec.Name, p.Width, p.Height, side, side)
		}
		copy(pixels[i*side*side*3:], p.RGB)
	}
	out, err := e.run(tensors.FromFlatDataAndDimensions(pixels, size, side, side, 3))
	if err != nil {
		return nil, err
	}
	return out[:len(batch)*e.spec.RowDim()], nil
}

// sizeFor returns the number of images that the network takes for n of them: a few images that come first take a
// program of a power of two; once there is a program for whole batches, all take that.
func (e *Encoder) sizeFor(n int) int {
	if n == e.spec.BatchSize {
		e.whole.Store(true)
	}
	if e.whole.Load() {
		return e.spec.BatchSize
	}
	return e.fewFor(n)
}

// fewFor returns the least power of two that is at least n, or the size of a batch.
func (e *Encoder) fewFor(n int) int {
	size := 1
	for size < n {
		size *= 2
	}
	return min(size, e.spec.BatchSize)
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
	out, _, err := e.exec.CallWithGraphOnDevice(e.device, append([]any{pixels}, e.arrays...)...)
	if err != nil {
		return nil, fmt.Errorf("encoder %s: %w", e.spec.Name, err)
	}
	return tensors.MustCopyFlatData[float32](out[0]), out[0].FinalizeAll()
}

// Finalize frees the memory on the device. Do not use the encoder afterwards.
func (e *Encoder) Finalize() {
	e.exec.Finalize()
	for _, one := range append(e.others, e) {
		for _, w := range one.arrays {
			w.(*tensors.Tensor).MustFinalizeAll()
		}
	}
}

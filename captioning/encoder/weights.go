package encoder

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"slices"
	"sort"
	"strings"

	"captionlab/captioning/encoder/pth"
	"captionlab/captioning/safetensors"
)

// maxWeightsFile is the largest weights file that is read, in bytes: ResNet-50 has 0.1 GB.
const maxWeightsFile = 2 << 30

// convolution is one convolution with the batch normalisation that follows it, as the state dict names them.
type convolution struct {
	name, norm  string // of the entries NAME.weight and NORM.weight, NORM.bias, NORM.running_mean, NORM.running_var
	in, out     int    // channels
	kernel      int    // side of the square kernel
	stride      int
	depthwise   bool // one filter for each channel; in == out
	before, end int  // zero padding at the start and at the end of both axes
}

// folded is a convolution with its batch normalisation multiplied in.
type folded struct {
	shape  []int     // [kernel, kernel, in, out], or [kernel, kernel, channels] for a depthwise one
	kernel []float32 // row-major
	bias   []float32 // [out]
}

// readWeights reads the file at path, which may be a PyTorch .pth or a safetensors file, and returns its tensors and the
// SHA-256 of its bytes in hex.
func readWeights(path string) (tensors map[string]safetensors.Tensor, sum string, err error) {
	stat, err := os.Stat(path)
	if err != nil {
		return nil, "", fmt.Errorf("cannot read the encoder's weights: %w", err)
	}
	if stat.IsDir() || stat.Size() > maxWeightsFile {
		return nil, "", fmt.Errorf("%s is no weights file: a folder, or more than %d MB", path, maxWeightsFile>>20)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, "", fmt.Errorf("cannot read the encoder's weights: %w", err)
	}
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("%s is damaged: %v", path, problem)
		}
	}()
	switch {
	case pth.IsPTH(data):
		if tensors, err = pth.Decode(data); err != nil {
			return nil, "", fmt.Errorf("%s cannot be used as weights: %w", path, err)
		}
	case len(data) > 8 && data[8] == '{':
		if tensors, _, err = safetensors.Decode(data); err != nil {
			return nil, "", fmt.Errorf("%s is not a whole safetensors file: %w", path, err)
		}
	default:
		return nil, "", fmt.Errorf("%s (%d bytes) is neither a PyTorch .pth nor a safetensors file; is the download whole?", path, len(data))
	}
	digest := sha256.Sum256(data)
	return tensors, hex.EncodeToString(digest[:]), nil
}

// foldAll takes every convolution of the network out of tensors. Fails, naming the tensor, when one is missing, has another
// shape or another kind of number, when a folded weight is not finite, or when the file holds a tensor that belongs to no
// part of the network; the classifier and PyTorch's batch counters are expected and left out.
func (n *network) foldAll(tensors map[string]safetensors.Tensor) ([]folded, error) {
	used := make(map[string]bool)
	get := func(name string, shape ...int) ([]float32, error) {
		t, ok := tensors[name]
		if !ok {
			return nil, fmt.Errorf("tensor %q is missing: these are not weights of %s", name, n.name)
		}
		if !slices.Equal(t.Shape, shape) {
			return nil, fmt.Errorf("tensor %q has shape %v, %s needs %v", name, t.Shape, n.name, shape)
		}
		used[name] = true
		values, err := t.Float32()
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		return values, nil
	}
	var out []folded
	for _, c := range n.convolutions {
		f, err := c.fold(n.epsilon, get)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	var extra []string
	for name := range tensors {
		if !used[name] && !strings.HasPrefix(name, n.classifier) && !strings.HasSuffix(name, ".num_batches_tracked") {
			extra = append(extra, name)
		}
	}
	if len(extra) > 0 {
		sort.Strings(extra)
		return nil, fmt.Errorf("tensor %q (%d such) is no part of %s: these are weights of another network", extra[0], len(extra), n.name)
	}
	return out, nil
}

// fold multiplies the batch normalisation, with its running statistics, into the kernel, and turns the kernel from PyTorch's
// [out, in, height, width] to [height, width, in, out].
func (c convolution) fold(epsilon float64, get func(string, ...int) ([]float32, error)) (folded, error) {
	in := c.in
	if c.depthwise {
		in = 1
	}
	kernel, err := get(c.name+".weight", c.out, in, c.kernel, c.kernel)
	if err != nil {
		return folded{}, err
	}
	var norm [4][]float32
	for i, part := range []string{"weight", "bias", "running_mean", "running_var"} {
		if norm[i], err = get(c.norm+"."+part, c.out); err != nil {
			return folded{}, err
		}
	}
	f := folded{shape: []int{c.kernel, c.kernel, in, c.out}, kernel: make([]float32, len(kernel)), bias: make([]float32, c.out)}
	if c.depthwise {
		f.shape = []int{c.kernel, c.kernel, c.out}
	}
	area := c.kernel * c.kernel
	for o := range c.out {
		scale := float64(norm[0][o]) / math.Sqrt(float64(norm[3][o])+epsilon)
		bias := float64(norm[1][o]) - float64(norm[2][o])*scale
		sum := bias
		for i := range in * area { // i counts input channels, then positions
			w := float64(kernel[o*in*area+i]) * scale
			f.kernel[(i%area*in+i/area)*c.out+o] = float32(w)
			sum += w
		}
		if math.IsNaN(sum) || math.IsInf(sum, 0) {
			return folded{}, fmt.Errorf("tensor %q or its normalisation %q holds a number that is not finite, or a negative variance, in channel %d", c.name+".weight", c.norm, o)
		}
		f.bias[o] = float32(bias)
	}
	return f, nil
}

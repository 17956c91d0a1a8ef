package encoder

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"captionlab/captioning/internal/wheel"
	"captionlab/captioning/safetensors"
)

// readWeights returns the tensors of a PyTorch (.pth, .pt, .bin) or safetensors file, told apart by their content, and
// the file's SHA-256.
func readWeights(file string) (map[string]safetensors.Tensor, string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, "", fmt.Errorf("encoder weights: %w", err)
	}
	head := make([]byte, 9)
	n, err := io.ReadFull(f, head)
	f.Close()
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, "", fmt.Errorf("encoder weights: %w", err)
	}
	sum, err := wheel.HashFile(file)
	if err != nil {
		return nil, "", fmt.Errorf("encoder weights: %w", err)
	}
	var tensors map[string]safetensors.Tensor
	if isSafetensors := n == 9 && head[8] == '{' && bytes.Equal(head[4:8], []byte{0, 0, 0, 0}); isSafetensors {
		tensors, _, err = safetensors.Read(file)
	} else {
		tensors, err = readTorch(file)
	}
	if err != nil {
		return nil, "", fmt.Errorf("encoder weights: %w", err)
	}
	return tensors, sum, nil
}

// layer is a convolution with the batch normalisation behind it folded in.
type layer struct {
	kernel []float32 // [height, width, in/groups, out]
	shape  []int
	bias   []float32 // [out]
}

// convSpec says where a convolution's weights are in a file and what their shapes must be.
type convSpec struct {
	conv, norm string // name prefixes, as in "layer1.0.conv1" and "layer1.0.bn1"
	out, in, k int    // in is per group
	winograd   bool   // computed by winogradConv, which the kernel is transformed for
}

// foldAll folds every convolution of a network. Missing, wrong-shaped and unexpected tensors are told together; names with
// one of the ignored prefixes may be there or not.
func foldAll(file string, tensors map[string]safetensors.Tensor, specs []convSpec, epsilon float64, ignored ...string) ([]layer, error) {
	var problems []string
	used := make(map[string]bool)
	get := func(name string, shape ...int) []float32 {
		used[name] = true
		t, ok := tensors[name]
		if !ok {
			problems = append(problems, fmt.Sprintf("tensor %q is missing", name))
			return nil
		}
		if !slices.Equal(t.Shape, shape) {
			problems = append(problems, fmt.Sprintf("tensor %q has shape %v, want %v", name, t.Shape, shape))
			return nil
		}
		data, err := t.Float32()
		if err != nil {
			problems = append(problems, fmt.Sprintf("tensor %q: %v", name, err))
		}
		for _, x := range data {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				problems = append(problems, fmt.Sprintf("tensor %q holds numbers that are not finite", name))
				break
			}
		}
		return data
	}
	layers := make([]layer, len(specs))
	for i, s := range specs {
		weight := get(s.conv+".weight", s.out, s.in, s.k, s.k)
		gamma, beta := get(s.norm+".weight", s.out), get(s.norm+".bias", s.out)
		mean, variance := get(s.norm+".running_mean", s.out), get(s.norm+".running_var", s.out)
		if slices.ContainsFunc(variance, func(v float32) bool { return v < 0 }) {
			problems = append(problems, fmt.Sprintf("tensor %q holds negative variances", s.norm+".running_var"))
		}
		used[s.norm+".num_batches_tracked"] = true
		if len(problems) == 0 {
			layers[i] = fold(s, weight, gamma, beta, mean, variance, epsilon)
		}
	}
	for name := range tensors {
		known := used[name]
		for _, prefix := range ignored {
			known = known || strings.HasPrefix(name, prefix)
		}
		if !known {
			problems = append(problems, fmt.Sprintf("tensor %q belongs to no layer", name))
		}
	}
	if len(problems) > 0 {
		slices.Sort(problems)
		more := ""
		if len(problems) > 5 {
			more = fmt.Sprintf("; and %d more", len(problems)-5)
			problems = problems[:5]
		}
		return nil, fmt.Errorf("encoder weights: %s are not those of this encoder: %s%s", file, strings.Join(problems, "; "), more)
	}
	return layers, nil
}

// fold multiplies the normalisation's scale into the kernel, [out, in, k, k] to [k, k, in, out], and its shift into a bias.
func fold(s convSpec, weight, gamma, beta, mean, variance []float32, epsilon float64) layer {
	l := layer{kernel: make([]float32, len(weight)), shape: []int{s.k, s.k, s.in, s.out}, bias: make([]float32, s.out)}
	for o := range s.out {
		scale := float64(gamma[o]) / math.Sqrt(float64(variance[o])+epsilon)
		l.bias[o] = float32(float64(beta[o]) - float64(mean[o])*scale)
		for i := range s.in {
			for p := range s.k * s.k {
				l.kernel[(p*s.in+i)*s.out+o] = float32(float64(weight[(o*s.in+i)*s.k*s.k+p]) * scale)
			}
		}
	}
	if s.winograd {
		l.kernel, l.shape = winogradKernel(l.kernel, s.in, s.out), []int{16, s.in, s.out}
	}
	return l
}

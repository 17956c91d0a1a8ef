package encoder

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"captionlab/captioning/safetensors"
)

// convSpec says where the weights of a convolution and of its batch normalisation are in a file, and which shapes
// they have.
type convSpec struct {
	conv, norm string // name prefixes, as in "layer1.0.conv1" and "layer1.0.bn1"
	out, in, k int    // in is per group
	winograd   bool   // winogradConv computes it, from a transformed kernel
}

// layer is a convolution with its batch normalisation folded in.
type layer struct {
	kernel Array // [height, width, in/groups, out], or what winogradKernel returns
	bias   Array // [out]
}

// fold folds every convolution of the network. The error lists all missing, wrongly shaped and unexpected tensors.
// Tensors with one of the ignored prefixes may be present.
func (n *network) fold(tensors map[string]safetensors.Tensor) ([]layer, error) {
	r := &tensorReader{tensors: tensors, used: make(map[string]bool)}
	layers := make([]layer, len(n.convs))
	for i, s := range n.convs {
		weight := r.read(s.conv+".weight", s.out, s.in, s.k, s.k)
		norm := r.readNorm(s.norm, s.out)
		if len(r.problems) == 0 {
			layers[i] = s.fold(weight, norm, n.epsilon)
		}
	}
	r.findUnexpected(n.ignored)
	if err := r.err(); err != nil {
		return nil, err
	}
	return layers, nil
}

// batchNorm is a batch normalisation over channels.
type batchNorm struct{ gamma, beta, mean, variance []float32 }

// fold multiplies the normalisation's scale into the kernel, [out, in, k, k] to [k, k, in, out], and its shift into a
// bias.
func (s convSpec) fold(weight []float32, norm batchNorm, epsilon float64) layer {
	kernel, bias := make([]float32, len(weight)), make([]float32, s.out)
	for o := range s.out {
		scale := float64(norm.gamma[o]) / math.Sqrt(float64(norm.variance[o])+epsilon)
		bias[o] = float32(float64(norm.beta[o]) - float64(norm.mean[o])*scale)
		for i := range s.in {
			for p := range s.k * s.k {
				kernel[(p*s.in+i)*s.out+o] = float32(float64(weight[(o*s.in+i)*s.k*s.k+p]) * scale)
			}
		}
	}
	if s.winograd {
		kernel = winogradKernel(kernel, s.in, s.out)
	}
	return layer{kernel: Array{s.kernelShape(), kernel}, bias: Array{[]int{s.out}, bias}}
}

// kernelShape is the shape of the folded kernel.
func (s convSpec) kernelShape() []int {
	if s.winograd {
		return []int{16, s.in, s.out}
	}
	return []int{s.k, s.k, s.in, s.out}
}

// tensorReader reads tensors by name and collects what is wrong with them.
type tensorReader struct {
	tensors  map[string]safetensors.Tensor
	used     map[string]bool
	problems []string
}

func (r *tensorReader) problem(format string, values ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, values...))
}

// read returns the numbers of the tensor called name, which must have the given shape and be finite.
func (r *tensorReader) read(name string, shape ...int) []float32 {
	r.used[name] = true
	t, ok := r.tensors[name]
	if !ok {
		r.problem("tensor %q is missing", name)
		return nil
	}
	if !slices.Equal(t.Shape, shape) {
		r.problem("tensor %q has shape %v, want %v", name, t.Shape, shape)
		return nil
	}
	data, err := t.Float32()
	if err != nil {
		r.problem("tensor %q: %v", name, err)
	}
	for _, x := range data {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			r.problem("tensor %q holds numbers that are not finite", name)
			break
		}
	}
	return data
}

// readNorm returns the batch normalisation over n channels whose tensors have the given prefix.
func (r *tensorReader) readNorm(prefix string, n int) batchNorm {
	norm := batchNorm{
		gamma: r.read(prefix+".weight", n), beta: r.read(prefix+".bias", n),
		mean: r.read(prefix+".running_mean", n), variance: r.read(prefix+".running_var", n),
	}
	if slices.ContainsFunc(norm.variance, func(v float32) bool { return v < 0 }) {
		r.problem("tensor %q holds negative variances", prefix+".running_var")
	}
	r.used[prefix+".num_batches_tracked"] = true
	return norm
}

// findUnexpected reports the tensors that were not read and have none of the ignored prefixes.
func (r *tensorReader) findUnexpected(ignored []string) {
	for name := range r.tensors {
		isIgnored := slices.ContainsFunc(ignored, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
		if !r.used[name] && !isIgnored {
			r.problem("tensor %q belongs to no layer", name)
		}
	}
}

// err lists the first problems, sorted; nil if there are none.
func (r *tensorReader) err() error {
	const most = 5
	if len(r.problems) == 0 {
		return nil
	}
	slices.Sort(r.problems)
	more := ""
	if len(r.problems) > most {
		more = fmt.Sprintf("; and %d more", len(r.problems)-most)
	}
	first := strings.Join(r.problems[:min(most, len(r.problems))], "; ")
	return fmt.Errorf("these are not the weights of this encoder: %s%s", first, more)
}

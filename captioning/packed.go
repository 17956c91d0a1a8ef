package captioning

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"captionlab/captioning/safetensors"
)

// scalePrefix begins the names of the arrays that hold the scales of weights stored in 8 bits: one factor for each row.
const scalePrefix = "scale/"

// Packings lists how Checkpoint.Pack can store weights.
var Packings = []string{"int8", "bfloat16", "float32"}

// Pack writes the model to path as a single small file, which OpenModel opens like the folder of a run. The weights
// are stored in one of Packings: int8 rounds each row of a matrix to 255 steps of its largest magnitude; bfloat16 keeps
// 8 bits of each number's mantissa. Vectors are never rounded. The optimizer's state is left out, so a packed
// model cannot be trained further. Equal models give equal bytes.
func (c *Checkpoint) Pack(path, packing string) error {
	if !slices.Contains(Packings, packing) {
		return fmt.Errorf("unknown packing %q: use %s", packing, strings.Join(Packings, ", "))
	}
	h := c.header()
	h.Source = nil // paths on this machine are nothing to those who get the file
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	sources := make(map[string]safetensors.Source)
	for name, data := range c.Values {
		shape := c.shapes[name]
		if packing == "float32" || len(shape) != 2 {
			sources[weightPrefix+name] = safetensors.FromFloat32(shape, data).Source()
		} else if packing == "bfloat16" {
			sources[weightPrefix+name] = asBfloat16(shape, data).Source()
		} else {
			steps, scales := asInt8(shape, data)
			sources[weightPrefix+name], sources[scalePrefix+name] = steps.Source(), scales.Source()
		}
	}
	sum, err := checksum(string(text), sources)
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	return safetensors.WriteSources(path, sources, map[string]string{headerKey: string(text), sumKey: sum})
}

// asBfloat16 rounds numbers to the nearest bfloat16, halves to even.
func asBfloat16(shape []int, data []float32) safetensors.Tensor {
	out := make([]byte, 0, 2*len(data))
	for _, x := range data {
		bits := math.Float32bits(x)
		out = binary.LittleEndian.AppendUint16(out, uint16((bits+0x7fff+bits>>16&1)>>16))
	}
	return safetensors.Tensor{DType: "BF16", Shape: shape, Data: out}
}

// asInt8 divides each row of a matrix by its scale, a 127th of its largest magnitude, and rounds to whole steps.
func asInt8(shape []int, data []float32) (steps, scales safetensors.Tensor) {
	out := make([]byte, len(data))
	factors := make([]float32, shape[0])
	for r := range factors {
		row := data[r*shape[1] : (r+1)*shape[1]]
		largest := float32(0)
		for _, x := range row {
			largest = max(largest, float32(math.Abs(float64(x))))
		}
		if factors[r] = largest / 127; factors[r] == 0 {
			factors[r] = 1
		}
		for i, x := range row {
			out[r*shape[1]+i] = byte(int8(math.RoundToEven(float64(x / factors[r]))))
		}
	}
	return safetensors.Tensor{DType: "I8", Shape: shape, Data: out}, safetensors.FromFloat32(shape[:1], factors)
}

// unpack replaces arrays in 8 bits by float32, multiplied by their scales.
func unpack(tensors map[string]safetensors.Tensor) error {
	for name, scales := range tensors {
		weight, ok := strings.CutPrefix(name, scalePrefix)
		if !ok {
			continue
		}
		steps, ok := tensors[weightPrefix+weight]
		if !ok || steps.DType != "I8" || len(steps.Shape) != 2 || !slices.Equal(scales.Shape, steps.Shape[:1]) {
			return fmt.Errorf("tensor %q does not fit a matrix in 8 bits", name)
		}
		factors, err := scales.Float32()
		if err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		data, columns := make([]float32, len(steps.Data)), steps.Shape[1]
		for i, b := range steps.Data {
			data[i] = float32(int8(b)) * factors[i/columns]
		}
		tensors[weightPrefix+weight] = safetensors.FromFloat32(steps.Shape, data)
		delete(tensors, name)
	}
	return nil
}

// Package safetensors reads and writes the safetensors format: an 8-byte little-endian header length, a JSON header
// with dtype, shape and byte range of each tensor, and the raw bytes. Nothing in a file can run code, and every
// length is checked against the file before memory is allocated. Format: https://github.com/huggingface/safetensors.
package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"captionlab/captioning/internal/atomicfile"
)

// dtypeSizes are the supported dtypes and their bytes per element.
var dtypeSizes = map[string]int{
	"BOOL": 1, "U8": 1, "I8": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
	"I32": 4, "U32": 4, "F32": 4, "I64": 8, "U64": 8, "F64": 8,
}

// Tensor is one named array, row-major.
type Tensor struct {
	DType string // in the notation of the format: "F32", "I64", "U8", ...
	Shape []int  // empty for a scalar
	Data  []byte // little-endian, len = elements x bytes per element
}

type entry struct {
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// Read returns all tensors of the file at path and its string metadata (never nil). If the file is cut short, or has
// offsets that overlap or are out of range, or an unknown dtype, the error names the file and the tensor.
func Read(path string) (map[string]Tensor, map[string]string, error) {
	f, size, err := open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	tensors, metadata, err := read(f, size, func(n int64) ([]byte, error) {
		body := make([]byte, n)
		_, err := io.ReadFull(f, body)
		return body, err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("%s is not a complete safetensors file: %w", path, err)
	}
	return tensors, metadata, nil
}

// Decode is Read for a file in memory. The tensors share data.
func Decode(data []byte) (map[string]Tensor, map[string]string, error) {
	size := int64(len(data))
	return read(bytes.NewReader(data), size, func(n int64) ([]byte, error) { return data[size-n:], nil })
}

// read reads a file of the given size: the header from r, and what follows it, n bytes, from body.
func read(r io.Reader, size int64, body func(n int64) ([]byte, error)) (map[string]Tensor, map[string]string, error) {
	h, err := readHeader(r, size)
	if err != nil {
		return nil, nil, err
	}
	if err := checkEntries(h.entries, h.body); err != nil {
		return nil, nil, err
	}
	data, err := body(h.body)
	if err != nil {
		return nil, nil, err
	}
	tensors := make(map[string]Tensor, len(h.entries))
	for name, e := range h.entries {
		begin, end := e.Offsets[0], e.Offsets[1]
		tensors[name] = Tensor{DType: e.DType, Shape: e.Shape, Data: data[begin:end:end]}
	}
	return tensors, h.metadata, nil
}

func byteSize(dtype string, shape []int) (int64, error) {
	size, ok := dtypeSizes[dtype]
	if !ok {
		return 0, fmt.Errorf("unknown dtype %.50q", dtype)
	}
	total := int64(size)
	for _, d := range shape {
		if d < 0 || (d > 0 && total > math.MaxInt64/int64(d)) {
			return 0, fmt.Errorf("impossible shape %v", shape)
		}
		total *= int64(d)
	}
	return total, nil
}

// Write writes tensors, sorted by name, and metadata to path atomically. Equal content gives equal bytes. Fails for a
// tensor whose data does not fit its shape.
func Write(path string, tensors map[string]Tensor, metadata map[string]string) error {
	return atomicfile.Write(path, func(w io.Writer) error { return Encode(w, tensors, metadata) })
}

// Encode is Write to a stream.
func Encode(w io.Writer, tensors map[string]Tensor, metadata map[string]string) error {
	sources := make(map[string]Source, len(tensors))
	for name, t := range tensors {
		sources[name] = t.Source()
	}
	return encode(w, sources, metadata)
}

// Source is an array that is stored elsewhere. WriteTo writes its bytes, little-endian.
type Source struct {
	DType   string
	Shape   []int
	WriteTo func(w io.Writer) error
}

// Bytes is the number of bytes. Fails for an impossible shape or an unknown dtype.
func (s Source) Bytes() (int64, error) { return byteSize(s.DType, s.Shape) }

// WriteSources is Write for arrays that need not be in memory at the same time.
func WriteSources(path string, sources map[string]Source, metadata map[string]string) error {
	return atomicfile.Write(path, func(w io.Writer) error { return encode(w, sources, metadata) })
}

// Source returns the tensor as a Source.
func (t Tensor) Source() Source {
	return Source{t.DType, t.Shape, func(w io.Writer) error {
		_, err := w.Write(t.Data)
		return err
	}}
}

func encode(w io.Writer, sources map[string]Source, metadata map[string]string) error {
	names := slices.Sorted(maps.Keys(sources))
	header := make(map[string]any, len(sources)+1)
	if len(metadata) > 0 {
		header["__metadata__"] = metadata
	}
	var offset int64
	sizes := make(map[string]int64, len(sources))
	for _, name := range names {
		t := sources[name]
		size, err := t.Bytes()
		if err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		shape := t.Shape
		if shape == nil {
			shape = []int{}
		}
		header[name] = entry{DType: t.DType, Shape: shape, Offsets: [2]int64{offset, offset + size}}
		sizes[name] = size
		offset += size
	}
	encoded, err := json.Marshal(header)
	if err != nil {
		return err
	}
	if len(encoded) > maxHeader-8 {
		return fmt.Errorf("names and metadata take %d MB, at most %d can be read again",
			len(encoded)>>20, maxHeader>>20)
	}
	if pad := len(encoded) % 8; pad != 0 { // the format aligns the data with spaces
		encoded = append(encoded, bytes.Repeat([]byte{' '}, 8-pad)...)
	}
	if err := binary.Write(w, binary.LittleEndian, uint64(len(encoded))); err != nil {
		return err
	}
	if _, err := w.Write(encoded); err != nil {
		return err
	}
	for _, name := range names {
		counted := &counter{w: w}
		if err := sources[name].WriteTo(counted); err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		if counted.n != sizes[name] {
			return fmt.Errorf("tensor %q of %s%v needs %d bytes, has %d",
				name, sources[name].DType, sources[name].Shape, sizes[name], counted.n)
		}
	}
	return nil
}

// counter counts the bytes that it passes on.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// WriteFloat32 writes v as the data of an F32 tensor.
func WriteFloat32(w io.Writer, v []float32) error {
	buffer := make([]byte, 0, 4*min(len(v), 1<<14))
	for part := range slices.Chunk(v, 1<<14) {
		buffer = buffer[:0]
		for _, x := range part {
			buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(x))
		}
		if _, err := w.Write(buffer); err != nil {
			return err
		}
	}
	return nil
}

// FromFloat32 returns an F32 tensor of the given shape with a copy of v.
func FromFloat32(shape []int, v []float32) Tensor {
	data := make([]byte, 4*len(v))
	for i, x := range v {
		binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(x))
	}
	return Tensor{DType: "F32", Shape: slices.Clone(shape), Data: data}
}

// Float32 returns the elements as float32; F16, BF16 and F64 are converted. Fails for integer dtypes.
func (t Tensor) Float32() ([]float32, error) {
	size, err := byteSize(t.DType, t.Shape)
	if err != nil {
		return nil, err
	}
	if size != int64(len(t.Data)) {
		return nil, fmt.Errorf("%s%v needs %d bytes, has %d", t.DType, t.Shape, size, len(t.Data))
	}
	out := make([]float32, len(t.Data)/dtypeSizes[t.DType])
	switch t.DType {
	case "F32":
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.Data[4*i:]))
		}
	case "F64":
		for i := range out {
			out[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(t.Data[8*i:])))
		}
	case "BF16":
		for i := range out {
			out[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(t.Data[2*i:])) << 16)
		}
	case "F16":
		for i := range out {
			out[i] = halfToFloat(binary.LittleEndian.Uint16(t.Data[2*i:]))
		}
	default:
		return nil, fmt.Errorf("dtype %s holds no floating-point numbers", t.DType)
	}
	return out, nil
}

// halfToFloat widens an IEEE 754 binary16 number, exactly.
func halfToFloat(h uint16) float32 {
	sign, exponent, fraction := float32(1), int(h>>10&0x1f), float64(h&0x3ff)
	if h&0x8000 != 0 {
		sign = -1
	}
	switch exponent {
	case 0:
		return sign * float32(math.Ldexp(fraction, -24))
	case 31:
		if fraction != 0 {
			return float32(math.NaN())
		}
		return sign * float32(math.Inf(1))
	}
	return sign * float32(math.Ldexp(1024+fraction, exponent-25))
}

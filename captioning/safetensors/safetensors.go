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
	"os"
	"slices"

	"captionlab/captioning/internal/atomicfile"
	"captionlab/datasets/jsonfile"
)

// maxHeader is the largest header that the reference implementation accepts, in bytes.
const maxHeader = 100_000_000

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
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	tensors, metadata, err := Decode(data)
	if err != nil {
		return nil, nil, fmt.Errorf("%s is not a complete safetensors file: %w", path, err)
	}
	return tensors, metadata, nil
}

// Decode is Read for a file in memory. The tensors share data.
func Decode(data []byte) (map[string]Tensor, map[string]string, error) {
	if len(data) < 8 {
		return nil, nil, fmt.Errorf("%d bytes are too short for a header", len(data))
	}
	headerLen := binary.LittleEndian.Uint64(data)
	if headerLen > maxHeader || headerLen > uint64(len(data)-8) {
		return nil, nil, fmt.Errorf("the header claims %d bytes, the file has %d", headerLen, len(data)-8)
	}
	entries, metadata, err := decodeHeader(data[8 : 8+headerLen])
	if err != nil {
		return nil, nil, err
	}
	body := data[8+headerLen:]
	tensors := make(map[string]Tensor, len(entries))
	var covered int64
	for name, e := range entries {
		size, err := byteSize(e.DType, e.Shape)
		if err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		begin, end := e.Offsets[0], e.Offsets[1]
		if begin < 0 || end < begin || end > int64(len(body)) {
			return nil, nil, fmt.Errorf("tensor %q has bytes %d to %d of %d: the file is cut short or damaged",
				name, begin, end, len(body))
		}
		if end-begin != size {
			return nil, nil, fmt.Errorf("tensor %q of %s%v needs %d bytes, its offsets span %d",
				name, e.DType, e.Shape, size, end-begin)
		}
		covered += size
		tensors[name] = Tensor{DType: e.DType, Shape: e.Shape, Data: body[begin:end:end]}
	}
	if covered != int64(len(body)) {
		return nil, nil, fmt.Errorf("the tensors cover %d bytes, the file holds %d", covered, len(body))
	}
	return tensors, metadata, nil
}

// decodeHeader decodes the JSON header: the entries of the tensors and the string metadata (never nil).
func decodeHeader(text []byte) (entries map[string]entry, metadata map[string]string, err error) {
	var raw map[string]json.RawMessage
	if err := jsonfile.Decode("header", text, &raw); err != nil {
		return nil, nil, fmt.Errorf("the header is not JSON: %w", err)
	}
	entries, metadata = make(map[string]entry, len(raw)), map[string]string{}
	for name, message := range raw {
		if name == "__metadata__" {
			if err := jsonfile.Decode("metadata", message, &metadata); err != nil {
				return nil, nil, fmt.Errorf("the metadata is not a map of strings: %w", err)
			}
			continue
		}
		var e entry
		if err := jsonfile.Decode("entry", message, &e); err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		entries[name] = e
	}
	return entries, metadata, nil
}

func byteSize(dtype string, shape []int) (int64, error) {
	size, ok := dtypeSizes[dtype]
	if !ok {
		return 0, fmt.Errorf("unknown dtype %q", dtype)
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

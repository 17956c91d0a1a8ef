package encoder

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"captionlab/captioning/internal/pickle"
	"captionlab/captioning/safetensors"
)

var dtypeBytes = map[string]int{
	"F32": 4, "F64": 8, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1,
}

// storage is a flat array that tensors share.
type storage struct {
	key   string // its name in the file
	dtype string
	count int // of numbers
	load  func() ([]byte, error)
	data  []byte // nil until loaded
}

func (*storage) String() string { return "a storage" }

func (s *storage) bytes() int { return s.count * dtypeBytes[s.dtype] }

// storages are the storages of a file by key.
type storages map[string]*storage

// add returns the storage with the key of s, which is s unless it has been added before.
func (all storages) add(s storage) (*storage, error) {
	old := all[s.key]
	switch {
	case old == nil:
		all[s.key] = &s
		return &s, nil
	case old.dtype != s.dtype || old.count != s.count:
		return nil, fmt.Errorf("storage %s holds %d of %s here and %d of %s elsewhere",
			pickle.Quote(s.key), s.count, s.dtype, old.count, old.dtype)
	}
	return old, nil
}

// torchTensor is a view of a storage. Offset and steps count numbers.
type torchTensor struct {
	storage     *storage
	offset      int
	size, steps []int
}

func (*torchTensor) String() string { return "a tensor" }

// dictionary returns the tensors of a Python dictionary, or of the one that it holds under "state_dict" or "model".
func dictionary(object any) (map[string]*torchTensor, error) {
	d, ok := object.(*pickle.Dict)
	if !ok {
		return nil, fmt.Errorf("it holds %s, not a dictionary of tensors", pickle.Describe(object))
	}
	for _, name := range []string{"state_dict", "model"} {
		if inner, ok := d.Items[name].(*pickle.Dict); ok {
			d = inner
			break
		}
	}
	const maxName = 1000 // bytes
	tensors := make(map[string]*torchTensor)
	for name, value := range d.Items {
		t, ok := value.(*torchTensor)
		if ok && len(name) > maxName {
			return nil, fmt.Errorf("it holds a tensor with a name of %d bytes, longer than %d", len(name), maxName)
		}
		if ok {
			tensors[name] = t
		}
	}
	if len(tensors) == 0 {
		return nil, errors.New("it holds no tensors")
	}
	return tensors, nil
}

// loadTensors reads the tensors from their storages in a file of the given size. It checks first that they take about
// as much memory as the file: a hostile file can claim a storage in many tensors, or compress it to almost nothing.
func loadTensors(tensors map[string]*torchTensor, size int64) (map[string]safetensors.Tensor, error) {
	var inTensors, inStorages int64
	seen := make(map[*storage]bool)
	for _, t := range tensors {
		inTensors += int64(t.bytes())
		if !seen[t.storage] {
			inStorages += int64(t.storage.bytes())
		}
		seen[t.storage] = true
		if t.storage.bytes() > maxWeights || max(inTensors, inStorages) > maxWeights {
			return nil, fmt.Errorf("its tensors take more than %d MB, too much for an encoder", maxWeights>>20)
		}
	}
	if inStorages > size+maxExpansion || inTensors > 2*size+maxExpansion {
		return nil, fmt.Errorf("its tensors take %d MB and their storages %d MB, the file has only %d",
			inTensors>>20, inStorages>>20, size>>20)
	}
	out := make(map[string]safetensors.Tensor, len(tensors))
	for _, name := range slices.Sorted(maps.Keys(tensors)) {
		t := tensors[name]
		if t.storage.data == nil {
			var err error
			if t.storage.data, err = t.storage.load(); err != nil {
				return nil, fmt.Errorf("tensor %s: %w", pickle.Quote(name), err)
			}
		}
		out[name] = t.rowMajor()
	}
	return out, nil
}

// bytes is the size of the tensor, at most that of its storage.
func (t *torchTensor) bytes() int {
	total := dtypeBytes[t.storage.dtype]
	for _, n := range t.size {
		total *= n
	}
	return total
}

// isRowMajor reports whether the numbers of the tensor follow each other in its storage.
func (t *torchTensor) isRowMajor() bool {
	step := 1
	for i := len(t.size) - 1; i >= 0; i-- {
		if t.size[i] != 1 && t.steps[i] != step {
			return false
		}
		step *= t.size[i]
	}
	return true
}

// rowMajor returns the tensor as a part of its storage or, if its numbers do not follow each other, as a copy.
func (t *torchTensor) rowMajor() safetensors.Tensor {
	width, total := dtypeBytes[t.storage.dtype], t.bytes()
	out := safetensors.Tensor{DType: t.storage.dtype, Shape: t.size, Data: []byte{}}
	if total == 0 {
		return out
	}
	if t.isRowMajor() {
		begin := t.offset * width
		out.Data = t.storage.data[begin : begin+total : begin+total]
		return out
	}
	out.Data = make([]byte, 0, total)
	index, at := make([]int, len(t.size)), t.offset
	for len(out.Data) < total {
		out.Data = append(out.Data, t.storage.data[at*width:(at+1)*width]...)
		for i := len(index) - 1; i >= 0; i-- {
			index[i]++
			at += t.steps[i]
			if index[i] < t.size[i] {
				break
			}
			at -= t.size[i] * t.steps[i]
			index[i] = 0
		}
	}
	return out
}

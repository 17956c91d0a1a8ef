package encoder

import (
	"errors"
	"fmt"

	"github.com/nlpodyssey/gopickle/types"

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
	data  []byte
}

// torchTensor is a view of a storage. Offset and steps count numbers.
type torchTensor struct {
	storage     *storage
	offset      int
	size, steps []int
}

// dictionary returns the tensors of a Python dictionary, or of the one that it holds under "state_dict" or "model".
func dictionary(object any) (map[string]safetensors.Tensor, error) { return tensorsOf(object, true) }

// tensorsOf looks into a nested dictionary only if nested is set, since a dictionary may hold itself.
func tensorsOf(object any, nested bool) (map[string]safetensors.Tensor, error) {
	entries := make(map[string]any)
	collect := func(key, value any) {
		if name, ok := key.(string); ok {
			entries[name] = value
		}
	}
	switch d := object.(type) {
	case *types.OrderedDict:
		for e := d.List.Front(); e != nil; e = e.Next() {
			entry := e.Value.(*types.OrderedDictEntry)
			collect(entry.Key, entry.Value)
		}
	case *types.Dict:
		for _, entry := range *d {
			collect(entry.Key, entry.Value)
		}
	default:
		return nil, fmt.Errorf("it holds a %T, not a dictionary of tensors", object)
	}
	for _, inner := range []string{"state_dict", "model"} {
		if value, ok := entries[inner]; ok && nested {
			if _, isTensor := value.(*torchTensor); !isTensor {
				return tensorsOf(value, false)
			}
		}
	}
	tensors := make(map[string]safetensors.Tensor)
	for name, value := range entries {
		if t, ok := value.(*torchTensor); ok {
			tensors[name] = t.contiguous()
		}
	}
	if len(tensors) == 0 {
		return nil, errors.New("it holds no tensors")
	}
	return tensors, nil
}

// contiguous copies the tensor row-major.
func (t *torchTensor) contiguous() safetensors.Tensor {
	width := dtypeBytes[t.storage.dtype]
	total := 1
	for _, n := range t.size {
		total *= n
	}
	out := safetensors.Tensor{DType: t.storage.dtype, Shape: t.size, Data: make([]byte, 0, total*width)}
	index := make([]int, len(t.size))
	for range total {
		at := t.offset
		for i, n := range index {
			at += n * t.steps[i]
		}
		out.Data = append(out.Data, t.storage.data[at*width:(at+1)*width]...)
		for i := len(index) - 1; i >= 0; i-- {
			if index[i]++; index[i] < t.size[i] {
				break
			}
			index[i] = 0
		}
	}
	return out
}

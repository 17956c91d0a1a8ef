package encoder

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"github.com/nlpodyssey/gopickle/pickle"
	"github.com/nlpodyssey/gopickle/types"
)

// storageTypes maps PyTorch's storage classes to dtypes in the notation of safetensors.
var storageTypes = map[string]string{
	"FloatStorage": "F32", "DoubleStorage": "F64", "HalfStorage": "F16", "BFloat16Storage": "BF16",
	"LongStorage": "I64", "IntStorage": "I32", "ShortStorage": "I16", "CharStorage": "I8", "ByteStorage": "U8",
	"BoolStorage": "BOOL",
}

type storageClass string // a dtype

// unpickle reads the pickle at the beginning of data and returns where it ends. find returns the storage that a
// persistent id names.
func unpickle(data []byte, find func(key, dtype string, count int) (*storage, error)) (object any, end int, err error) {
	if end, err = pickleEnd(data); err != nil {
		return nil, 0, err
	}
	u := pickle.NewUnpickler(bytes.NewReader(data[:end]))
	u.FindClass = func(module, name string) (any, error) {
		switch {
		case module == "torch" && storageTypes[name] != "":
			return storageClass(storageTypes[name]), nil
		case module == "torch._utils" && name == "_rebuild_tensor_v2":
			return rebuildTensor{}, nil
		case module == "torch._utils" && name == "_rebuild_parameter":
			return rebuildParameter{}, nil
		}
		return nil, fmt.Errorf("it names the code %s.%s; only plain tensors are read, and no code is run", module, name)
	}
	u.PersistentLoad = func(id any) (any, error) {
		tuple, ok := id.(*types.Tuple)
		if !ok || tuple.Len() < 5 || tuple.Get(0) != "storage" {
			return nil, fmt.Errorf("persistent id %v is not a storage", id)
		}
		class, ok1 := tuple.Get(1).(storageClass)
		key, ok2 := tuple.Get(2).(string)
		count, ok3 := tuple.Get(4).(int)
		if !ok1 || !ok2 || !ok3 || count < 0 || count > math.MaxInt/8 {
			return nil, fmt.Errorf("storage %v is malformed", id)
		}
		return find(key, string(class), count)
	}
	object, err = u.Load()
	return object, end, err
}

type rebuildTensor struct{}

// Call builds a tensor from storage, offset, size and strides.
func (rebuildTensor) Call(args ...any) (any, error) {
	if len(args) < 4 {
		return nil, fmt.Errorf("a tensor has only %d parts", len(args))
	}
	s, ok1 := args[0].(*storage)
	offset, ok2 := args[1].(int)
	size, ok3 := ints(args[2])
	steps, ok4 := ints(args[3])
	if !ok1 || !ok2 || !ok3 || !ok4 || len(size) != len(steps) {
		return nil, errors.New("a tensor is malformed")
	}
	last, total := offset, 1
	for i, n := range size {
		if n < 0 || steps[i] < 0 || (n > 0 && total > s.count/n) {
			return nil, fmt.Errorf("a tensor of size %v and strides %v does not fit its storage of %d numbers",
				size, steps, s.count)
		}
		total *= n
		last += (n - 1) * steps[i]
	}
	if offset < 0 || (total > 0 && (last >= s.count || last < 0)) {
		return nil, fmt.Errorf("a tensor of size %v, strides %v and offset %d reaches beyond its storage of %d numbers",
			size, steps, offset, s.count)
	}
	return &torchTensor{s, offset, size, steps}, nil
}

type rebuildParameter struct{}

// Call returns the tensor of a parameter, its first part.
func (rebuildParameter) Call(args ...any) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("a parameter has no tensor")
	}
	return args[0], nil
}

func ints(x any) ([]int, bool) {
	tuple, ok := x.(*types.Tuple)
	if !ok {
		return nil, false
	}
	out := make([]int, tuple.Len())
	for i := range out {
		if out[i], ok = tuple.Get(i).(int); !ok {
			return nil, false
		}
	}
	return out, true
}

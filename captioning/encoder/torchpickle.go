package encoder

import (
	"errors"
	"fmt"
	"maps"
	"math"

	"captionlab/captioning/internal/pickle"
)

// storageClass is a dtype in the notation of safetensors.
type storageClass string

func (storageClass) String() string { return "a class of storages" }

// torchNames are the global names in a dictionary of tensors.
var torchNames = map[string]any{
	"torch._utils._rebuild_tensor_v2": pickle.Function(rebuildTensor),
	"torch._utils._rebuild_parameter": pickle.Function(rebuildParameter),

	"torch.FloatStorage": storageClass("F32"), "torch.DoubleStorage": storageClass("F64"),
	"torch.HalfStorage": storageClass("F16"), "torch.BFloat16Storage": storageClass("BF16"),
	"torch.LongStorage": storageClass("I64"), "torch.IntStorage": storageClass("I32"),
	"torch.ShortStorage": storageClass("I16"), "torch.CharStorage": storageClass("I8"),
	"torch.ByteStorage": storageClass("U8"), "torch.BoolStorage": storageClass("BOOL"),
}

// torchReader returns a reader of pickles with tensors. find returns the storage that a persistent id describes.
func torchReader(find func(storage) (*storage, error)) *pickle.Reader {
	return &pickle.Reader{Names: maps.Clone(torchNames), Persistent: func(id any) (any, error) {
		s, err := describedStorage(id)
		if err != nil {
			return nil, err
		}
		return find(s)
	}}
}

// describedStorage returns the storage that a persistent id describes: "storage", class, key, device, count, and in
// files of PyTorch before 0.4 a part of another storage.
func describedStorage(id any) (storage, error) {
	tuple, ok := id.(*pickle.Tuple)
	if !ok || len(tuple.Items) < 5 || tuple.Items[0] != "storage" {
		return storage{}, fmt.Errorf("the persistent id %s is not a storage", pickle.Describe(id))
	}
	class, ok1 := tuple.Items[1].(storageClass)
	key, ok2 := tuple.Items[2].(string)
	count, ok3 := tuple.Items[4].(int)
	if !ok1 || !ok2 || !ok3 || count < 0 || count > math.MaxInt/8 {
		return storage{}, fmt.Errorf("a storage is malformed (its key: %s)", pickle.Describe(tuple.Items[2]))
	}
	if len(tuple.Items) > 5 && tuple.Items[5] != nil {
		return storage{}, fmt.Errorf("storage %s is a part of another one", pickle.Quote(key))
	}
	return storage{key: key, dtype: string(class), count: count}, nil
}

// maxDims is more than any tensor's number of dimensions.
const maxDims = 16

// rebuildTensor returns the tensor of a storage, an offset, a size and strides.
func rebuildTensor(args []any) (any, error) {
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
	total := 1
	for i, n := range size {
		if n < 0 || steps[i] < 0 || (n > 0 && total > s.count/n) {
			return nil, fmt.Errorf("a tensor of size %v and strides %v does not fit its storage of %d numbers",
				size, steps, s.count)
		}
		total *= n
	}
	if offset < 0 || (total > 0 && !reaches(s.count-1-offset, size, steps)) {
		return nil, fmt.Errorf("a tensor of size %v, strides %v and offset %d reaches beyond its storage of %d numbers",
			size, steps, offset, s.count)
	}
	return &torchTensor{s, offset, size, steps}, nil
}

// reaches reports whether the last number of a tensor is at most last numbers after its first one.
func reaches(last int, size, steps []int) bool {
	for i, n := range size {
		if n > 1 && steps[i] > last/(n-1) {
			return false
		}
		last -= (n - 1) * steps[i]
	}
	return last >= 0
}

// rebuildParameter returns the tensor of a parameter, its first part.
func rebuildParameter(args []any) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("a parameter has no tensor")
	}
	return args[0], nil
}

// ints returns the numbers of a tuple of at most maxDims.
func ints(x any) ([]int, bool) {
	tuple, ok := x.(*pickle.Tuple)
	if !ok || len(tuple.Items) > maxDims {
		return nil, false
	}
	out := make([]int, len(tuple.Items))
	for i := range out {
		if out[i], ok = tuple.Items[i].(int); !ok {
			return nil, false
		}
	}
	return out, true
}

package encoder

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path"

	"github.com/nlpodyssey/gopickle/pickle"
	"github.com/nlpodyssey/gopickle/types"

	"captionlab/captioning/safetensors"
)

// A PyTorch checkpoint is a Python pickle, and a pickle can name any function to be called. Here only what a plain
// dictionary of tensors needs has a meaning: ordered dictionaries, storages, and the functions that put a tensor
// together out of a storage. Anything else that a file names is an error, and nothing is ever run.

// storageTypes maps the storage classes to dtypes in the spelling of safetensors.
var storageTypes = map[string]string{
	"FloatStorage": "F32", "DoubleStorage": "F64", "HalfStorage": "F16", "BFloat16Storage": "BF16",
	"LongStorage": "I64", "IntStorage": "I32", "ShortStorage": "I16", "CharStorage": "I8", "ByteStorage": "U8", "BoolStorage": "BOOL",
}

var dtypeBytes = map[string]int{"F32": 4, "F64": 8, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}

type storageClass string // a dtype

type storage struct {
	dtype string
	count int
	data  []byte
}

type torchTensor struct {
	storage     *storage
	offset      int
	size, steps []int
}

// readTorch returns the tensors of the dictionary in a .pth file of either format (zip, or the older sequence of pickles),
// row-major whatever their strides.
func readTorch(file string) (tensors map[string]safetensors.Tensor, err error) {
	defer func() {
		if problem := recover(); problem != nil { // gopickle panics on some malformed input
			err = fmt.Errorf("%s is damaged: %v", file, problem)
		}
	}()
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	magic := make([]byte, 4)
	if _, err := io.ReadFull(f, magic); err != nil {
		return nil, fmt.Errorf("%s has %d bytes: it is no PyTorch file", file, info.Size())
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	var object any
	if string(magic) == "PK\x03\x04" {
		object, err = readTorchZip(f, info.Size())
	} else {
		var data []byte
		if data, err = io.ReadAll(f); err == nil {
			object, err = readTorchLegacy(data)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	tensors, err = dictionary(object)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return tensors, nil
}

func readTorchZip(f *os.File, size int64) (any, error) {
	archive, err := zip.NewReader(f, size)
	if err != nil {
		return nil, fmt.Errorf("no whole zip archive (%w): it may be cut short; fetch it again", err)
	}
	files := make(map[string]*zip.File)
	var main *zip.File
	for _, entry := range archive.File {
		files[path.Base(entry.Name)] = entry
		if path.Base(entry.Name) == "data.pkl" {
			main = entry
		}
	}
	if main == nil || files["constants.pkl"] != nil {
		return nil, errors.New("no PyTorch state dict (no data.pkl, or TorchScript); save it with torch.save(model.state_dict(), ...)")
	}
	in, err := main.Open()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	content, err := io.ReadAll(io.LimitReader(in, maxPickle+1))
	if err != nil || len(content) > maxPickle {
		return nil, fmt.Errorf("data.pkl is damaged or longer than %d MB (%w); fetch the file again", maxPickle>>20, err)
	}
	loaded := make(map[string]*storage)
	object, _, err := unpickle(content, func(key, dtype string, count int) (*storage, error) {
		if s := loaded[key]; s != nil {
			return s, nil
		}
		entry := files[key]
		if entry == nil {
			return nil, fmt.Errorf("storage %q is missing in the archive", key)
		}
		need := int64(count) * int64(dtypeBytes[dtype])
		if entry.UncompressedSize64 != uint64(need) || (entry.Method == zip.Store && need > size) {
			return nil, fmt.Errorf("storage %q claims %d bytes, the archive holds %d", key, need, entry.UncompressedSize64)
		}
		in, err := entry.Open()
		if err != nil {
			return nil, err
		}
		defer in.Close()
		data, err := io.ReadAll(io.LimitReader(in, need+1)) // to the end, so that the archive's checksum is compared
		if err != nil || int64(len(data)) != need {
			return nil, fmt.Errorf("storage %q is damaged: %d of %d bytes, %v", key, len(data), need, err)
		}
		loaded[key] = &storage{dtype, count, data}
		return loaded[key], nil
	})
	return object, err
}

// maxPickle is more than the description of any network's tensors takes.
const maxPickle = 64 << 20

func readTorchLegacy(data []byte) (any, error) {
	nothing := func(string, string, int) (*storage, error) { return nil, errors.New("a storage where none belongs") }
	for _, what := range []string{"magic number", "protocol version", "system information"} {
		object, end, err := unpickle(data, nothing)
		if err != nil {
			return nil, fmt.Errorf("no PyTorch file (%s: %w)", what, err)
		}
		if version, ok := object.(int); what == "protocol version" && (!ok || version != 1001) {
			return nil, fmt.Errorf("no PyTorch file (protocol version %v)", object)
		}
		data = data[end:]
	}
	storages := make(map[string]*storage)
	object, end, err := unpickle(data, func(key, dtype string, count int) (*storage, error) {
		if count > len(data)/dtypeBytes[dtype] {
			return nil, fmt.Errorf("storage %q claims %d numbers, %d bytes are left in the file", key, count, len(data))
		}
		if storages[key] == nil {
			storages[key] = &storage{dtype: dtype, count: count}
		}
		return storages[key], nil
	})
	if err != nil {
		return nil, err
	}
	data = data[end:]
	keys, end, err := unpickle(data, nothing)
	if err != nil {
		return nil, err
	}
	data = data[end:]
	list, ok := keys.(*types.List)
	if !ok {
		return nil, fmt.Errorf("the list of storages is a %T", keys)
	}
	for _, item := range *list {
		key, _ := item.(string)
		s := storages[key]
		if s == nil {
			return nil, fmt.Errorf("storage %v belongs to no tensor", item)
		}
		if len(data) < 8 {
			return nil, fmt.Errorf("storage %q: the file is cut short; fetch it again", key)
		}
		if count := int64(binary.LittleEndian.Uint64(data)); count != int64(s.count) {
			return nil, fmt.Errorf("storage %q holds %d numbers, its tensors need %d", key, count, s.count)
		}
		data = data[8:]
		size := s.count * dtypeBytes[s.dtype]
		if len(data) < size {
			return nil, fmt.Errorf("storage %q: the file is cut short; fetch it again", key)
		}
		s.data, data = data[:size], data[size:]
	}
	for key, s := range storages {
		if s.data == nil {
			return nil, fmt.Errorf("storage %q is missing in the file", key)
		}
	}
	return object, nil
}

// unpickle reads the pickle at the beginning of data and returns where it ends. find hands out the storage that a persistent
// id names.
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
		return nil, fmt.Errorf("it names the code %s.%s; only plain tensors are read, and nothing is run", module, name)
	}
	u.PersistentLoad = func(id any) (any, error) {
		tuple, ok := id.(*types.Tuple)
		if !ok || tuple.Len() < 5 || tuple.Get(0) != "storage" {
			return nil, fmt.Errorf("persistent id %v is no storage", id)
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

// Call puts a tensor together out of storage, offset, size and strides.
func (rebuildTensor) Call(args ...any) (any, error) {
	if len(args) < 4 {
		return nil, fmt.Errorf("a tensor of %d parts", len(args))
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
			return nil, fmt.Errorf("a tensor of size %v and strides %v does not fit its storage of %d", size, steps, s.count)
		}
		total *= n
		last += (n - 1) * steps[i]
	}
	if offset < 0 || (total > 0 && (last >= s.count || last < 0)) {
		return nil, fmt.Errorf("a tensor of size %v, strides %v and offset %d reaches beyond its storage of %d", size, steps, offset, s.count)
	}
	return &torchTensor{s, offset, size, steps}, nil
}

type rebuildParameter struct{}

// Call unwraps a parameter: its tensor is the first part.
func (rebuildParameter) Call(args ...any) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("a parameter without a tensor")
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

// dictionary turns a Python dictionary of tensors, or one that holds it under "state_dict" or "model", into arrays.
func dictionary(object any) (map[string]safetensors.Tensor, error) {
	return tensorsOf(object, true)
}

// tensorsOf looks into nested dictionaries only where nested says so: a dictionary may hold itself.
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
		return nil, errors.New("it holds no tensor")
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

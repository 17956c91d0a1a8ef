// Package pth reads the tensors of a PyTorch state dict (torch.save, both the zip format and the one before PyTorch 1.6)
// as plain data. It is not a general unpickler: it knows the few names that a file of tensors needs and refuses a file
// that names anything else, so nothing in a file can run code, and it takes no memory that the file's size does not back.
package pth

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"captionlab/captioning/safetensors"
)

// storageTypes are the typed storages of torch, by the dtype as safetensors spells it.
var storageTypes = map[string]string{
	"FloatStorage": "F32", "DoubleStorage": "F64", "HalfStorage": "F16", "BFloat16Storage": "BF16", "LongStorage": "I64",
	"IntStorage": "I32", "ShortStorage": "I16", "CharStorage": "I8", "ByteStorage": "U8", "BoolStorage": "BOOL",
}

var elementSizes = map[string]int{"F32": 4, "F64": 8, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}

var (
	orderedDict      = global{"collections", "OrderedDict"}
	rebuildTensor    = global{"torch._utils", "_rebuild_tensor_v2"}
	rebuildParameter = global{"torch._utils", "_rebuild_parameter"}
	torchSize        = global{"torch", "Size"}
)

func known(g global) bool {
	switch g {
	case orderedDict, rebuildTensor, rebuildParameter, torchSize:
		return true
	}
	return g.module == "torch" && storageTypes[g.name] != ""
}

// storage is the memory that tensors are views of.
type storage struct {
	dtype    string
	elements int
	data     []byte
}

// view is a tensor as the pickle describes it; offset and strides are in elements.
type view struct {
	storage        *storage
	offset         int
	shape, strides []int
}

// Decode returns the tensors of the state dict in data, the content of a .pth file, contiguous and row-major whatever their
// strides in the file were. Tensors that were contiguous share data. Fails for a file that is cut short, damaged, holds
// anything but a dict of tensors, or names code.
func Decode(data []byte) (map[string]safetensors.Tensor, error) {
	var root any
	var err error
	if bytes.HasPrefix(data, []byte("PK\x03\x04")) {
		root, err = decodeZip(data)
	} else {
		root, err = decodeLegacy(data)
	}
	if err != nil {
		return nil, err
	}
	d, ok := root.(*dict)
	if !ok {
		return nil, fmt.Errorf("it holds a %T, not a state dict: save model.state_dict()", root)
	}
	out := make(map[string]safetensors.Tensor, len(d.keys))
	budget := 4 * len(data)
	for i, key := range d.keys {
		name, ok := key.(string)
		if !ok {
			return nil, fmt.Errorf("entry %d has a %T for a name: this is no state dict", i, key)
		}
		v, ok := d.values[i].(*view)
		if !ok {
			return nil, fmt.Errorf("entry %q is a %T, not a tensor: save model.state_dict() alone", name, d.values[i])
		}
		if out[name], err = v.contiguous(&budget); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
	}
	return out, nil
}

// IsPTH tells by its first bytes whether data may be a .pth file.
func IsPTH(data []byte) bool {
	return bytes.HasPrefix(data, []byte("PK\x03\x04")) || (len(data) > 1 && data[0] == 0x80 && data[1] >= 2 && data[1] <= 5)
}

// decodeZip reads the format of PyTorch 1.6 and later: NAME/data.pkl, and one uncompressed NAME/data/KEY a storage.
func decodeZip(data []byte) (any, error) {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("its zip directory cannot be read (%w): the file is cut short or damaged", err)
	}
	files := make(map[string]*zip.File, len(archive.File))
	prefix := ""
	for _, f := range archive.File {
		files[f.Name] = f
		if strings.HasSuffix(f.Name, "constants.pkl") {
			return nil, errors.New("it is a TorchScript program, not a state dict: save model.state_dict()")
		}
		if before, ok := strings.CutSuffix(f.Name, "data.pkl"); ok {
			prefix = before
		}
	}
	read := func(name string) ([]byte, error) {
		f, ok := files[prefix+name]
		if !ok {
			return nil, fmt.Errorf("record %q is missing: the file is damaged", name)
		}
		// torch.save stores its records uncompressed, so a record cannot be larger than the file.
		if f.Method != zip.Store || f.UncompressedSize64 != f.CompressedSize64 || f.UncompressedSize64 > uint64(len(data)) {
			return nil, fmt.Errorf("record %q is compressed or has an impossible size: torch.save does not write such files", name)
		}
		r, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("record %q: %w", name, err)
		}
		content := make([]byte, f.UncompressedSize64)
		if _, err := io.ReadFull(r, content); err != nil {
			return nil, fmt.Errorf("record %q: %w", name, err)
		}
		if _, err := r.Read(make([]byte, 1)); err != io.EOF { // the end is where the checksum is compared
			return nil, fmt.Errorf("record %q: %w", name, err)
		}
		return content, nil
	}
	if order, ok := files[prefix+"byteorder"]; ok {
		if content, err := read("byteorder"); err != nil || string(content) != "little" {
			return nil, fmt.Errorf("record %q does not say little-endian: save the file on another machine", order.Name)
		}
	}
	pickle, err := read("data.pkl")
	if err != nil {
		return nil, err
	}
	storages := make(map[string]*storage)
	m := &machine{in: pickle, reduce: reduce, persistent: func(id tuple) (any, error) {
		key, s, err := describeStorage(id)
		if err != nil {
			return nil, err
		}
		if known, ok := storages[key]; ok {
			return known, nil
		}
		if s.data, err = read("data/" + key); err != nil {
			return nil, err
		}
		if len(s.data)/elementSizes[s.dtype] < s.elements {
			return nil, fmt.Errorf("storage %q is said to hold %d %s, its record has %d bytes", key, s.elements, s.dtype, len(s.data))
		}
		storages[key] = s
		return s, nil
	}}
	return m.load()
}

// legacyMagic is the number that starts a file of the older format, little endian.
const legacyMagic = bigInt("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19")

// decodeLegacy reads the older format: pickles of a magic number, a version, facts about the system, the state dict and the
// list of storage keys, followed by each storage as an element count and raw bytes.
func decodeLegacy(data []byte) (any, error) {
	storages := make(map[string]*storage)
	m := &machine{in: data, reduce: reduce, persistent: func(id tuple) (any, error) {
		key, s, err := describeStorage(id)
		if err != nil {
			return nil, err
		}
		if len(id) > 5 && id[5] != nil {
			return nil, errors.New("a storage is a view of another one: PyTorch has not written such files since 0.4")
		}
		if known, ok := storages[key]; ok {
			return known, nil
		}
		storages[key] = s
		return s, nil
	}}
	if magic, err := m.load(); err != nil || magic != legacyMagic {
		return nil, errors.New("it does not start like a file of torch.save")
	}
	if version, err := m.load(); err != nil || version != int64(1001) {
		return nil, errors.New("it is of an unknown version of torch.save")
	}
	system, err := m.load()
	if err != nil {
		return nil, err
	}
	if d, ok := system.(*dict); ok {
		for i, key := range d.keys {
			if key == "little_endian" && d.values[i] != true {
				return nil, errors.New("it was written on a big-endian machine: save it on another one")
			}
		}
	}
	root, err := m.load()
	if err != nil {
		return nil, err
	}
	keys, err := m.load()
	if err != nil {
		return nil, err
	}
	l, ok := keys.(*list)
	if !ok {
		return nil, errors.New("the list of its storages is missing: the file is damaged")
	}
	for _, key := range l.items {
		name, _ := key.(string)
		s, ok := storages[name]
		if !ok {
			return nil, fmt.Errorf("storage %q belongs to no tensor: the file is damaged", name)
		}
		count, err := m.take(8)
		if err != nil {
			return nil, err
		}
		if n := binary.LittleEndian.Uint64(count); n != uint64(s.elements) {
			return nil, fmt.Errorf("storage %q is said to hold %d elements, the file has %d", name, s.elements, n)
		}
		if s.elements > len(m.in)/elementSizes[s.dtype] {
			return nil, fmt.Errorf("storage %q: %w", name, errCut)
		}
		if s.data, err = m.take(s.elements * elementSizes[s.dtype]); err != nil {
			return nil, err
		}
	}
	return root, nil
}

// describeStorage reads ("storage", type, key, device, elements, ...).
func describeStorage(id tuple) (key string, s *storage, err error) {
	if len(id) < 5 || id[0] != "storage" {
		return "", nil, errors.New("a storage has no description: the file is damaged")
	}
	class, isClass := id[1].(global)
	key, isString := id[2].(string)
	elements, isInt := id[4].(int64)
	if !isClass || !isString || !isInt || storageTypes[class.name] == "" || elements < 0 || elements > math.MaxInt/8 {
		return "", nil, errors.New("a storage has an impossible description: the file is damaged")
	}
	return key, &storage{dtype: storageTypes[class.name], elements: int(elements)}, nil
}

// reduce does what the few known functions do.
func reduce(f global, args tuple) (any, error) {
	switch f {
	case orderedDict:
		if len(args) == 0 {
			return &dict{}, nil
		}
	case torchSize:
		if len(args) == 1 {
			if t, ok := args[0].(tuple); ok {
				return t, nil
			}
		}
	case rebuildParameter: // tensor, requires_grad, hooks
		if len(args) > 0 {
			if v, ok := args[0].(*view); ok {
				return v, nil
			}
		}
	case rebuildTensor: // storage, offset, shape, strides, requires_grad, hooks
		if len(args) >= 6 {
			s, isStorage := args[0].(*storage)
			offset, isInt := args[1].(int64)
			shape, shapeErr := sizes(args[2])
			strides, stridesErr := sizes(args[3])
			if isStorage && isInt && offset >= 0 && shapeErr == nil && stridesErr == nil && len(shape) == len(strides) {
				return &view{storage: s, offset: int(offset), shape: shape, strides: strides}, nil
			}
		}
	}
	return nil, fmt.Errorf("%s has arguments of a kind that torch.save does not write", f)
}

func sizes(v any) ([]int, error) {
	t, ok := v.(tuple)
	if !ok {
		return nil, errors.New("no tuple")
	}
	out := make([]int, len(t))
	for i, x := range t {
		n, ok := x.(int64)
		if !ok || n < 0 || n > math.MaxInt32 {
			return nil, errors.New("no size")
		}
		out[i] = int(n)
	}
	return out, nil
}

// contiguous lays the elements out row-major. budget is how many bytes of copies the whole file may still take.
func (v *view) contiguous(budget *int) (safetensors.Tensor, error) {
	size := elementSizes[v.storage.dtype]
	elements, last, dense := 1, v.offset, true
	for i := len(v.shape) - 1; i >= 0; i-- {
		n := v.shape[i]
		dense = dense && (n == 1 || v.strides[i] == elements)
		if n > 0 && elements > v.storage.elements/n {
			return safetensors.Tensor{}, fmt.Errorf("shape %v has more elements than its storage of %d", v.shape, v.storage.elements)
		}
		elements *= n
		last += max(n-1, 0) * v.strides[i]
	}
	out := safetensors.Tensor{DType: v.storage.dtype, Shape: v.shape}
	if elements == 0 {
		return out, nil
	}
	if last < 0 || last >= v.storage.elements || last >= len(v.storage.data)/size {
		return out, fmt.Errorf("shape %v, strides %v and offset %d reach beyond its storage of %d", v.shape, v.strides, v.offset, v.storage.elements)
	}
	if dense {
		out.Data = v.storage.data[v.offset*size : (v.offset+elements)*size : (v.offset+elements)*size]
		return out, nil
	}
	if *budget -= elements * size; *budget < 0 {
		return out, errors.New("the tensors of the file together are many times larger than the file")
	}
	out.Data = make([]byte, 0, elements*size)
	index := make([]int, len(v.shape))
	for at := v.offset; ; {
		out.Data = append(out.Data, v.storage.data[at*size:(at+1)*size]...)
		axis := len(index) - 1
		for ; axis >= 0; axis-- {
			index[axis]++
			at += v.strides[axis]
			if index[axis] < v.shape[axis] {
				break
			}
			at -= index[axis] * v.strides[axis]
			index[axis] = 0
		}
		if axis < 0 {
			return out, nil
		}
	}
}

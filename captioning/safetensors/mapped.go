package safetensors

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Map is Read for files that are larger than the memory that they should take: the tensors' data lie in the file, which
// the system reads page by page when they are used, and whose pages it takes back when memory is short. The data must
// not be written to. The mapping ends with the process. Replace such a file only by renaming another over it: reading
// data that was cut off in place ends the process.
func Map(path string) (map[string]Tensor, map[string]string, error) {
	f, size, err := open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	var data []byte
	if size > 0 { // an empty mapping is an error
		if data, err = unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED); err != nil {
			return nil, nil, fmt.Errorf("%s cannot be mapped to memory: %w", path, err)
		}
	}
	tensors, metadata, err := Decode(data)
	if err != nil {
		if size > 0 {
			err = errors.Join(err, unix.Munmap(data))
		}
		return nil, nil, fmt.Errorf("%s is not a complete safetensors file: %w", path, err)
	}
	return tensors, metadata, nil
}

// littleEndian reports whether this processor stores numbers as the format does.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// View is Float32 without a copy where possible: the elements of an F32 tensor whose data is aligned, as this package
// writes it, lie in t.Data. They must not be written to.
func (t Tensor) View() ([]float32, error) {
	size, err := byteSize(t.DType, t.Shape)
	if err != nil {
		return nil, err
	}
	if len(t.Data) == 0 || t.DType != "F32" || size != int64(len(t.Data)) || !littleEndian ||
		uintptr(unsafe.Pointer(&t.Data[0]))%unsafe.Alignof(float32(0)) != 0 {
		return t.Float32()
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&t.Data[0])), len(t.Data)/4), nil
}

// View16 is Tensor.View for 16-bit numbers, of which T holds the bits: dtype says which, "BF16" or "F16".
func View16[T ~uint16](t Tensor, dtype string) ([]T, error) {
	size, err := byteSize(t.DType, t.Shape)
	if err != nil {
		return nil, err
	}
	if t.DType != dtype || size != int64(len(t.Data)) {
		return nil, fmt.Errorf("%d bytes of type %s, want %d of type %s", len(t.Data), t.DType, size, dtype)
	}
	if len(t.Data) > 0 && littleEndian && uintptr(unsafe.Pointer(&t.Data[0]))%unsafe.Alignof(T(0)) == 0 {
		return unsafe.Slice((*T)(unsafe.Pointer(&t.Data[0])), len(t.Data)/2), nil
	}
	out := make([]T, len(t.Data)/2)
	for i := range out {
		out[i] = T(binary.LittleEndian.Uint16(t.Data[2*i:]))
	}
	return out, nil
}

// From16 is FromFloat32 for 16-bit numbers; see View16.
func From16[T ~uint16](dtype string, shape []int, v []T) Tensor {
	data := make([]byte, 0, 2*len(v))
	for _, x := range v {
		data = binary.LittleEndian.AppendUint16(data, uint16(x))
	}
	return Tensor{DType: dtype, Shape: slices.Clone(shape), Data: data}
}

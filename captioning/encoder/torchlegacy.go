package encoder

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/nlpodyssey/gopickle/types"
)

// readTorchLegacy reads the older format: three pickles of a header, the dictionary, the list of storages, and the
// bytes of the storages.
func readTorchLegacy(data []byte) (any, error) {
	nothing := func(string, string, int) (*storage, error) { return nil, errors.New("a storage is not expected here") }
	for _, what := range []string{"magic number", "protocol version", "system information"} {
		object, end, err := unpickle(data, nothing)
		if err != nil {
			return nil, fmt.Errorf("it is not a PyTorch file (%s: %w)", what, err)
		}
		if version, ok := object.(int); what == "protocol version" && (!ok || version != 1001) {
			return nil, fmt.Errorf("it is not a PyTorch file (protocol version %v)", object)
		}
		data = data[end:]
	}
	storages := make(map[string]*storage)
	object, end, err := unpickle(data, func(key, dtype string, count int) (*storage, error) {
		if count > len(data)/dtypeBytes[dtype] {
			return nil, fmt.Errorf("storage %q claims %d numbers, but only %d bytes are left in the file",
				key, count, len(data))
		}
		if storages[key] == nil {
			storages[key] = &storage{key: key, dtype: dtype, count: count}
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
	list, ok := keys.(*types.List)
	if !ok {
		return nil, fmt.Errorf("the list of storages is a %T", keys)
	}
	return object, readLegacyStorages(data[end:], *list, storages)
}

// readLegacyStorages sets the bytes of the storages, which follow each other in data in the order of keys.
func readLegacyStorages(data []byte, keys types.List, storages map[string]*storage) error {
	for _, item := range keys {
		key, _ := item.(string)
		s := storages[key]
		if s == nil {
			return fmt.Errorf("storage %v belongs to no tensor", item)
		}
		if len(data) < 8 {
			return fmt.Errorf("storage %q: the file is cut short; fetch it again", key)
		}
		if count := int64(binary.LittleEndian.Uint64(data)); count != int64(s.count) {
			return fmt.Errorf("storage %q holds %d numbers, its tensors need %d", key, count, s.count)
		}
		data = data[8:]
		size := s.count * dtypeBytes[s.dtype]
		if len(data) < size {
			return fmt.Errorf("storage %q: the file is cut short; fetch it again", key)
		}
		s.data, data = data[:size], data[size:]
	}
	for key, s := range storages {
		if s.data == nil {
			return fmt.Errorf("storage %q is missing in the file", key)
		}
	}
	return nil
}

package encoder

import (
	"encoding/binary"
	"fmt"
	"io"

	"captionlab/captioning/internal/pickle"
)

// readTorchLegacy reads the dictionary of the older format: three pickles of a header, the dictionary, the list of
// storages, and the bytes of the storages.
func readTorchLegacy(f io.ReaderAt, size int64) (any, error) {
	data := make([]byte, min(size, maxPickle))
	if _, err := f.ReadAt(data, 0); err != nil {
		return nil, err
	}
	storages := make(storages)
	reader := torchReader(func(s storage) (*storage, error) {
		if int64(s.bytes()) > size {
			return nil, fmt.Errorf("storage %s claims %d bytes, the file has %d", pickle.Quote(s.key), s.bytes(), size)
		}
		return storages.add(s)
	})
	rest := data
	for _, part := range []struct {
		name  string
		check func(any) bool
	}{
		{"magic number", func(any) bool { return true }},
		{"protocol version", func(value any) bool { return value == 1001 }},
		{"system information", func(value any) bool {
			d, ok := value.(*pickle.Dict)
			return ok && d.Items["little_endian"] != false
		}},
	} {
		value, after, err := reader.Read(rest)
		if err != nil {
			return nil, fmt.Errorf("it is not a PyTorch file (%s: %w)", part.name, err)
		}
		if !part.check(value) {
			return nil, fmt.Errorf("it is not a PyTorch file that this program reads (%s: %s)",
				part.name, pickle.Describe(value))
		}
		rest = after
	}
	object, rest, err := reader.Read(rest)
	if err != nil {
		return nil, err
	}
	keys, rest, err := reader.Read(rest)
	if err != nil {
		return nil, err
	}
	list, ok := keys.(*pickle.List)
	if !ok {
		return nil, fmt.Errorf("the list of its storages is %s", pickle.Describe(keys))
	}
	begin := int64(len(data) - len(rest))
	return object, placeStorages(io.NewSectionReader(f, begin, size-begin), list.Items, storages)
}

// placeStorages finds the storages in f, where they follow each other in the order of keys, each after its count.
func placeStorages(f *io.SectionReader, keys []any, storages storages) error {
	var at int64
	for _, item := range keys {
		key, _ := item.(string)
		s := storages[key]
		if s == nil || s.load != nil {
			return fmt.Errorf("its list of storages holds %s, which belongs to no tensor or is listed twice",
				pickle.Describe(item))
		}
		var head [8]byte
		if _, err := f.ReadAt(head[:], at); err != nil {
			return fmt.Errorf("storage %s: the file is cut short", pickle.Quote(key))
		}
		if count := int64(binary.LittleEndian.Uint64(head[:])); count != int64(s.count) {
			return fmt.Errorf("storage %s holds %d numbers, its tensors need %d", pickle.Quote(key), count, s.count)
		}
		begin := at + 8
		if at = begin + int64(s.bytes()); at > f.Size() {
			return fmt.Errorf("storage %s: the file is cut short", pickle.Quote(key))
		}
		s.load = func() ([]byte, error) {
			data := make([]byte, s.bytes())
			_, err := io.ReadFull(io.NewSectionReader(f, begin, int64(len(data))), data)
			return data, err
		}
	}
	for key, s := range storages {
		if s.load == nil {
			return fmt.Errorf("storage %s is missing in the file", pickle.Quote(key))
		}
	}
	return nil
}

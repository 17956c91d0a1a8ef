package encoder

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"captionlab/captioning/safetensors"
)

// A PyTorch checkpoint is a Python pickle, and a pickle can name any function to call. This reader only understands
// what a plain dictionary of tensors needs: ordered dictionaries, storages, and the functions that build a tensor
// from a storage. Any other name in a file is an error, and nothing is ever run.

// readTorch returns the tensors of the dictionary in a .pth file of either format (zip, or the older sequence of
// pickles), row-major whatever their strides.
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
		return nil, fmt.Errorf("%s has %d bytes: it is not a PyTorch file", file, info.Size())
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
	if err == nil {
		tensors, err = dictionary(object)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return tensors, nil
}

// maxPickle is more than the description of any network's tensors takes, in bytes.
const maxPickle = 64 << 20

// readTorchZip reads the zip format: data.pkl is the dictionary, and each storage is a file of its own.
func readTorchZip(f io.ReaderAt, size int64) (any, error) {
	archive, err := zip.NewReader(f, size)
	if err != nil {
		return nil, fmt.Errorf("it is not a whole zip archive (%w): it may be cut short; fetch it again", err)
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
		return nil, errors.New("it is not a PyTorch state dict (no data.pkl, or TorchScript): " +
			"save one with torch.save(model.state_dict(), ...)")
	}
	in, err := main.Open()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	content, err := io.ReadAll(io.LimitReader(in, maxPickle+1))
	if err != nil {
		return nil, fmt.Errorf("data.pkl is damaged (%w); fetch the file again", err)
	}
	if len(content) > maxPickle {
		return nil, fmt.Errorf("data.pkl is longer than %d MB; fetch the file again", maxPickle>>20)
	}
	loaded := make(map[string]*storage)
	object, _, err := unpickle(content, func(key, dtype string, count int) (*storage, error) {
		if loaded[key] == nil {
			s, err := readZipStorage(files[key], storage{key: key, dtype: dtype, count: count}, size)
			if err != nil {
				return nil, err
			}
			loaded[key] = s
		}
		return loaded[key], nil
	})
	return object, err
}

// readZipStorage reads the storage that want describes from its entry in an archive of the given size.
func readZipStorage(entry *zip.File, want storage, size int64) (*storage, error) {
	if entry == nil {
		return nil, fmt.Errorf("storage %q is missing in the archive", want.key)
	}
	need := int64(want.count) * int64(dtypeBytes[want.dtype])
	if entry.UncompressedSize64 != uint64(need) || (entry.Method == zip.Store && need > size) {
		return nil, fmt.Errorf("storage %q claims %d bytes, the archive holds %d",
			want.key, need, entry.UncompressedSize64)
	}
	in, err := entry.Open()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, need+1)) // to the end, so that the archive's checksum is compared
	if err != nil || int64(len(data)) != need {
		return nil, fmt.Errorf("storage %q is damaged: %d of %d bytes, %v", want.key, len(data), need, err)
	}
	want.data = data
	return &want, nil
}

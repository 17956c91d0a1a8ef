package encoder

import (
	"fmt"
	"io"

	"captionlab/captioning/safetensors"
	"captionlab/datasets/regular"
)

// A PyTorch checkpoint is a Python pickle, and a pickle can name any function to call. This reader only understands
// what a plain dictionary of tensors needs: ordered dictionaries, storages, and the functions that build a tensor
// from a storage. Any other name in a file is an error, and nothing is ever run.

// torchRemedy is what to do about a file that can't be read.
const torchRemedy = "fetch the file again, or save the network's weights with torch.save(model.state_dict(), ...)"

// readTorch returns the tensors of the dictionary in a .pth file of either format (zip, or the older sequence of
// pickles), row-major whatever their strides. Tensors may share memory. Files that need much more memory than their own
// size are refused.
func readTorch(file string) (map[string]safetensors.Tensor, error) {
	f, err := regular.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	tensors, err := readTorchFrom(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", file, err, torchRemedy)
	}
	return tensors, nil
}

// readTorchFrom is readTorch for the content of a file of the given size.
func readTorchFrom(f io.ReaderAt, size int64) (map[string]safetensors.Tensor, error) {
	var magic [4]byte
	if _, err := f.ReadAt(magic[:], 0); err != nil {
		return nil, fmt.Errorf("it has %d bytes, so it is not a PyTorch file", size)
	}
	read := readTorchLegacy
	if string(magic[:]) == "PK\x03\x04" {
		read = readTorchZip
	}
	object, err := read(f, size)
	if err != nil {
		return nil, err
	}
	tensors, err := dictionary(object)
	if err != nil {
		return nil, err
	}
	return loadTensors(tensors, size)
}

const (
	// maxPickle is more than the description of any network's tensors takes, in bytes.
	maxPickle = 32 << 20
	// maxExpansion is by how many bytes a file may grow as it is decompressed.
	maxExpansion = 32 << 20
	// maxWeights is more than the tensors of any encoder take, in bytes.
	maxWeights = 1 << 30
)

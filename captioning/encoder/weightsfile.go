package encoder

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"captionlab/captioning/safetensors"
	"captionlab/datasets/regular"
)

// readWeights returns the tensors of a PyTorch (.pth, .pt, .bin) or safetensors file. The content decides which it is.
func readWeights(file string) (map[string]safetensors.Tensor, error) {
	isSafetensors, err := looksLikeSafetensors(file)
	if err != nil {
		return nil, fmt.Errorf("encoder weights: %w", err)
	}
	var tensors map[string]safetensors.Tensor
	if isSafetensors {
		if tensors, _, err = safetensors.Read(file); err != nil {
			err = fmt.Errorf("%w: fetch the file again, or save the weights with safetensors", err)
		}
	} else {
		tensors, err = readTorch(file)
	}
	if err != nil {
		return nil, fmt.Errorf("encoder weights: %w", err)
	}
	return tensors, nil
}

// looksLikeSafetensors reports whether the file begins with a header length below 2^32 and a JSON object. Pipes and
// devices, which may block or never end, are errors, and so are safetensors files larger than any encoder's weights.
func looksLikeSafetensors(file string) (bool, error) {
	f, err := regular.Open(file)
	if err != nil {
		return false, fmt.Errorf("%w: name a .pth or safetensors file", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	head := make([]byte, 9)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return false, err
	}
	is := n == 9 && head[8] == '{' && bytes.Equal(head[4:8], []byte{0, 0, 0, 0})
	if is && info.Size() > maxWeights {
		return false, fmt.Errorf("%s has %d MB, too much for an encoder (at most %d): "+
			"fetch the file again or name another one", file, info.Size()>>20, maxWeights>>20)
	}
	return is, nil
}

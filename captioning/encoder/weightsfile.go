package encoder

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"captionlab/captioning/safetensors"
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
	info, err := os.Stat(file)
	if err != nil {
		return false, err
	}
	if !info.Mode().IsRegular() {
		return false, fmt.Errorf("%s is not a regular file (%s): name a .pth or safetensors file",
			file, info.Mode().Type())
	}
	f, err := os.Open(file)
	if err != nil {
		return false, err
	}
	defer f.Close()
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

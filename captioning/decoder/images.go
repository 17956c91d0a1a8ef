package decoder

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
)

// Images holds the features of many images on a device. Batches refer to them by row, so that a training step uploads
// no features.
type Images struct {
	table *tensors.Tensor // [rows, features] (float32)
	rows  int
}

// NewImages puts features [n, dim], row-major, on the backend's device. It fails if they are not whole rows.
func NewImages(backend compute.Backend, features []float32, dim int) (*Images, error) {
	if dim < 1 || len(features) == 0 || len(features)%dim != 0 {
		return nil, fmt.Errorf("decoder: %d numbers are not whole feature vectors of %d", len(features), dim)
	}
	rows := len(features) / dim
	table := tensors.FromFlatDataAndDimensions(features, rows, dim)
	if err := table.MaterializeOnDevice(backend, false, 0); err != nil {
		return nil, fmt.Errorf("decoder: features of %d images: %w", rows, err)
	}
	table.FinalizeLocal()
	return &Images{table, rows}, nil
}

// Finalize frees the device's memory. Do not use batches of these images afterwards.
func (i *Images) Finalize() error { return i.table.FinalizeAll() }

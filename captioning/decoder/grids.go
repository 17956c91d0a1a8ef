package decoder

import (
	"fmt"

	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/gomlx/core/tensors"
)

// Inputs are what a model reads of n images.
type Inputs struct {
	Features []float32 // [n, features], row-major
	Grids    []Grid    // n grids, for a model that looks (see Looking); else unused
}

// of returns the inputs of images from to to.
func (in Inputs) of(m Model, from, to int) Inputs {
	part := Inputs{Features: in.Features[from*m.Features : to*m.Features]}
	if m.Looks() {
		part.Grids = in.Grids[from:to]
	}
	return part
}

// check reports features or grids that are not those of n images.
func (in Inputs) check(m Model, n int) error {
	if len(in.Features) != n*m.Features {
		return fmt.Errorf("%d numbers as features of %d images, want %d for each", len(in.Features), n, m.Features)
	}
	if !m.Looks() {
		return nil
	}
	if len(in.Grids) != n {
		return fmt.Errorf("%d feature maps for %d images: cell %q needs one for each", len(in.Grids), n, m.Cell.Name())
	}
	return checkGrids(m, in.Grids)
}

// checkGrids reports a grid of the wrong size.
func checkGrids(m Model, grids []Grid) error {
	for i, g := range grids {
		if len(g) != m.gridSize() {
			return fmt.Errorf("the feature map of image %d has %d numbers, the model reads %d places with %d channels",
				i, len(g), m.Places, m.Channels)
		}
	}
	return nil
}

// checkGrids reports grids that do not fit the model or the number of captions.
func (b *Batch) checkGrids(m Model) error {
	if !m.Looks() {
		return nil
	}
	if len(b.Grids) < 1 || len(b.Grids) > b.Size || len(b.GridRows) != b.Size {
		return fmt.Errorf("decoder: a batch of %d captions has %d feature maps and %d rows of them: cell %q needs a "+
			"row for each caption, and at most as many maps", b.Size, len(b.Grids), len(b.GridRows), m.Cell.Name())
	}
	for i, row := range b.GridRows {
		if row < 0 || int(row) >= len(b.Grids) {
			return fmt.Errorf("decoder: caption %d is of feature map %d, but there are %d", i, row, len(b.Grids))
		}
	}
	if err := checkGrids(m, b.Grids); err != nil {
		return fmt.Errorf("decoder: %w", err)
	}
	return nil
}

// grids returns the grids as the graphs read them, [images, places, channels] (bfloat16), and the image of each caption
// [size] (int32); nothing for a model that does not look. The number of images is padded with zeros to a multiple of an
// eighth of the captions, so that few programs are compiled.
func (b *Batch) grids(m Model) []any {
	if !m.Looks() {
		return nil
	}
	return []any{gridTensor(m, b.Grids, b.gridRoom()), tensors.FromFlatDataAndDimensions(b.GridRows, b.Size)}
}

// gridRoom is the number of images of a batch with its padding; see grids.
func (b *Batch) gridRoom() int {
	eighth := (b.Size + 7) / 8
	return max((len(b.Grids)+eighth-1)/eighth*eighth, b.least.grids)
}

// gridTensor packs grids, padded with zeros to n of them.
func gridTensor(m Model, grids []Grid, n int) *tensors.Tensor {
	all := make([]bfloat16.BFloat16, n*m.gridSize())
	for i, g := range grids {
		copy(all[i*m.gridSize():], g)
	}
	return tensors.FromFlatDataAndDimensions(all, n, m.Places, m.Channels)
}

// padded returns the inputs of at most n images as tensors, padded with zeros to n: the features and, if the model
// looks, the grids.
func (in Inputs) padded(m Model, n int) []any {
	features := make([]float32, n*m.Features)
	copy(features, in.Features)
	out := []any{tensors.FromFlatDataAndDimensions(features, n, m.Features)}
	if m.Looks() {
		out = append(out, gridTensor(m, in.Grids, n))
	}
	return out
}

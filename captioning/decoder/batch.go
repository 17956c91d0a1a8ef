package decoder

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"
)

// Batch is the input of teacher forcing: Size captions of at most Steps inputs each, with the features of their images:
// either rows of Images, or Features. Ids and weights are time-major: position [t*Size+b] is step t of caption b.
type Batch struct {
	Size, Steps int
	Images      *Images
	Rows        []int32   // [size], each caption's row of Images
	Features    []float32 // [size, features], if Images is nil
	Inputs      []int32   // [steps, size]: <start>, w1, w2, ...
	Targets     []int32   // [steps, size]: w1, w2, ..., <end>
	// Weights [steps, size] multiply the loss of each position: 0 excludes a <pad>.
	Weights []float32
	// Grids holds the feature maps of the batch's images, each image once, at most one for each caption, and GridRows
	// [size] the index in Grids of each caption's image. They are for models that look (see Looking).
	Grids    []Grid
	GridRows []int32

	least padding
}

// padding is the least size of the arrays of a batch that are padded: words, positions that the loss reads, grids.
type padding struct{ words, rows, grids int }

// Check reports arrays of the wrong length, and ids outside the model's vocabulary.
func (b *Batch) Check(m Model) error {
	n := b.Size * b.Steps
	if err := b.checkImages(m); err != nil {
		return err
	}
	if err := b.checkGrids(m); err != nil {
		return err
	}
	if b.Steps < 1 || len(b.Inputs) != n || len(b.Targets) != n || len(b.Weights) != n {
		return fmt.Errorf("decoder: a batch of %d captions and %d steps has %d inputs, %d targets and %d weights",
			b.Size, b.Steps, len(b.Inputs), len(b.Targets), len(b.Weights))
	}
	for i := range n {
		for _, id := range [2]int32{b.Inputs[i], b.Targets[i]} {
			if id < 0 || int(id) >= m.Vocabulary {
				return fmt.Errorf("decoder: token id %d at step %d of caption %d is outside the vocabulary of %d",
					id, i/b.Size, i%b.Size, m.Vocabulary)
			}
		}
	}
	return nil
}

// checkImages reports features that do not fit the model or the number of captions.
func (b *Batch) checkImages(m Model) error {
	if b.Images == nil {
		if b.Size < 1 || len(b.Features) != b.Size*m.Features {
			return fmt.Errorf(
				"decoder: a batch of %d captions has %d numbers as features, %d for each image are wanted", b.Size,
				len(b.Features), m.Features)
		}
		return nil
	}
	if dim := b.Images.table.Shape().Dim(1); b.Size < 1 || len(b.Rows) != b.Size || dim != m.Features {
		return fmt.Errorf("decoder: a batch of %d captions has %d images of %d features, the model reads %d",
			b.Size, len(b.Rows), dim, m.Features)
	}
	for i, row := range b.Rows {
		if row < 0 || int(row) >= b.Images.rows {
			return fmt.Errorf("decoder: caption %d is of image %d, but there are %d images", i, row, b.Images.rows)
		}
	}
	return nil
}

// images returns the table of features, [n, features] (float32), and each caption's row in it, [size, 1] (int32).
func (b *Batch) images(m Model) (table, rows *tensors.Tensor) {
	if b.Images != nil {
		return b.Images.table, tensors.FromFlatDataAndDimensions(b.Rows, b.Size, 1)
	}
	each := make([]int32, b.Size)
	for i := range each {
		each[i] = int32(i)
	}
	return tensors.FromFlatDataAndDimensions(b.Features, b.Size, m.Features),
		tensors.FromFlatDataAndDimensions(each, b.Size, 1)
}

// words returns the distinct input words in ascending order, [n] (int32), and for every position the index of its word
// in that list, places [steps, size] (int32). A batch of captions holds each word three times on average, and what a
// word contributes to the cell's gates is computed once. The list is padded to a multiple of an eighth of the
// positions, so that few programs are compiled; no position refers to the padding.
func (b *Batch) words() (words, places *tensors.Tensor) {
	list := slices.Compact(slices.Sorted(slices.Values(b.Inputs)))
	at := make([]int32, len(b.Inputs))
	for i, id := range b.Inputs {
		place, _ := slices.BinarySearch(list, id)
		at[i] = int32(place)
	}
	eighth := (len(b.Inputs) + 7) / 8
	filled := make([]int32, max((len(list)+eighth-1)/eighth*eighth, b.least.words))
	copy(filled, list)
	return tensors.FromFlatDataAndDimensions(filled, len(filled)),
		tensors.FromFlatDataAndDimensions(at, b.Steps, b.Size)
}

// rows returns the indices of the positions with a weight, [n, 1] (int32), padded with positions of weight 0 to a
// multiple of a quarter of all positions, so that a run compiles only a few programs. All positions are in their own
// order, because lossGraph does not gather them.
func (b *Batch) rows() (*tensors.Tensor, error) {
	var counted, rest []int32
	for i, w := range b.Weights {
		if w != 0 {
			counted = append(counted, int32(i))
		} else {
			rest = append(rest, int32(i))
		}
	}
	if len(counted) == 0 && b.least.rows == 0 {
		return nil, fmt.Errorf("decoder: every position of the batch has weight 0")
	}
	quarter := (len(b.Weights) + 3) / 4
	want := min(max((len(counted)+quarter-1)/quarter*quarter, b.least.rows), len(b.Weights))
	counted = append(counted, rest[:want-len(counted)]...)
	if want == len(b.Weights) {
		slices.Sort(counted)
	}
	return tensors.FromFlatDataAndDimensions(counted, len(counted), 1), nil
}

// tensors returns the batch as the graphs read it, without its weights; see lossGraph for shapes and dtypes.
func (b *Batch) tensors(m Model) []any {
	table, images := b.images(m)
	words, places := b.words()
	return []any{table, images, words, places, tensors.FromFlatDataAndDimensions(b.Targets, b.Steps, b.Size)}
}

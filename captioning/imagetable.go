package captioning

import (
	"slices"

	"github.com/gomlx/compute"

	"captionlab/captioning/decoder"
)

// maxOnDevice is the size in bytes of the largest imageTable that is put on the device as a whole, 50,000 vectors of
// 1,280 numbers.
const maxOnDevice = 256 << 20

// imageTable holds the features of the images of pairs, each image once. A small table is put on the device; of a large
// one, which stays in its files, each batch takes the rows that it needs.
type imageTable struct {
	rows   [][]float32     // [FeatureDim] each; see encoder.Features.Row
	grids  []decoder.Grid  // of as many images, for a model that looks; see encoder.Features.Grid
	device *decoder.Images // all rows; nil for a large table and before upload
}

// add appends the features of an image and returns its row.
func (t *imageTable) add(features []float32) int32 {
	t.rows = append(t.rows, features)
	return int32(len(t.rows) - 1)
}

// upload puts the table on the device if it has at most limit bytes.
func (t *imageTable) upload(backend compute.Backend, limit int) (err error) {
	if len(t.rows) == 0 || 4*len(t.rows)*len(t.rows[0]) > limit {
		return nil
	}
	t.device, err = decoder.NewImages(backend, slices.Concat(t.rows...), len(t.rows[0]))
	return err
}

// give gives a batch, whose captions refer to rows of the table, the features of its images.
func (t *imageTable) give(b *decoder.Batch) *decoder.Batch {
	t.giveGrids(b)
	if b.Images = t.device; b.Images != nil {
		return b
	}
	dim := len(t.rows[0])
	b.Features = make([]float32, 0, b.Size*dim)
	for _, row := range b.Rows {
		b.Features = append(b.Features, t.rows[row]...)
	}
	return b
}

// giveGrids gives a batch the grid of each of its images once.
func (t *imageTable) giveGrids(b *decoder.Batch) {
	if len(t.grids) == 0 {
		return
	}
	places := make(map[int32]int32)
	b.GridRows = make([]int32, b.Size)
	for i, row := range b.Rows {
		place, ok := places[row]
		if !ok {
			place = int32(len(b.Grids))
			places[row], b.Grids = place, append(b.Grids, t.grids[row])
		}
		b.GridRows[i] = place
	}
}

// inputs returns what the decoder reads of the images in the given rows.
func (t *imageTable) inputs(rows []int32) decoder.Inputs {
	var in decoder.Inputs
	for _, row := range rows {
		in.Features = append(in.Features, t.rows[row]...)
		if len(t.grids) > 0 {
			in.Grids = append(in.Grids, t.grids[row])
		}
	}
	return in
}

// finalize frees the device's memory.
func (t *imageTable) finalize() {
	if t.device != nil {
		t.device.Finalize()
		t.device = nil
	}
}

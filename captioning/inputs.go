package captioning

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"captionlab/captioning/decoder"
	"captionlab/captioning/encoder"
	"captionlab/datasets"
)

// What a model reads of images: feature vectors and, for a model that looks, grids.

// Rows returns the feature vectors of images, [FeatureDim] each. It fails for an image without features, naming it. See
// Model.Rows for what a model reads.
func (d *Data) Rows(ctx context.Context, ids []string) ([][]float32, error) {
	f, err := d.someFeatures(ctx)
	if err != nil {
		return nil, err
	}
	rows := make([][]float32, len(ids))
	for i, id := range ids {
		row, ok := f.Row(id)
		if !ok {
			return nil, d.withoutFeatures(id)
		}
		rows[i] = row
	}
	return rows, nil
}

// Rows returns what the model reads of images of data, for CaptionFeatures: the feature vector of each and, if the
// model looks at feature maps, the map after it, [encoder.Spec.RowDim]. It fails for an image without features, naming
// it.
func (m *Model) Rows(ctx context.Context, data *Data, ids []string) ([][]float32, error) {
	in, err := data.inputs(ctx, m.decoder.Model, ids)
	if err != nil {
		return nil, err
	}
	dim := m.decoder.Features
	rows := make([][]float32, len(ids))
	for i := range rows {
		rows[i] = append(make([]float32, 0, m.rowDim()), in.Features[i*dim:(i+1)*dim]...)
		if m.decoder.Looks() {
			for _, x := range in.Grids[i] {
				rows[i] = append(rows[i], x.Float32())
			}
		}
	}
	return rows, nil
}

// inputs returns what a model reads of images, without copies of their grids.
func (d *Data) inputs(ctx context.Context, m decoder.Model, ids []string) (decoder.Inputs, error) {
	f, err := d.featuresFor(ctx, m)
	if err != nil {
		return decoder.Inputs{}, err
	}
	in := decoder.Inputs{Features: make([]float32, 0, len(ids)*f.Dim())}
	for _, id := range ids {
		row, ok := f.Row(id)
		if !ok {
			return in, d.withoutFeatures(id)
		}
		if err := checkFeatures(row); err != nil {
			return in, fmt.Errorf("image %s: %w", id, err)
		}
		in.Features = append(in.Features, row...)
		if m.Looks() {
			in.Grids = append(in.Grids, f.Grid(id))
		}
	}
	return in, nil
}

// withoutFeatures is the error for an image that has none.
func (d *Data) withoutFeatures(id string) error {
	return fmt.Errorf("image %q of %s has no features: it is not in the dataset or could not be read", id, d.Name())
}

// rowDim is the number of values that the model reads of an image; see encoder.Spec.RowDim.
func (m *Model) rowDim() int {
	dim := m.decoder.Features
	if m.decoder.Looks() {
		dim += m.decoder.Places * m.decoder.Channels
	}
	return dim
}

// inputs splits rows [rowDim] into what the decoder reads. For a row that it cannot read, the error names it by name.
func (m *Model) inputs(rows [][]float32, name func(i int) string) (decoder.Inputs, error) {
	dim := m.decoder.Features
	in := decoder.Inputs{Features: make([]float32, 0, len(rows)*dim)}
	for i, row := range rows {
		if err := m.checkRow(row); err != nil {
			return in, fmt.Errorf("image %s: %w", name(i), err)
		}
		in.Features = append(in.Features, row[:dim]...)
		if m.decoder.Looks() {
			in.Grids = append(in.Grids, decoder.NewGrid(row[dim:]))
		}
	}
	return in, nil
}

// repeated returns the inputs of the images at the given places, in that order.
func repeated(in decoder.Inputs, dim int, places []int) decoder.Inputs {
	out := decoder.Inputs{Features: make([]float32, 0, len(places)*dim)}
	for _, i := range places {
		out.Features = append(out.Features, in.Features[i*dim:(i+1)*dim]...)
		if in.Grids != nil {
			out.Grids = append(out.Grids, in.Grids[i])
		}
	}
	return out
}

// checkRow reports features that the model cannot read.
func (m *Model) checkRow(row []float32) error {
	if id := m.Checkpoint.Encoder; len(row) != m.rowDim() {
		return fmt.Errorf("it has %d features, the model reads %d (%s)", len(row), m.rowDim(), id.Name)
	}
	return checkFeatures(row)
}

// announceGrids says how much room grids in folder will take, and fails if the disk has not that much. It does nothing
// for features without grids.
func (d *Data) announceGrids(spec encoder.Spec, folder string) error {
	numbers := spec.RowDim() - spec.FeatureDim
	if numbers == 0 {
		return nil
	}
	images := 0
	for _, split := range datasets.Splits {
		images += len(d.Dataset.Examples(split))
	}
	size := int64(images) * int64(2*numbers+4*spec.FeatureDim)
	d.options.Notice(fmt.Sprintf("feature maps of %d images, %d places with %d channels, will take %.2g GB in %s",
		images, spec.Places, spec.FeatureDim, float64(size)/1e9, folder))
	size -= folderSize(folder)
	parent := folder
	for !isFolder(parent) && parent != filepath.Dir(parent) {
		parent = filepath.Dir(parent)
	}
	var disk unix.Statfs_t
	if err := unix.Statfs(parent, &disk); err != nil {
		return nil // the size of the disk is unknown; writing will tell
	}
	if free := int64(disk.Bavail) * int64(disk.Bsize); free < size {
		return fmt.Errorf("feature maps need another %.2g GB in %s, where %.2g GB are free: free some, or set "+
			"CAPTIONLAB_CACHE to a folder on another disk", float64(size)/1e9, parent, float64(free)/1e9)
	}
	return nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// folderSize is the size of the files in a folder; 0 if there is none.
func folderSize(folder string) int64 {
	total := int64(0)
	filepath.WalkDir(folder, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			total += info.Size()
		}
		return nil
	})
	return total
}

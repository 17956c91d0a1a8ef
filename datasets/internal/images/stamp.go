package images

import (
	"captionlab/datasets"
	"captionlab/datasets/internal/digest"
)

// Stamp returns the stamp of a dataset with images in sources, see datasets.Stamper. locate returns the source of an
// example's image and its name there. The examples are in memory already, so Stamp covers their ids and captions rather
// than the annotation and split files they came from. Fails if an image file is missing.
func Stamp(ds datasets.Dataset, locate func(id string) (Source, string)) (string, error) {
	return StampOf(ds, func(id string) (string, File, error) {
		source, name := locate(id)
		file, err := source.File(name)
		return name, file, err
	})
}

// StampOf is Stamp for images that need not be in a Source: locate returns an image's name in its source, and the file
// that holds it.
func StampOf(ds datasets.Dataset, locate func(id string) (string, File, error)) (string, error) {
	sum := digest.New()
	sum.Text(ds.Name())
	for _, split := range datasets.Splits {
		sum.Text(string(split))
		sum.Number(int64(len(ds.Examples(split))))
		for _, ex := range ds.Examples(split) {
			sum.Text(ex.ID)
			sum.Texts(ex.Captions)
			name, file, err := locate(ex.ID)
			if err != nil {
				return "", err
			}
			sum.Text(name)
			sum.Text(file.Path)
			sum.Number(file.Size)
			sum.Number(file.Modified.UnixNano())
		}
	}
	return sum.Hex(), nil
}

// Package datasets defines a captioning dataset: images with an id and a few captions each, in three disjoint splits.
// It knows nothing of models or GoMLX. The loaders are sub-packages (flickr8k, coco, shapes). They register nothing:
// the caller opens one of them and uses it through the Dataset interface.
package datasets

import (
	"fmt"
	"io"
)

// Split names one of the three disjoint parts of a dataset.
type Split string

// The splits of every dataset. A split may be empty, but never missing.
const (
	Train Split = "train"
	Val   Split = "val"
	Test  Split = "test"
)

// Splits lists the splits in the order used in all reports.
var Splits = []Split{Train, Val, Test}

// ParseSplit returns the split with the given name. It accepts "dev", Flickr8k's name for Val.
func ParseSplit(name string) (Split, error) {
	switch name {
	case string(Train), string(Val), string(Test):
		return Split(name), nil
	case "dev":
		return Val, nil
	}
	return "", fmt.Errorf("unknown split %q: use train, val or test", name)
}

// Example is one image with its captions.
type Example struct {
	// ID names the image within its dataset and in result files. COCO files store an ID that is a canonical decimal
	// integer ("42") as a JSON number, and any other ID ("1000268201_693b08cb0e.jpg") as a string.
	ID string
	// Captions are the reference captions, at least one, in the dataset's own spelling and case.
	Captions []string
}

// Dataset is an opened dataset. Implementations are safe for concurrent use. A dataset may also implement Stamper, and
// io.Closer if it holds files open.
type Dataset interface {
	// Name returns the short name used in result folders: "flickr8k", "coco", "shapes".
	Name() string
	// Examples returns the examples of a split in the dataset's own fixed order. The slice is shared: do not modify it.
	Examples(Split) []Example
	// OpenImage opens the encoded image (JPEG, PNG, WebP) of an example from any split.
	OpenImage(id string) (io.ReadCloser, error)
	// Oddities describes the irregularities that the loader found and handled, one sentence each: images without
	// captions, captions without an image, duplicate images, images in no split.
	Oddities() []string
}

// Close closes ds if it implements io.Closer, and does nothing otherwise. Images cannot be opened afterwards.
//
// A subset shares the open files of the dataset it was taken from: closing one of them closes both. Close either one,
// once nothing uses the other. Closing both is harmless.
func Close(ds Dataset) error {
	if c, ok := ds.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

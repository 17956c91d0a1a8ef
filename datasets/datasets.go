// Package datasets defines what a captioning dataset is: pictures with an id and a few captions each, in three disjoint
// splits. It knows nothing of models or GoMLX; the loaders live in its sub-packages (flickr8k, shapes, coco) and
// register nothing: a caller opens the one it wants and works with the Dataset interface.
package datasets

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
)

// Split names one of the three disjoint parts of a dataset.
type Split string

// The splits every dataset has. A split may be empty, never missing.
const (
	Train Split = "train"
	Val   Split = "val"
	Test  Split = "test"
)

// Splits lists the splits in the order in which everything is reported.
var Splits = []Split{Train, Val, Test}

// ParseSplit returns the split called name; "dev" is accepted for Val, as Flickr8k calls it.
func ParseSplit(name string) (Split, error) {
	switch name {
	case string(Train), string(Val), string(Test):
		return Split(name), nil
	case "dev":
		return Val, nil
	}
	return "", fmt.Errorf("unknown split %q: use train, val or test", name)
}

// Example is one picture with its captions.
type Example struct {
	// ID names the picture within its dataset and in result files. An ID that is a canonical decimal integer ("42")
	// is written to COCO files as a JSON number, any other ("1000268201_693b08cb0e.jpg") as a string.
	ID string
	// Captions are the reference captions as the dataset gives them: raw, not lower-cased, at least one.
	Captions []string
}

// Dataset is an opened dataset. Implementations are safe for concurrent use.
type Dataset interface {
	// Name is the short name used on the command line and in result folders: "flickr8k", "shapes", "coco".
	Name() string
	// Examples returns the examples of a split in the dataset's own fixed order. The slice is shared: do not change it.
	Examples(Split) []Example
	// OpenImage opens the encoded picture (JPEG, PNG, WebP) of an example of any split.
	OpenImage(id string) (io.ReadCloser, error)
	// Oddities lists, one sentence each, what the loader found in the data and dealt with: pictures without captions,
	// captions without a picture, doubled pictures, pictures in no split.
	Oddities() []string
}

// Fingerprint returns the SHA-256, in hex, over the splits in order: of each its name and the number of its examples; of each
// example its id, the number of its captions, the captions, and the encoded image bytes. Strings and images are preceded by
// their length, numbers are 64 bits, little-endian; so no two datasets share a byte stream. It reads every picture once;
// Flickr8k takes about a second. Fails when a picture cannot be read or ctx is done.
func Fingerprint(ctx context.Context, ds Dataset) (string, error) {
	sum := sha256.New()
	count := func(n int) {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], uint64(n))
		sum.Write(b[:])
	}
	write := func(b []byte) {
		count(len(b))
		sum.Write(b)
	}
	for _, split := range Splits {
		write([]byte(split))
		count(len(ds.Examples(split)))
		for _, ex := range ds.Examples(split) {
			if err := ctx.Err(); err != nil {
				return "", err
			}
			write([]byte(ex.ID))
			count(len(ex.Captions))
			for _, caption := range ex.Captions {
				write([]byte(caption))
			}
			image, err := readImage(ds, ex.ID)
			if err != nil {
				return "", fmt.Errorf("fingerprint of %s: %w", ds.Name(), err)
			}
			write(image)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func readImage(ds Dataset, id string) (_ []byte, err error) {
	f, err := ds.OpenImage(id)
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	return io.ReadAll(f)
}

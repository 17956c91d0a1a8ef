package datasets

import (
	"errors"
	"fmt"
)

// Stamper is implemented by datasets that can detect a change of their files without reading any image.
type Stamper interface {
	// Stamp returns a SHA-256, in hex, over everything the dataset is read from, without opening an image: the chosen
	// split and options, the examples, and the path, size and modification time of every file that holds an image of an
	// example. Equal stamps mean an equal Fingerprint, unless a file was changed with its size and time preserved.
	//
	// A dataset that wraps another one returns errors.ErrUnsupported if the wrapped dataset has no stamp.
	Stamp() (string, error)
}

// Stamp returns the stamp of ds; ok reports whether ds has one. Fails if a file that holds an image is missing.
//
// To reuse a fingerprint later, take the stamp first, then the fingerprint, and store them together. A file that
// changes in between then gives another stamp next time, and the stored fingerprint is not used.
func Stamp(ds Dataset) (stamp string, ok bool, err error) {
	s, ok := ds.(Stamper)
	if !ok {
		return "", false, nil
	}
	stamp, err = s.Stamp()
	if errors.Is(err, errors.ErrUnsupported) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("stamp of %s: %w", ds.Name(), err)
	}
	return stamp, true, nil
}

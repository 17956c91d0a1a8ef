package datasets_test

import (
	"fmt"
	"io"
	"strings"

	"captionlab/datasets"
)

// memory is a dataset of literal examples. The bytes of an image are the text images[id].
type memory struct {
	examples map[datasets.Split][]datasets.Example
	images   map[string]string
}

func (m memory) Name() string                                     { return "memory" }
func (m memory) Examples(split datasets.Split) []datasets.Example { return m.examples[split] }
func (m memory) Oddities() []string                               { return []string{"one is odd"} }
func (m memory) OpenImage(id string) (io.ReadCloser, error) {
	image, ok := m.images[id]
	if !ok {
		return nil, fmt.Errorf("no image %q", id)
	}
	return io.NopCloser(strings.NewReader(image)), nil
}

// fresh returns three training, two validation and one test example.
func fresh() memory {
	m := memory{map[datasets.Split][]datasets.Example{}, map[string]string{}}
	for split, ids := range map[datasets.Split]string{datasets.Train: "abc", datasets.Val: "de", datasets.Test: "f"} {
		for _, id := range strings.Split(ids, "") {
			example := datasets.Example{ID: id, Captions: []string{"one " + id, "two " + id}}
			m.examples[split] = append(m.examples[split], example)
			m.images[id] = "image of " + id
		}
	}
	return m
}

// onDisk is a memory with a stamp and a file to close.
type onDisk struct {
	memory
	stamp  string
	err    error // of Stamp
	closed *int  // calls of Close
}

func (d onDisk) Stamp() (string, error) { return d.stamp, d.err }
func (d onDisk) Close() error           { *d.closed++; return nil }

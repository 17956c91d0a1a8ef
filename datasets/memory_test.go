package datasets_test

import (
	"fmt"
	"io"
	"strings"

	"captionlab/datasets"
)

// memory is a dataset of literal examples; the picture of an id is the text pictures[id].
type memory struct {
	examples map[datasets.Split][]datasets.Example
	pictures map[string]string
}

func (m memory) Name() string                                     { return "memory" }
func (m memory) Examples(split datasets.Split) []datasets.Example { return m.examples[split] }
func (m memory) Oddities() []string                               { return []string{"one is odd"} }
func (m memory) OpenImage(id string) (io.ReadCloser, error) {
	picture, ok := m.pictures[id]
	if !ok {
		return nil, fmt.Errorf("no picture %q", id)
	}
	return io.NopCloser(strings.NewReader(picture)), nil
}

// fresh returns three training, two validation and one test example.
func fresh() memory {
	m := memory{map[datasets.Split][]datasets.Example{}, map[string]string{}}
	for split, ids := range map[datasets.Split]string{datasets.Train: "abc", datasets.Val: "de", datasets.Test: "f"} {
		for _, id := range strings.Split(ids, "") {
			m.examples[split] = append(m.examples[split], datasets.Example{ID: id, Captions: []string{"one " + id, "two " + id}})
			m.pictures[id] = "picture of " + id
		}
	}
	return m
}

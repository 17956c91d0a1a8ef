package meteor_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"captionlab/captioning/score"
	"captionlab/captioning/score/meteor"
)

// With the tables of `captionlab fetch meteor`, meteor.OpenFetched takes the place of Build and Open.
func Example() {
	dir, err := os.MkdirTemp("", "meteor")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	index := filepath.Join(dir, "tiny.index")
	err = meteor.Build(index, meteor.Sources{
		Function:    strings.NewReader("a\nthe\non\nof\n"),
		Synsets:     strings.NewReader("lawn\n1\ngrass\n1\n"),
		Paraphrases: strings.NewReader("0.5\na group of\nseveral\n"),
	})
	if err != nil {
		panic(err)
	}
	tables, err := meteor.Open(index)
	if err != nil {
		panic(err)
	}
	defer tables.Close()

	a := tables.Align("several dogs running on the grass", "A group of dogs runs on a lawn")
	for _, m := range a.Matches {
		fmt.Printf("%s: %q\n", m.Module, a.Reference[m.Reference.Start:m.Reference.Start+m.Reference.Words])
	}

	refs := score.References{"1": {"A group of dogs runs on a lawn."}}
	captions := []score.Caption{{ID: "1", Text: "several dogs running on the grass"}}
	s, err := score.Measure(refs, captions, []score.Metric{tables.Metric()}, score.Options{})
	if err != nil {
		panic(err)
	}
	value, _ := s.Value(meteor.Name)
	fmt.Printf("METEOR %.3f\n", 100*value)
	// Output:
	// paraphrase: ["a" "group" "of"]
	// exact: ["dogs"]
	// stem: ["runs"]
	// exact: ["on"]
	// synonym: ["lawn"]
	// METEOR 36.394
}

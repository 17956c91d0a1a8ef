package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/gomlx/compute"

	"captionlab/captioning"
	"captionlab/captioning/encoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
	"captionlab/captioning/vocab"
	"captionlab/captioning/xla"
	"captionlab/datasets"
)

// exportTraining writes the PyTorch side's training data into dir: captions.json (the captions of the training split as
// ids, in a seeded random order, each with its image's row) and features.bin (all rows, float32).
func exportTraining(ctx context.Context, dir string) error {
	ds, features, err := openFlickr8k(ctx)
	if err != nil {
		return err
	}
	s := experiment.Defaults()
	tokenize, err := score.Tokenizer(s.Tokens)
	if err != nil {
		return err
	}
	type caption struct {
		Row int     `json:"row"`
		IDs []int32 `json:"ids"`
	}
	var tokens [][]string
	var captions []caption
	var rows [][]float32
	for _, ex := range ds.Examples(datasets.Train) {
		row, ok := features.Row(ex.ID)
		if !ok {
			continue
		}
		for _, c := range ex.Captions {
			tokens = append(tokens, tokenize(c))
			captions = append(captions, caption{Row: len(rows)})
		}
		rows = append(rows, row)
	}
	words, err := vocab.Build(tokens, s.MinCount)
	if err != nil {
		return err
	}
	for i := range captions {
		captions[i].IDs = words.Encode(tokens[i], s.MaxTokens)
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(captions), func(i, j int) {
		captions[i], captions[j] = captions[j], captions[i]
	})
	text, err := json.Marshal(map[string]any{
		"vocabulary": words.Len(), "features": features.Dim(), "captions": captions,
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "captions.json"), text, 0o644); err != nil {
		return err
	}
	return writeRows(filepath.Join(dir, "features.bin"), rows)
}

// exportTest writes the features of the test split to features.bin in dir.
func exportTest(ctx context.Context, dir string) error {
	ds, features, err := openFlickr8k(ctx)
	if err != nil {
		return err
	}
	var rows [][]float32
	for _, ex := range ds.Examples(datasets.Test) {
		if row, ok := features.Row(ex.ID); ok {
			rows = append(rows, row)
		}
	}
	return writeRows(filepath.Join(dir, "features.bin"), rows)
}

// openFlickr8k opens the dataset with its features.
func openFlickr8k(ctx context.Context) (datasets.Dataset, *encoder.Features, error) {
	backend, data, err := openFlickr8kData(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer backend.Finalize()
	features, err := data.Features(ctx)
	return data.Dataset, features, err
}

// openFlickr8kData opens the dataset on a backend, which the caller has to finalize.
func openFlickr8kData(ctx context.Context) (compute.Backend, *captioning.Data, error) {
	backend, _, err := xla.Open(xla.OpenOptions{})
	if err != nil {
		return nil, nil, err
	}
	data, err := flickr8k(ctx, backend)
	if err != nil {
		backend.Finalize()
		return nil, nil, err
	}
	return backend, data, nil
}

// writeRows writes feature vectors as raw little-endian float32 values.
func writeRows(path string, rows [][]float32) error {
	var out []byte
	for _, row := range rows {
		for _, x := range row {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
		}
	}
	return os.WriteFile(path, out, 0o644)
}

// readRows reads a file that writeRows wrote, with dim values per row.
func readRows(path string, dim int) ([][]float32, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(data)%(4*dim) != 0 {
		return nil, fmt.Errorf("%s: %d bytes are not a whole number of rows of %d float32 values", path, len(data), dim)
	}
	rows := make([][]float32, len(data)/(4*dim))
	for i := range rows {
		rows[i] = make([]float32, dim)
		for j := range rows[i] {
			rows[i][j] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*(i*dim+j):]))
		}
	}
	return rows, nil
}

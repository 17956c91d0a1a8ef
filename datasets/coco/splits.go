package coco

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"captionlab/datasets"
	"captionlab/datasets/internal/annotations"
	"captionlab/datasets/internal/textfile"
	"captionlab/datasets/jsonfile"
)

// Names of the splits that Open accepts besides paths.
const (
	PA4      = "pa4"
	Karpathy = "karpathy"
)

// idFiles are the lists of image ids in the folder of a split.
var idFiles = map[datasets.Split]string{
	datasets.Train: "train_ids.csv",
	datasets.Val:   "val_ids.csv",
	datasets.Test:  "test_ids.csv",
}

// idFileNames names all idFiles in an error text.
var idFileNames = fmt.Sprintf("%s, %s and %s", idFiles[datasets.Train], idFiles[datasets.Val], idFiles[datasets.Test])

// karpathyFile is the name of the file with Karpathy's split.
const karpathyFile = "dataset_coco.json"

// wanted is a split before it is matched with the release: ids in order, and captions if the split's file has them.
type wanted struct {
	name     string // "pa4", "karpathy", or the name of the folder or file
	ids      map[datasets.Split][]int64
	captions map[int64][]string // nil: use those of the release
	doubled  []int64            // ids listed twice, in one list or two
}

// readSplit finds and reads the split with the given name: PA4, Karpathy, a folder with three lists of ids, or a file
// in Karpathy's format.
func readSplit(dir, name string) (*wanted, error) {
	if name == "" {
		name = PA4
	}
	place := name
	switch name {
	case PA4:
		place = filepath.Join(dir, PA4)
	case Karpathy:
		place = filepath.Join(dir, karpathyFile)
	}
	info, err := os.Stat(place)
	switch {
	case err != nil && name == PA4:
		return nil, fmt.Errorf("coco: split %q needs %s in %s: put them there, or name their folder (%w)",
			name, idFileNames, place, err)
	case err != nil && name == Karpathy:
		return nil, fmt.Errorf("coco: split %q needs the file %s: put it there, or name the file (%w)",
			name, place, err)
	case err != nil:
		return nil, fmt.Errorf("coco: no split %q: use %s, %s, a folder with three lists of ids, "+
			"or a file in Karpathy's format (%w)", name, PA4, Karpathy, err)
	}
	w := &wanted{name: strings.TrimSuffix(filepath.Base(place), ".json"), ids: make(map[datasets.Split][]int64)}
	if name == Karpathy {
		w.name = Karpathy
	}
	if info.IsDir() {
		err = w.readIDLists(place)
	} else {
		err = w.readKarpathy(place, name == Karpathy)
	}
	if err == nil {
		err = w.removeDoubles(place)
	}
	if err != nil {
		return nil, err
	}
	return w, nil
}

// removeDoubles keeps the first occurrence of every id and moves the others to doubled. Fails if a split is empty.
func (w *wanted) removeDoubles(place string) error {
	seen := make(map[int64]bool)
	for _, split := range datasets.Splits {
		kept := w.ids[split][:0]
		for _, id := range w.ids[split] {
			if seen[id] {
				w.doubled = append(w.doubled, id)
				continue
			}
			seen[id], kept = true, append(kept, id)
		}
		if w.ids[split] = kept; len(kept) == 0 {
			return fmt.Errorf("coco: the %s split in %s is empty: add images to it", split, place)
		}
	}
	return nil
}

// readIDLists reads the three lists of a folder. Ids are separated by commas or line ends, with or without double
// quotes.
func (w *wanted) readIDLists(dir string) error {
	for _, split := range datasets.Splits {
		file := filepath.Join(dir, idFiles[split])
		text, err := textfile.Read(file)
		if err != nil {
			return fmt.Errorf("coco: %w: a split's folder contains %s", err, idFileNames)
		}
		fields := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' })
		for i, field := range fields {
			field = strings.TrimSpace(field)
			if bare, ok := strings.CutPrefix(field, `"`); ok {
				field = strings.TrimSuffix(bare, `"`)
			}
			id, err := jsonfile.WholeNumber([]byte(field))
			if err != nil || id < 0 {
				wrong := fmt.Errorf("entry %d is %.40q, which is not an image id", i+1, field)
				return &FileError{file, 0, wrong, annotations.Correct}
			}
			w.ids[split] = append(w.ids[split], id)
		}
	}
	return nil
}

package coco

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"captionlab/datasets"
)

// Names of the splits that Open knows beside paths.
const (
	PA4      = "pa4"
	Karpathy = "karpathy"
)

// idFiles are the files of a split in lists of image ids.
var idFiles = map[datasets.Split]string{datasets.Train: "train_ids.csv", datasets.Val: "val_ids.csv", datasets.Test: "test_ids.csv"}

// karpathyFile is the name of the file with Karpathy's split.
const karpathyFile = "dataset_coco.json"

// wanted is a split before the release is looked at: ids in order, and, where the split's file has them, the captions.
type wanted struct {
	name     string // "pa4", "karpathy", or the name of the folder or file
	ids      map[datasets.Split][]int64
	captions map[int64][]string // nil: those of the release
	doubled  []int64            // ids that stand twice in a list, or in two
}

// readSplit finds and reads the split called name: PA4, Karpathy, a folder with three lists of ids, or a file of Karpathy's format.
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
		return nil, fmt.Errorf("coco: the split %q needs %s, %s and %s in %s, or name the folder that holds them (%w)", name, idFiles[datasets.Train], idFiles[datasets.Val], idFiles[datasets.Test], place, err)
	case err != nil && name == Karpathy:
		return nil, fmt.Errorf("coco: the split %q needs the file %s, or name the file (%w)", name, place, err)
	case err != nil:
		return nil, fmt.Errorf("coco: no split %q: use %s, %s, a folder with three lists of ids, or a file like Karpathy's (%w)", name, PA4, Karpathy, err)
	}
	w := &wanted{name: strings.TrimSuffix(filepath.Base(place), ".json"), ids: make(map[datasets.Split][]int64)}
	if name == Karpathy {
		w.name = Karpathy
	}
	if info.IsDir() {
		err = w.readIDLists(place)
	} else {
		err = w.readKarpathy(place)
	}
	if err != nil {
		return nil, err
	}
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
			return nil, fmt.Errorf("coco: the %s split in %s is empty: every split needs pictures", split, place)
		}
	}
	return w, nil
}

// readIDLists reads the three lists of a folder: ids with commas or line ends between, in double quotes or not.
func (w *wanted) readIDLists(dir string) error {
	for _, split := range datasets.Splits {
		file := filepath.Join(dir, idFiles[split])
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("coco: %w: the folder of a split holds %s, %s and %s", err, idFiles[datasets.Train], idFiles[datasets.Val], idFiles[datasets.Test])
		}
		for i, field := range strings.FieldsFunc(string(text), func(r rune) bool { return r == ',' || r == '\n' || r == '\r' }) {
			field = strings.TrimSpace(field)
			if bare, ok := strings.CutPrefix(field, `"`); ok {
				field = strings.TrimSuffix(bare, `"`)
			}
			id, err := strconv.ParseInt(field, 10, 64)
			if err != nil || id < 0 {
				return &FileError{file, 0, fmt.Errorf("entry %d is %.40q, no image id", i+1, field)}
			}
			w.ids[split] = append(w.ids[split], id)
		}
	}
	return nil
}

// readKarpathy reads a file like dataset_coco.json of Karpathy and Fei-Fei 2015 ("Deep Visual-Semantic Alignments for Generating
// Image Descriptions"): every picture with its captions and one of the splits train, restval (which is trained on), val and test.
func (w *wanted) readKarpathy(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("coco: %w", err)
	}
	defer f.Close()
	type picture struct {
		ID        int64  `json:"cocoid"`
		Split     string `json:"split"`
		Sentences []struct {
			Raw string `json:"raw"`
		} `json:"sentences"`
	}
	w.captions = make(map[int64][]string)
	found := false
	return readObject(file, io.Reader(f), func(d *json.Decoder, key string) error {
		if key != "images" {
			return skip(d)
		}
		found = true
		return each(d, func(p picture) error {
			split := datasets.Train
			switch p.Split {
			case "train", "restval":
			case "val":
				split = datasets.Val
			case "test":
				split = datasets.Test
			default:
				return fmt.Errorf("picture %d is in split %q, which is none of train, restval, val and test", p.ID, p.Split)
			}
			w.ids[split] = append(w.ids[split], p.ID)
			for _, s := range p.Sentences {
				w.captions[p.ID] = append(w.captions[p.ID], s.Raw)
			}
			return nil
		})
	}, func() error {
		if !found {
			return errors.New(`it has no "images": it is no file like Karpathy's`)
		}
		return nil
	})
}

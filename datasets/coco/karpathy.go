package coco

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"captionlab/datasets"
	"captionlab/datasets/internal/annotations"
	"captionlab/datasets/regular"
)

// karpathyImage is an entry of Karpathy's file.
type karpathyImage struct {
	ID        *imageID `json:"cocoid"`
	FileName  string   `json:"filename"`
	Split     string   `json:"split"`
	Sentences []struct {
		Raw string `json:"raw"`
	} `json:"sentences"`
}

// readKarpathy reads a file in the format of dataset_coco.json by Karpathy and Fei-Fei 2015 ("Deep Visual-Semantic
// Alignments for Generating Image Descriptions"). It lists every image with its captions and one of the splits train,
// restval (also used for training), val and test. released says that it is the original, not a person's own.
func (w *wanted) readKarpathy(file string, released bool) error {
	f, err := regular.Open(file)
	if err != nil {
		return fmt.Errorf("coco: %w", err)
	}
	defer f.Close()
	return w.readKarpathyFrom(&annotations.File{Name: file, In: f, Released: released})
}

func (w *wanted) readKarpathyFrom(f *annotations.File) error {
	w.captions = make(map[int64][]string)
	return fileError(f.Karpathy(annotations.Strictly("images", w.addKarpathy)))
}

func (w *wanted) addKarpathy(i karpathyImage) error {
	id, err := i.id()
	if err != nil {
		return err
	}
	var split datasets.Split
	switch i.Split {
	case "train", "restval":
		split = datasets.Train
	case "val":
		split = datasets.Val
	case "test":
		split = datasets.Test
	default:
		return fmt.Errorf("image %d is in split %.40q instead of train, restval, val or test", id, i.Split)
	}
	w.ids[split] = append(w.ids[split], id)
	if len(w.captions[id]) > 0 {
		return nil // listed twice
	}
	for _, s := range i.Sentences {
		if strings.TrimSpace(s.Raw) != "" {
			w.captions[id] = append(w.captions[id], s.Raw)
		}
	}
	return nil
}

// id returns the entry's COCO id or, without one, that of its file name. The entry's imgid is no id of COCO, but counts
// the entries of the file.
func (i karpathyImage) id() (int64, error) {
	if i.ID != nil {
		return int64(*i.ID), nil
	}
	if id, ok := FileID(i.FileName); ok {
		return id, nil
	}
	return 0, fmt.Errorf("it has no cocoid, and its filename %.200q does not end in a number: "+
		"add the id of its image in the release as cocoid", i.FileName)
}

// FileID returns the image id in a file name of COCO: 42 for COCO_val2014_000000000042.jpg and 000000000042.jpg. The
// number is the whole name without folder and extension, or its last part after an underscore or hyphen. ok reports
// whether there is one.
func FileID(name string) (id int64, ok bool) {
	stem := strings.TrimSuffix(path.Base(name), path.Ext(name))
	number := stem[strings.LastIndexAny(stem, "_-")+1:]
	if strings.Trim(number, "0123456789") != "" {
		return 0, false
	}
	id, err := strconv.ParseInt(number, 10, 64)
	return id, err == nil
}

// Package customtest writes any dataset in each of the layouts that package custom reads, for tests.
package customtest

import (
	"archive/tar"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"captionlab/datasets"
)

// Layout is a way of writing a dataset.
type Layout struct {
	Name   string
	Splits bool // the layout keeps the splits
	write  func(w *writer, ds datasets.Dataset) error
}

// Layouts lists all layouts with captions.
var Layouts = []Layout{
	{"COCO, a file for each split", true, coco},
	{"Karpathy", true, karpathy},
	{"metadata.jsonl in each split's folder", true, imageFolder},
	{"JSONL with lists of captions", true, lists},
	{"JSON list", true, jsonList},
	{"CSV with a split column", true, splitColumn},
	{"Kaggle's captions.txt", false, kaggle},
	{"TSV", false, tsv},
	{"results.csv with bars", false, bars},
	{"text files", true, pairs},
	{"text files in one folder", false, onePairs},
	{"tar archives", true, shards},
}

// Write writes a dataset to dir. Images get the ending .png.
func Write(dir string, l Layout, ds datasets.Dataset) error {
	w := &writer{dir: dir, ds: ds}
	return l.write(w, ds)
}

// Images writes the images only.
func Images(dir string, ds datasets.Dataset) error {
	w := &writer{dir: dir, ds: ds}
	return w.each(func(_ datasets.Split, ex datasets.Example) error { return w.image("", ex.ID) })
}

// writer writes files below a folder.
type writer struct {
	dir string
	ds  datasets.Dataset
}

func (w *writer) file(name string, data []byte) error {
	at := filepath.Join(w.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	return os.WriteFile(at, data, 0o644)
}

// image writes an image into a folder.
func (w *writer) image(folder, id string) error {
	data, err := w.bytes(id)
	if err != nil {
		return err
	}
	return w.file(filepath.Join(folder, id+".png"), data)
}

func (w *writer) bytes(id string) ([]byte, error) {
	f, err := w.ds.OpenImage(id)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

func (w *writer) json(name string, value any) error {
	data, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		return err
	}
	return w.file(name, data)
}

// each calls do for every example.
func (w *writer) each(do func(split datasets.Split, ex datasets.Example) error) error {
	for _, split := range datasets.Splits {
		for _, ex := range w.ds.Examples(split) {
			if err := do(split, ex); err != nil {
				return err
			}
		}
	}
	return nil
}

type object = map[string]any

// coco writes ids that repeat in each file, as strings in test, and images in sub-folders.
func coco(w *writer, ds datasets.Dataset) error {
	for _, split := range datasets.Splits {
		var images, captions []object
		for i, ex := range ds.Examples(split) {
			var id any = i
			if split == datasets.Test {
				id = fmt.Sprintf("image-%d", i)
			}
			images = append(images, object{"id": id, "file_name": "part/" + ex.ID + ".png", "width": 64})
			for _, c := range ex.Captions {
				captions = append(captions, object{"id": len(captions), "image_id": id, "caption": c})
			}
			if err := w.image(string(split)+"_images/part", ex.ID); err != nil {
				return err
			}
		}
		content := object{"info": object{"description": "mine"}, "images": images, "annotations": captions}
		if err := w.json("annotations/captions_"+string(split)+".json", content); err != nil {
			return err
		}
	}
	return nil
}

func karpathy(w *writer, _ datasets.Dataset) error {
	var images []object
	err := w.each(func(split datasets.Split, ex datasets.Example) error {
		var sentences []object
		for _, c := range ex.Captions {
			sentences = append(sentences, object{"raw": c, "tokens": strings.Fields(c)})
		}
		name := string(split)
		if split == datasets.Train && len(images)%2 == 1 {
			name = "restval"
		}
		images = append(images, object{"imgid": len(images), "filename": ex.ID + ".png", "split": name,
			"sentences": sentences})
		return w.image("imgs", ex.ID)
	})
	if err != nil {
		return err
	}
	return w.json("dataset.json", object{"dataset": "mine", "images": images})
}

// lines writes a file of JSON rows.
func (w *writer) lines(name string, rows []object) error {
	var out bytes.Buffer
	for _, r := range rows {
		text, err := json.Marshal(r)
		if err != nil {
			return err
		}
		out.Write(append(text, "\r\n"...))
	}
	return w.file(name, append([]byte("\xef\xbb\xbf"), out.Bytes()...))
}

func imageFolder(w *writer, ds datasets.Dataset) error {
	for _, split := range datasets.Splits {
		var rows []object
		for _, ex := range ds.Examples(split) {
			for _, c := range ex.Captions {
				rows = append(rows, object{"file_name": ex.ID + ".png", "text": c})
			}
			if err := w.image(string(split), ex.ID); err != nil {
				return err
			}
		}
		if err := w.lines(string(split)+"/metadata.jsonl", rows); err != nil {
			return err
		}
	}
	return nil
}

// objects lists an object for each example, with all its captions.
func (w *writer) objects() (rows []object, err error) {
	err = w.each(func(split datasets.Split, ex datasets.Example) error {
		rows = append(rows, object{"image": `pics\` + ex.ID + ".png", "caption": ex.Captions, "split": split})
		return w.image("pics", ex.ID)
	})
	return rows, err
}

func lists(w *writer, _ datasets.Dataset) error {
	rows, err := w.objects()
	if err != nil {
		return err
	}
	return w.lines("all.jsonl", rows)
}

func jsonList(w *writer, _ datasets.Dataset) error {
	rows, err := w.objects()
	if err != nil {
		return err
	}
	return w.json("captions.json", rows)
}

// rowOf is the row of a table for a caption.
type rowOf func(ex datasets.Example, caption int, split datasets.Split) []string

// table writes rows of images, captions and splits, and the images.
func (w *writer) table(name, folder string, header []string, row rowOf,
	text func([][]string) ([]byte, error)) error {
	rows := [][]string{header}
	err := w.each(func(split datasets.Split, ex datasets.Example) error {
		for i := range ex.Captions {
			rows = append(rows, row(ex, i, split))
		}
		return w.image(folder, ex.ID)
	})
	if err != nil {
		return err
	}
	data, err := text(rows)
	if err != nil {
		return err
	}
	return w.file(name, data)
}

func quotedText(rows [][]string) ([]byte, error) {
	var out bytes.Buffer
	c := csv.NewWriter(&out)
	c.UseCRLF = true
	err := c.WriteAll(rows)
	return out.Bytes(), err
}

// joined returns lines with a separator.
func joined(separator string) func(rows [][]string) ([]byte, error) {
	return func(rows [][]string) ([]byte, error) {
		var out bytes.Buffer
		for _, r := range rows {
			out.WriteString(strings.Join(r, separator) + "\n")
		}
		return out.Bytes(), nil
	}
}

func splitColumn(w *writer, _ datasets.Dataset) error {
	return w.table("captions.csv", "", []string{"split", "caption", "filename"},
		func(ex datasets.Example, i int, split datasets.Split) []string {
			return []string{strings.ToUpper(string(split)), ex.Captions[i], ex.ID + ".png"}
		}, quotedText)
}

func kaggle(w *writer, _ datasets.Dataset) error {
	return w.table("captions.txt", "Images", []string{"image", "caption"},
		func(ex datasets.Example, i int, _ datasets.Split) []string {
			return []string{ex.ID + ".png", ex.Captions[i]}
		}, quotedText)
}

func tsv(w *writer, _ datasets.Dataset) error {
	return w.table("all.tsv", "a/b", []string{"file_name", "text"},
		func(ex datasets.Example, i int, _ datasets.Split) []string {
			return []string{"b/" + ex.ID + ".png", ex.Captions[i]}
		}, joined("\t"))
}

func bars(w *writer, _ datasets.Dataset) error {
	return w.table("results.csv", "flickr30k_images", []string{"image_name", " comment_number", " comment"},
		func(ex datasets.Example, i int, _ datasets.Split) []string {
			return []string{ex.ID + ".png", fmt.Sprintf(" %d", i), " " + ex.Captions[i]}
		}, joined("|"))
}

func pairs(w *writer, _ datasets.Dataset) error {
	return w.each(func(split datasets.Split, ex datasets.Example) error {
		if err := w.file(string(split)+"/"+ex.ID+".txt", []byte(strings.Join(ex.Captions, "\r\n"))); err != nil {
			return err
		}
		return w.image(string(split), ex.ID)
	})
}

func onePairs(w *writer, _ datasets.Dataset) error {
	return w.each(func(_ datasets.Split, ex datasets.Example) error {
		if err := w.file(ex.ID+".TXT", []byte(strings.Join(ex.Captions, "\n\n"))); err != nil {
			return err
		}
		return w.image("", ex.ID)
	})
}

// shards writes keys that repeat in each archive, with captions as text or JSON.
func shards(w *writer, ds datasets.Dataset) error {
	for _, split := range datasets.Splits {
		var out bytes.Buffer
		t := tar.NewWriter(&out)
		add := func(name string, data []byte) error {
			h := &tar.Header{Name: "./" + name, Mode: 0o644, Size: int64(len(data))}
			if err := t.WriteHeader(h); err != nil {
				return err
			}
			_, err := t.Write(data)
			return err
		}
		for i, ex := range ds.Examples(split) {
			image, err := w.bytes(ex.ID)
			if err != nil {
				return err
			}
			captions, ending := []byte(strings.Join(ex.Captions, "\n")), ".txt"
			if i%2 == 1 {
				ending = ".json"
				if captions, err = json.Marshal(object{"caption": ex.Captions, "key": i}); err != nil {
					return err
				}
			}
			key := fmt.Sprintf("%06d", i)
			if err := add(key+".png", image); err != nil {
				return err
			}
			if err := add(key+ending, captions); err != nil {
				return err
			}
		}
		if err := t.Close(); err != nil {
			return err
		}
		if err := w.file(string(split)+"-000.tar", out.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

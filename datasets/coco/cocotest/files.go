package cocotest

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"captionlab/datasets"
)

// object is a JSON object.
type object = map[string]any

// annotations returns a caption annotation file with all fields of the original. Captions and images are in different
// orders.
func annotations(entries []entry, part, year string) ([]byte, error) {
	images, captions := []object{}, []object{}
	for i, e := range entries {
		if e.part != part {
			continue
		}
		images = append(images, object{"license": 3, "file_name": FileName(part, year, e.id), "coco_url": "",
			"height": 120, "width": 160, "date_captured": "2013-11-14 11:18:45", "flickr_url": "", "id": e.id})
		for j, text := range e.captions {
			captions = append(captions, object{"image_id": e.id, "id": 1000*i + j, "caption": capital(text)})
		}
	}
	slices.SortStableFunc(captions, func(a, b object) int { return a["id"].(int)%7 - b["id"].(int)%7 })
	return json.Marshal(object{
		"info":        object{"description": "drawn images", "year": year, "version": "1.0"},
		"images":      images,
		"licenses":    []object{{"url": "", "id": 3, "name": "none"}},
		"annotations": captions,
	})
}

// capital spells a caption as an annotator would.
func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] + "." }

// karpathy returns a file in the format of dataset_coco.json.
func karpathy(entries []entry, year string) ([]byte, error) {
	images := []object{}
	for i, e := range entries {
		split := string(e.split)
		if e.split == datasets.Train && (i+1 == len(entries) || entries[i+1].split != datasets.Train) {
			split = "restval"
		}
		sentences := []object{}
		for j, text := range e.captions {
			sentences = append(sentences, object{"tokens": strings.Fields(text), "raw": capital(text), "imgid": i,
				"sentid": 5*i + j})
		}
		images = append(images, object{"filepath": e.part + year, "sentids": []int{},
			"filename": FileName(e.part, year, e.id), "imgid": i, "split": split, "sentences": sentences,
			"cocoid": e.id})
	}
	return json.Marshal(object{"images": images, "dataset": "coco"})
}

// list returns the ids of a split in the format of the assignment's lists: one line, with the test split's ids in
// quotes.
func list(entries []entry, split datasets.Split) []byte {
	var out []string
	for _, e := range entries {
		if e.split != split {
			continue
		}
		id := fmt.Sprint(e.id)
		if split == datasets.Test {
			id = `"` + id + `"`
		}
		out = append(out, id)
	}
	return []byte(strings.Join(out, ",") + "\n")
}

// archives packs files like the release: one archive of annotations and one per folder of images.
func archives(files map[string][]byte, year string) (map[string][]byte, error) {
	buffers := make(map[string]*bytes.Buffer)
	writers := make(map[string]*zip.Writer)
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		folder, _, _ := strings.Cut(name, "/")
		archive, method := folder+".zip", zip.Store
		if folder == "annotations" {
			archive, method = "annotations_trainval"+year+".zip", zip.Deflate
		}
		if writers[archive] == nil {
			buffers[archive] = new(bytes.Buffer)
			writers[archive] = zip.NewWriter(buffers[archive])
		}
		w, err := writers[archive].CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			return nil, err
		}
		if _, err := io.Copy(w, bytes.NewReader(files[name])); err != nil {
			return nil, err
		}
	}
	packed := make(map[string][]byte)
	for archive, w := range writers {
		if err := w.Close(); err != nil {
			return nil, err
		}
		packed[archive] = buffers[archive].Bytes()
	}
	return packed, nil
}

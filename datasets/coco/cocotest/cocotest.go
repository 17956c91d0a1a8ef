// Package cocotest makes a small release of COCO's shape out of drawn pictures: the layout, file names, ids and annotation
// fields of the original, so that everything from the annotation files to the scores can be tried without it.
package cocotest

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"captionlab/datasets"
	"captionlab/datasets/shapes"
)

// Options say what release is made. Train, Val and Test are the pictures of the paper's split.
type Options struct {
	Year             string // "2014", also for "", or "2017"
	Train, Val, Test int
	Zips             bool // archives instead of folders
}

// entry is a picture with its place in the release.
type entry struct {
	id       int64
	part     string // train or val
	split    datasets.Split
	captions []string
	jpeg     []byte
}

// Write makes the release in dir, with the paper's split in dir/pa4 and Karpathy's file, which holds the same split, its last
// training picture as restval. Pictures are 160 x 120.
func Write(dir string, o Options) error {
	if o.Year == "" {
		o.Year = "2014"
	}
	drawn, err := shapes.Open(shapes.WithSize(o.Train, o.Val, o.Test), shapes.WithImageSize(120))
	if err != nil {
		return err
	}
	var entries []entry
	for _, split := range datasets.Splits {
		for i, ex := range drawn.Examples(split) {
			e := entry{id: id(split, i), part: "train", split: split, captions: ex.Captions}
			if split == datasets.Test {
				e.part = "val"
			}
			if e.jpeg, err = photograph(drawn, ex.ID); err != nil {
				return err
			}
			entries = append(entries, e)
		}
	}
	files := make(map[string][]byte)
	for _, part := range []string{"train", "val"} {
		annotations, err := annotations(entries, part, o.Year)
		if err != nil {
			return err
		}
		files["annotations/captions_"+part+o.Year+".json"] = annotations
	}
	for _, e := range entries {
		files[e.part+o.Year+"/"+FileName(e.part, o.Year, e.id)] = e.jpeg
	}
	if o.Zips {
		if files, err = archives(files, o.Year); err != nil {
			return err
		}
	}
	for _, split := range datasets.Splits {
		files["pa4/"+string(split)+"_ids.csv"] = list(entries, split)
	}
	if files["dataset_coco.json"], err = karpathy(entries, o.Year); err != nil {
		return err
	}
	for name, data := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// id spreads ids over the release's range, as COCO's are, without order.
func id(split datasets.Split, i int) int64 {
	n := int64(i)*3 + int64(slices.Index(datasets.Splits, split))
	return (n*7919+9)%581_929 + 1
}

// FileName is how the release calls a picture.
func FileName(part, year string, id int64) string {
	if year == "2017" {
		return fmt.Sprintf("%012d.jpg", id)
	}
	return fmt.Sprintf("COCO_%s%s_%012d.jpg", part, year, id)
}

// photograph puts a drawn picture into a wider frame and compresses it.
func photograph(drawn *shapes.Dataset, id string) ([]byte, error) {
	f, err := drawn.OpenImage(id)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	src, err := png.Decode(f)
	if err != nil {
		return nil, err
	}
	wide := image.NewRGBA(image.Rect(0, 0, 160, 120))
	draw.Draw(wide, wide.Bounds(), image.NewUniform(color.Gray{200}), image.Point{}, draw.Src)
	draw.Draw(wide, src.Bounds().Add(image.Pt(20, 0)), src, image.Point{}, draw.Src)
	var out bytes.Buffer
	err = jpeg.Encode(&out, wide, &jpeg.Options{Quality: 90})
	return out.Bytes(), err
}

// annotations is a caption annotation file with all the fields of the original; captions stand in another order than images.
func annotations(entries []entry, part, year string) ([]byte, error) {
	type m = map[string]any
	images, captions := []m{}, []m{}
	for i, e := range entries {
		if e.part != part {
			continue
		}
		images = append(images, m{"license": 3, "file_name": FileName(part, year, e.id), "coco_url": "", "height": 120, "width": 160,
			"date_captured": "2013-11-14 11:18:45", "flickr_url": "", "id": e.id})
		for j, text := range e.captions {
			captions = append(captions, m{"image_id": e.id, "id": 1000*i + j, "caption": capital(text)})
		}
	}
	slices.SortStableFunc(captions, func(a, b m) int { return a["id"].(int)%7 - b["id"].(int)%7 })
	return json.Marshal(m{"info": m{"description": "drawn pictures", "year": year, "version": "1.0"}, "images": images,
		"licenses": []m{{"url": "", "id": 3, "name": "none"}}, "annotations": captions})
}

// capital writes a caption as annotators did.
func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] + "." }

func karpathy(entries []entry, year string) ([]byte, error) {
	type m = map[string]any
	images := []m{}
	for i, e := range entries {
		split := string(e.split)
		if e.split == datasets.Train && (i+1 == len(entries) || entries[i+1].split != datasets.Train) {
			split = "restval"
		}
		sentences := []m{}
		for j, text := range e.captions {
			sentences = append(sentences, m{"tokens": strings.Fields(text), "raw": capital(text), "imgid": i, "sentid": 5*i + j})
		}
		images = append(images, m{"filepath": e.part + year, "sentids": []int{}, "filename": FileName(e.part, year, e.id), "imgid": i,
			"split": split, "sentences": sentences, "cocoid": e.id})
	}
	return json.Marshal(m{"images": images, "dataset": "coco"})
}

// list writes the ids of a split as the assignment's lists are: one line, those of the test split in quotes.
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

// archives packs files as the release is packed.
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

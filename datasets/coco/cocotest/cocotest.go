// Package cocotest writes a small release in COCO's format with drawn images. Layout, file names, ids and annotation
// fields are those of the original, so everything from the annotation files to the scores can be tested without it.
package cocotest

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"

	"captionlab/datasets"
	"captionlab/datasets/shapes"
)

// Options describe the release. Train, Val and Test are the numbers of images in the paper's split.
type Options struct {
	Year             string // "2014" (also for "") or "2017"
	Train, Val, Test int
	Zips             bool // archives instead of folders
}

// entry is an image of the release.
type entry struct {
	id       int64
	part     string // train or val
	split    datasets.Split
	captions []string
	jpeg     []byte
}

// Write writes the release to dir, with the paper's split in dir/pa4 and Karpathy's file. Karpathy's file holds the
// same split, with the last training image in restval. Images are 160 x 120.
func Write(dir string, o Options) error {
	if o.Year == "" {
		o.Year = "2014"
	}
	entries, err := drawEntries(o)
	if err != nil {
		return err
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

// drawEntries draws the images of the release.
func drawEntries(o Options) ([]entry, error) {
	drawn, err := shapes.Open(shapes.WithSize(o.Train, o.Val, o.Test), shapes.WithImageSize(120))
	if err != nil {
		return nil, err
	}
	var entries []entry
	for _, split := range datasets.Splits {
		for i, ex := range drawn.Examples(split) {
			e := entry{id: id(split, i), part: "train", split: split, captions: ex.Captions}
			if split == datasets.Test {
				e.part = "val"
			}
			if e.jpeg, err = wideJPEG(drawn, ex.ID); err != nil {
				return nil, err
			}
			entries = append(entries, e)
		}
	}
	return entries, nil
}

// id spreads ids over the release's range without order, like COCO's.
func id(split datasets.Split, i int) int64 {
	n := int64(i)*3 + int64(slices.Index(datasets.Splits, split))
	return (n*7919+9)%581_929 + 1
}

// FileName returns the release's file name of an image.
func FileName(part, year string, id int64) string {
	if year == "2017" {
		return fmt.Sprintf("%012d.jpg", id)
	}
	return fmt.Sprintf("COCO_%s%s_%012d.jpg", part, year, id)
}

// wideJPEG puts a drawn image into a wider frame and encodes it as JPEG.
func wideJPEG(drawn *shapes.Dataset, id string) ([]byte, error) {
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

package coco

import (
	"bytes"
	"strings"
	"testing"

	"captionlab/datasets"
	"captionlab/datasets/internal/annotations"
)

// FuzzCOCO reads annotation files. What is accepted has images with names that lead to no other folder.
func FuzzCOCO(f *testing.F) {
	for _, seed := range []string{
		`{"info":{"description":"COCO 2014 Dataset"},"images":[{"id":1,"file_name":"a.jpg"}],` +
			`"annotations":[{"image_id":1.0,"id":2,"caption":"A dog."}]}`,
		`{"images":[],"annotations":[],"x":[NaN,{"y":[1,"\\"]}],"z":{"a":{}}}`,
		"\xef\xbb\xbf{\"images\":[{\"id\":1e3}]", "\xff\xfe{\x00", `[{}]`, `{"annotations":null}`, `{"images":[`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &release{images: make(map[int64]string), captions: make(map[int64][]string)}
		if err := r.readFrom("file", bytes.NewReader(data)); err != nil {
			if !strings.HasPrefix(err.Error(), "coco: file: ") {
				t.Errorf("error %v", err)
			}
			return
		}
		for id, name := range r.images {
			if name == "" || strings.ContainsAny(name, `/\`) {
				t.Errorf("image %d has the name %q", id, name)
			}
		}
		for id, captions := range r.captions {
			for _, c := range captions {
				if strings.TrimSpace(c) == "" {
					t.Errorf("image %d has an empty caption", id)
				}
			}
		}
	})
}

// FuzzKarpathy reads split files. What is accepted lists every image once and has ids for all captions.
func FuzzKarpathy(f *testing.F) {
	for _, seed := range []string{
		`{"images":[{"cocoid":1,"split":"train","sentences":[{"raw":"A dog."}]},` +
			`{"filename":"COCO_val2014_000000000042.jpg","split":"val","sentences":[]},` +
			`{"cocoid":3.0,"split":"test"},{"cocoid":3,"split":"restval"}],"dataset":"coco"}`,
		`{"images":[{"split":"val","imgid":7}]}`, `{"dataset":"coco"}`, `{"images":{}}`,
		`{"images":[{"cocoid":"1"}]}`, `{`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		w := &wanted{name: "own", ids: make(map[datasets.Split][]int64)}
		err := w.readKarpathyFrom(&annotations.File{Name: "file", In: bytes.NewReader(data)})
		if err != nil || w.removeDoubles("file") != nil {
			return
		}
		seen := make(map[int64]bool)
		for _, ids := range w.ids {
			for _, id := range ids {
				if seen[id] {
					t.Errorf("image %d is listed twice", id)
				}
				seen[id] = true
			}
		}
		for id, captions := range w.captions {
			if !seen[id] || len(captions) == 0 {
				t.Errorf("%d captions of image %d, listed: %v", len(captions), id, seen[id])
			}
		}
	})
}

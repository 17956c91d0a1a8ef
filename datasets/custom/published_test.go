package custom_test

import (
	"strings"
	"testing"

	"captionlab/datasets"
	"captionlab/datasets/custom"
)

// Folders as they are published, in miniature.
func TestPublishedFolders(t *testing.T) {
	coco := func(part string, captions bool) string {
		text := `{"info":{},"images":[{"file_name":"` + part + `_1.jpg","id":1},{"file_name":"` + part +
			`_2.jpg","id":2}]`
		if captions {
			text += `,"annotations":[{"caption":"one","image_id":1},{"caption":"two","image_id":2}]`
		}
		return text + "}"
	}
	bars := "image_name| comment_number| comment\n1.jpg| 0| one\n2.jpg| 0| two\n3.jpg| 0| three\n"
	for _, c := range []struct {
		name   string
		files  string // images and empty files, separated by spaces
		texts  map[string]string
		layout custom.Layout
		counts [3]int
		note   string // in the oddities
	}{
		{"VizWiz, with secret test captions",
			"train/train_1.jpg train/train_2.jpg val/val_1.jpg val/val_2.jpg test/test_1.jpg " +
				"test/test_2.jpg", map[string]string{"annotations/train.json": coco("train", true),
				"annotations/val.json": coco("val", true), "annotations/test.json": coco("test", false)},
			custom.COCO, [3]int{1, 2, 1}, "images without a caption, skipped: 2 (annotations/test.json:1"},
		{"nocaps, for evaluation only", "images/val_1.jpg images/val_2.jpg",
			map[string]string{"nocaps_val_4500_captions.json": coco("val", true)}, custom.COCO, [3]int{0, 2, 0}, ""},
		{"COCO with instances", "train2017/train_1.jpg train2017/train_2.jpg", map[string]string{
			"annotations/captions_train2017.json": coco("train", true),
			"annotations/instances_train2017.json": `{"images":[{"id":1,"file_name":"train_1.jpg"}],` +
				`"annotations":[{"image_id":1,"category_id":3}]}`}, custom.COCO, [3]int{1, 0, 1}, ""},
		{"Flickr30k of Kaggle", "flickr30k_images/flickr30k_images/1.jpg flickr30k_images/flickr30k_images/2.jpg " +
			"flickr30k_images/flickr30k_images/3.jpg", map[string]string{"flickr30k_images/results.csv": bars},
			custom.Rows,
			[3]int{1, 1, 1}, "drawn with shares 0.8,0.1,0.1 and seed 1"},
		{"Flickr30k with Karpathy's splits", "images/1.jpg images/2.jpg images/3.jpg",
			map[string]string{"results.csv": bars,
				"dataset_flickr30k.json": `{"images":[{"filename":"1.jpg","split":"val","sentences":[{"raw":"one"}]},` +
					`{"filename":"2.jpg","split":"train","sentences":[{"raw":"two"}]},` +
					`{"filename":"3.jpg","split":"test","sentences":[{"raw":"three"}]}]}`},
			custom.Karpathy, [3]int{1, 1, 1},
			"not used: results.csv"},
		{"text files next to a list and a note", "1.jpg 2.jpg", map[string]string{"1.txt": "one", "2.txt": "two\n",
			"tags.json": `["a","b"]`, "README.txt": "hello", "log.jsonl": "{\"step\":1}\n"}, custom.Pairs,
			[3]int{1, 0, 1}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := c.texts
			for _, name := range strings.Fields(c.files) {
				files[name] = name
			}
			ds := open(t, write(t, files), custom.Options{})
			for i, split := range datasets.Splits {
				if got := len(ds.Examples(split)); got != c.counts[i] {
					t.Errorf("%d %s images, want %d", got, split, c.counts[i])
				}
			}
			if notes := strings.Join(ds.Oddities(), "\n"); ds.Layout() != c.layout || !strings.Contains(notes, c.note) {
				t.Errorf("layout %s, oddities %s; want %s and %q", ds.Layout(), notes, c.layout, c.note)
			}
		})
	}
}

package coco_test

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"captionlab/datasets"
	"captionlab/datasets/coco"
	"captionlab/datasets/coco/cocotest"
)

const (
	original = "COCO 2014 Dataset"
	karpathy = "dataset_coco.json"
)

// Only files of the original release can be downloaded again. Whatever else is wrong has to be corrected.
func TestAdvice(t *testing.T) {
	const info = `{"info":{"description":"` + original + `"},`
	asOriginal := replace(trainAnnotations, `{"annotations":`, info+`"annotations":`)
	both := func(spoilers ...spoiler) spoiler {
		return func(t *testing.T, dir string) {
			for _, spoil := range spoilers {
				spoil(t, dir)
			}
		}
	}
	const utf16, correct = "UTF-16: save it as UTF-8", "; correct the file"
	const download, again = "download the file again", "write or copy the file again as a whole"
	badID := replace(trainAnnotations, `"image_id":`, `"image_id":"000123","other":`)
	for _, c := range []struct {
		name, split string
		spoil       spoiler
		want, not   string
	}{
		{"own annotations cut", "", truncate(trainAnnotations), again, "download"},
		{"original annotations cut", "", both(asOriginal, truncate(trainAnnotations)), download, "correct"},
		{"own annotations wrong", "", badID, `entry 0 of "annotations": the value at /image_id: the image id ` +
			`"000123" ` + "is a string: write it as a number, without quotes; correct the file", "again"},
		{"original annotations wrong", "", both(asOriginal, badID), "correct the file", "again"},
		{"own list", "", overwrite("pa4/val_ids.csv", "1,two\n"), "correct the file", "again"},
		{"own split", "OWN", truncate(karpathy), again, "download"},
		{"Karpathy's split", coco.Karpathy, truncate(karpathy), download, "correct"},
		{"a list in UTF-16", "", overwrite("pa4/val_ids.csv", "\xff\xfe1\x00,\x00"), utf16, "again"},
		{"annotations in UTF-16", "", overwrite(trainAnnotations, "\xff\xfe{\x00"), utf16, "again"},
		{"no id", "", replace(trainAnnotations, `"image_id":`, `"imageid":`), "no image_id" + correct, "again"},
		{"no caption", "", replace(trainAnnotations, `"caption":`, `"text":`), "or null" + correct, "again"},
		{"two objects", "", replace(trainAnnotations, `{"annotations":`, `{}{"annotations":`), "follows", "again"},
		{"neither id nor number", coco.Karpathy,
			both(replace(karpathy, `"cocoid":`, `"id":`), replace(karpathy, `.jpg"`, `a.jpg"`)),
			`entry 0 of "images": it has no cocoid, and its filename "COCO`, "again"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := write(t, cocotest.Options{Train: 6, Val: 2, Test: 2})
			c.spoil(t, dir)
			if c.split == "OWN" {
				c.split = filepath.Join(dir, karpathy)
			}
			_, err := coco.Open(dir, c.split)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), c.not) {
				t.Errorf("error %v, want one with %q, without %q", err, c.want, c.not)
			}
		})
	}
}

// Unusual but unambiguous files give the same examples as the usual ones.
func TestOtherSpellings(t *testing.T) {
	for _, c := range []struct {
		name, split string
		change      spoiler
	}{
		{"ids as floats", "", replace(trainAnnotations, `"license":3`, `"license":3.0`)},
		{"NaN and a byte order mark", "",
			replace(trainAnnotations, `{"annotations":`, "\xef\xbb\xbf"+`{"x":[NaN],"annotations":`)},
		{"a doubled folder", "", func(t *testing.T, dir string) {
			inner := filepath.Join(dir, "annotations", "annotations")
			err := os.Mkdir(inner, 0o755)
			for _, name := range []string{"captions_train2014.json", "captions_val2014.json"} {
				if err == nil {
					err = os.Rename(filepath.Join(dir, "annotations", name), filepath.Join(inner, name))
				}
			}
			if err != nil {
				t.Fatal(err)
			}
		}},
		{"a list with a byte order mark and floats", "", func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, "pa4", "train_ids.csv"), ",", ".0,")
			data, err := os.ReadFile(filepath.Join(dir, "pa4", "train_ids.csv"))
			if err != nil {
				t.Fatal(err)
			}
			overwrite("pa4/train_ids.csv", "\xef\xbb\xbf"+string(data))(t, dir)
		}},
		{"Karpathy's file without cocoid", coco.Karpathy, replace(karpathy, `"cocoid":`, `"id":`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := write(t, cocotest.Options{Train: 6, Val: 2, Test: 2})
			usual := opened(t, dir, c.split)
			c.change(t, dir)
			if c.name == "ids as floats" {
				for _, ex := range usual.Examples(datasets.Train) {
					edit(t, filepath.Join(dir, trainAnnotations), `id":`+ex.ID+`}`, `id":`+ex.ID+`.0}`)
				}
			}
			got := opened(t, dir, c.split)
			for _, split := range datasets.Splits {
				if !reflect.DeepEqual(got.Examples(split), usual.Examples(split)) {
					t.Errorf("%s: %v, want %v", split, got.Examples(split), usual.Examples(split))
				}
			}
		})
	}
}

func TestFileID(t *testing.T) {
	for name, want := range map[string]int64{
		"COCO_val2014_000000000042.jpg": 42, "000000000042.jpg": 42, "dir_7/x-0.png": 0, "12": 12,
		"holiday.jpg": -1, "1000268201_693b08cb0e.jpg": -1, "1007129816_e794419615.jpg": -1, "": -1, "a_.jpg": -1,
		"99999999999999999999.jpg": -1, "-.jpg": -1,
	} {
		id, ok := coco.FileID(name)
		if !ok {
			id = -1
		}
		if id != want {
			t.Errorf("%q: %d, want %d", name, id, want)
		}
	}
}

// TestBombs replaces the annotations in the archive by a member that unpacks to gigabytes.
func TestBombs(t *testing.T) {
	for _, c := range []struct {
		name, start, more string
		bytes             uint64 // claimed
		want              string
	}{
		{"honest", `{"images":[`, "1,", 3 << 30, "more than the limit of 2147483648"},
		{"a long caption", `{"annotations":[{"image_id":1,"caption":"`, "x", 0, "has more than 64 MiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := write(t, cocotest.Options{Train: 6, Val: 2, Test: 2, Zips: true})
			if err := bomb(filepath.Join(dir, "annotations_trainval2014.zip"), c.start, c.more, c.bytes); err != nil {
				t.Fatal(err)
			}
			_, err := coco.Open(dir, "")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// bomb writes an archive with a member of 80 MB that claims to have a number of bytes, or the true one for 0.
func bomb(file, start, more string, claimed uint64) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	z := zip.NewWriter(f)
	header := &zip.FileHeader{Name: "annotations/captions_train2014.json", Method: zip.Deflate}
	if claimed > 0 {
		header.CompressedSize64, header.UncompressedSize64 = claimed/900, claimed
		w, err := z.CreateRaw(header)
		if err != nil {
			return err
		}
		for n := uint64(0); n < claimed/900; n += 1 << 16 {
			w.Write(make([]byte, min(1<<16, claimed/900-n)))
		}
		return z.Close()
	}
	w, err := z.CreateHeader(header)
	if err != nil {
		return err
	}
	fmt.Fprint(w, start)
	for range 80 {
		if _, err := io.WriteString(w, strings.Repeat(more, 1<<20)); err != nil {
			return err
		}
	}
	return z.Close()
}

package flickr8k

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"captionlab/datasets"
	"captionlab/datasets/internal/images"
)

const trainList = "Flickr8k_text/Flickr_8k.trainImages.txt"

// Text files as other programs save them give the same examples.
func TestOtherTextFiles(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(t *testing.T, dir string)
	}{
		{"byte order marks", func(t *testing.T, dir string) {
			for _, name := range []string{"Flickr8k_text/" + tokenFile, trainList} {
				text, err := os.ReadFile(filepath.Join(dir, name))
				if err != nil {
					t.Fatal(err)
				}
				write(t, dir, name, "\ufeff"+string(text))
			}
		}},
		{"line ends", func(t *testing.T, dir string) { write(t, dir, trainList, "a.jpg\r\n\r\nb.jpg") }},
		{"a doubled folder", func(t *testing.T, dir string) {
			old, moved := filepath.Join(dir, "Flickr8k_text"), filepath.Join(dir, "moved")
			for _, step := range []func() error{
				func() error { return os.Rename(old, moved) },
				func() error { return os.Mkdir(old, 0o755) },
				func() error { return os.Rename(moved, filepath.Join(old, "Flickr8k_text")) },
			} {
				if err := step(); err != nil {
					t.Fatal(err)
				}
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := release(t)
			want := opened(t, dir).examples
			c.change(t, dir)
			if got := opened(t, dir).examples; !reflect.DeepEqual(got, want) {
				t.Errorf("examples %v, want %v", got, want)
			}
		})
	}
}

// Whose files these are is not known: nobody is told to copy them again.
func TestBadTextFiles(t *testing.T) {
	const tokens = "Flickr8k_text/" + tokenFile
	for _, c := range []struct{ name, file, content, want string }{
		{"captions in UTF-16", tokens, "\xff\xfea\x00", "token.txt is encoded in UTF-16: save it as UTF-8"},
		{"a list in UTF-16", trainList, "a\x00.\x00", "trainImages.txt is encoded in UTF-16: save it as UTF-8"},
		{"captions in Latin-1", tokens, "a.jpg#0\tcaf\xe9\n", "is not UTF-8; fix the line"},
		{"a list in Latin-1", trainList, "caf\xe9.jpg\n", `trainImages.txt:1: image "caf\xe9.jpg" has no caption`},
		{"a long line", tokens, "a.jpg#0\t" + strings.Repeat("x", maxLine), "token.txt:1: it has 1048584 bytes"},
		{"a defective line", tokens, "a.jpg#0\tA dog\na.jpg\tA dog\n", "; fix the line"},
		{"no captions", tokens, "", "contains no captions; complete the file"},
		{"an image without a file", trainList, "gone.jpg.1\n", "add the image, or take it off the list"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := release(t)
			write(t, dir, c.file, c.content)
			_, err := Open(dir)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "again") ||
				len(err.Error()) > 1000 {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// everyImage is a source that has every image.
type everyImage struct{ images.Source }

func (everyImage) Has(string) bool            { return true }
func (everyImage) Names() []string            { return nil }
func (everyImage) Unlisted([]string) []string { return nil }
func (everyImage) Place() string              { return "everywhere" }

// FuzzFlickr8kText reads captions and lists. What is accepted has examples with captions in every split, and none
// twice.
func FuzzFlickr8kText(f *testing.F) {
	f.Add("a.jpg#0\tA dog.\na.jpg#1\tTwo.\nb#0\tx\nc#0\ty\n", "a.jpg\n", "b\r\n", "c")
	f.Add("\ufeffa#0\tb\n\n", "a", "a", "a")
	f.Add("a\x00#\x000", "\xff\xfe", "", "")
	f.Add("#0\t\na#-1\tb\na#99999999999999999999\tb\n", "", "", "")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, tokens, train, val, test string) {
		for name, text := range map[string]string{tokenFile: tokens, splitFiles[datasets.Train]: train,
			splitFiles[datasets.Val]: val, splitFiles[datasets.Test]: test} {
			write(t, dir, name, text)
		}
		captions, order, err := readCaptions(filepath.Join(dir, tokenFile))
		if err != nil {
			return
		}
		ds := &Dataset{examples: make(map[datasets.Split][]datasets.Example), images: everyImage{}}
		if ds.readSplits(dir, captions) != nil {
			return
		}
		ds.noteOddities(captions, order)
		seen := make(map[string]bool)
		for _, split := range datasets.Splits {
			for _, ex := range ds.Examples(split) {
				if seen[ex.ID] || len(ex.Captions) == 0 || len(captions) != len(order) {
					t.Errorf("example %+v, seen before: %v; %d images in order", ex, seen[ex.ID], len(order))
				}
				seen[ex.ID] = true
			}
			if len(ds.Examples(split)) == 0 {
				t.Errorf("the %s split is empty", split)
			}
		}
	})
}

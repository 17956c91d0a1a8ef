package custom_test

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"captionlab/datasets"
	"captionlab/datasets/custom"
)

// kinds counts the problems by kind.
func kinds(problems []custom.Problem) map[string]int {
	out := make(map[string]int)
	for _, p := range problems {
		out[p.Kind]++
	}
	return out
}

func TestBadRowsAreListed(t *testing.T) {
	for _, c := range []struct {
		name, file, text, kind, want string // want is in the problem
	}{
		{"too few columns", "c.csv", "image,caption\na.jpg,one\na.jpg\n", custom.BadRow, "c.csv:3: it has 1 columns"},
		{"an unquoted comma", "c.csv", "image,caption\na.jpg,one\na.jpg,two, three\n", custom.BadRow,
			"quotes around a caption that contains a comma"},
		{"an open quote", "c.csv", "image,caption\na.jpg,\"one\na.jpg,two\nb.jpg,three\n", custom.BadRow,
			"c.csv:2: a quote in it is not closed"},
		{"Flickr30k's missing bar", "results.csv",
			"image_name| comment_number| comment\na.jpg| 0| one\na.jpg| 4   two\n",
			custom.BadRow, "results.csv:3: it has 2 columns, the header 3"},
		{"no UTF-8", "c.csv", "image,caption\na.jpg,one\na.jpg,caf\xe9\n", custom.BadRow,
			"not UTF-8: save the file as UTF-8"},
		{"an empty caption", "c.csv", "image,caption\na.jpg,one\na.jpg,\" \"\n", custom.EmptyCaption, "c.csv:3"},
		{"a path upwards", "c.csv", "image,caption\na.jpg,one\n../secret.jpg,two\n", custom.Outside, `"../secret.jpg"`},
		{"an absolute path", "c.csv", "image,caption\na.jpg,one\n/etc/a.jpg,two\n", custom.Outside,
			"path below the folder"},
		{"a drive", "c.csv", "image,caption\na.jpg,one\nC:\\a.jpg,two\n", custom.Outside, "path below the folder"},
		{"a missing image", "c.csv", "image,caption\na.jpg,one\nx.jpg,two\nx.jpg,three\n", custom.NoFile,
			`c.csv:3: image "x.jpg"`},
		{"an address", "c.csv", "image,caption\na.jpg,one\nhttp://x/y.jpg,two\n", custom.NoFile, "download the image"},
		{"an unknown split", "c.csv", "image,caption,split\na.jpg,one,train\nb.jpg,two,middle\n", custom.UnknownSplit,
			"middle"},
		{"two splits", "c.csv", "image,caption,split\na.jpg,one,train\na.jpg,two,val\n", custom.TwoSplits,
			"it is in val here and in train before"},
		{"no split", "c.csv", "image,caption,split\na.jpg,one,train\nb.jpg,two,\n", custom.NoSplit,
			`c.csv:3: image "b.jpg"`},
		{"an image without captions", "c.csv", "image,caption\na.jpg,one\n", custom.NoCaption, `image "b.jpg"`},
		{"no JSON", "c.jsonl", "{\"image\":\"a.jpg\",\"caption\":\"one\"}\n{\"image\"\n", custom.BadRow,
			"c.jsonl:2: unexpected end"},
		{"no caption", "c.jsonl", "{\"image\":\"a.jpg\",\"caption\":\"one\"}\n{\"image\":\"b.jpg\"}\n", custom.BadRow,
			"members file_name and text"},
		{"a number", "c.jsonl", "{\"image\":\"a.jpg\",\"caption\":\"one\"}\n{\"image\":\"b.jpg\",\"caption\":1}\n",
			custom.BadRow, "neither a string nor a list"},
		{"COCO without an id", "c.json",
			"{\"images\":[{\"id\":1,\"file_name\":\"a.jpg\"},\n{\"file_name\":\"b.jpg\"}],\n" +
				"\"annotations\":[{\"image_id\":1,\"caption\":\"one\"}]}", custom.BadRow,
			"c.json:2: image \"b.jpg\": it has no id"},
		{"COCO, an unknown image", "c.json", "{\"images\":[{\"id\":1,\"file_name\":\"a.jpg\"}],\n\"annotations\":[\n" +
			"{\"image_id\":1.0,\"caption\":\"one\"},\n{\"image_id\":2,\"caption\":\"two\"}]}", custom.NoImage,
			"c.json:4: image_id \"2\""},
		{"Karpathy's split", "dataset.json", "{\"images\":[{\"filename\":\"a.jpg\",\"split\":\"train\",\"sentences\":" +
			"[{\"raw\":\"one\"}]},\n{\"filename\":\"b.jpg\",\"split\":\"best\",\"sentences\":[]}]}",
			custom.UnknownSplit,
			"its split is \"best\""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := write(t, map[string]string{"a.jpg": "a", "b.jpg": "b", "../secret.jpg": "c", c.file: c.text})
			ds := open(t, dir, custom.Options{})
			if f, err := ds.OpenImage(ds.Examples(datasets.Train)[0].ID); err != nil {
				t.Error(err)
			} else {
				f.Close()
			}
			var all []string
			for _, p := range ds.Problems() {
				if p.Kind == c.kind {
					all = append(all, p.String())
				}
			}
			if !strings.Contains(strings.Join(all, "\n"), c.want) {
				t.Errorf("problems %q, want %q: %v", all, c.want, ds.Problems())
			}
			if !strings.Contains(strings.Join(ds.Oddities(), "\n"), c.kind+": ") {
				t.Errorf("oddities %q do not count %q", ds.Oddities(), c.kind)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	utf := func(text string) string {
		out := "\xff\xfe"
		for _, u := range utf16.Encode([]rune(text)) {
			out += string([]byte{byte(u), byte(u >> 8)})
		}
		return out
	}
	for _, c := range []struct {
		name, file, text, want string
	}{
		{"UTF-16", "captions.csv", utf("image,caption\na.jpg,one\n"),
			"captions.csv is encoded in UTF-16: save it as UTF-8"},
		{"UTF-16 JSON", "captions.json", utf(`[{"image":"a.jpg","caption":"one"}]`), "UTF-16"},
		{"truncated JSON", "captions.json", "{\"images\":[],\n\"annotations\":[", "captions.json:2: "},
		{"no image", "captions.csv", "image,caption\nx.jpg,one\n", `captions.csv:2: image "x.jpg"`},
		{"a tar cut short", "data.tar", "\x00\x01" + strings.Repeat("x", 600), "not a complete tar archive"},
		{"a compressed tar", "data.tar", "\x1f\x8b\x00\x00", "gunzip"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := custom.Open(write(t, map[string]string{"a.jpg": "a", c.file: c.text}), custom.Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "own-photos: ") {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	for name, want := range map[string]string{"nosuch": "no such file", "empty": "holds no images",
		"zipped":   "unpack it first",
		"notes.md": "file_name"} {
		dir := write(t, map[string]string{"zipped/images.zip": "", "notes.md": "hello", "empty/.hidden": ""})
		if _, err := custom.Open(filepath.Join(dir, name), custom.Options{}); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", name, err, want)
		}
	}
}

func TestLinksOutAreNotFollowed(t *testing.T) {
	dir := write(t, map[string]string{"a.jpg": "a", "c.csv": "image,caption\na.jpg,one\nout.jpg,two\nin.jpg,three\n",
		"../secret.jpg": "secret"})
	for link, to := range map[string]string{"out.jpg": "../secret.jpg", "in.jpg": "a.jpg"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	ds := open(t, dir, custom.Options{})
	if got := kinds(ds.Problems()); got[custom.Outside] != 1 || len(got) != 1 {
		t.Errorf("problems %v", ds.Problems())
	}
	if _, err := ds.OpenImage("out.jpg"); err == nil {
		t.Error("opened a link that leads out of the folder")
	}
	if f, err := ds.OpenImage("in.jpg"); err != nil {
		t.Error(err)
	} else {
		f.Close()
	}
	// A link that is put in place of an image later is not followed either.
	if err := os.Remove(filepath.Join(dir, "a.jpg")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../secret.jpg", filepath.Join(dir, "a.jpg")); err != nil {
		t.Fatal(err)
	}
	if _, err := ds.OpenImage("a.jpg"); err == nil {
		t.Error("opened a link that leads out of the folder")
	}
}

// An image that is missing in one split's folder is not taken from another's.
func TestSameNamesInTwoFolders(t *testing.T) {
	row := func(name string) string { return `{"file_name":"` + name + `","text":"a dog"}` + "\n" }
	ds := open(t, write(t, map[string]string{
		"train/1.jpg": "1", "val/1.jpg": "2", "val/2.jpg": "3", "test/4.jpg": "4",
		"train/metadata.jsonl": row("1.jpg") + row("2.jpg"), "val/metadata.jsonl": row("1.jpg") + row("2.jpg"),
		"test/metadata.jsonl": row("4.jpg"),
	}), custom.Options{})
	if n := len(ds.Examples(datasets.Train)); n != 1 || ds.Examples(datasets.Train)[0].ID != "train/1.jpg" {
		t.Errorf("%d training images: %v", n, ds.Examples(datasets.Train))
	}
	if got := kinds(ds.Problems()); got[custom.NoFile] != 1 || len(got) != 1 {
		t.Errorf("problems %v", ds.Problems())
	}
}

func TestTwoSamplesOfOneName(t *testing.T) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for range 2 {
		if err := w.WriteHeader(&tar.Header{Name: "0.jpg", Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	_, err := custom.Open(write(t, map[string]string{"a.tar": out.String()}), custom.Options{})
	if err == nil || !strings.Contains(err.Error(), `holds "0.jpg" twice`) {
		t.Errorf("error %v", err)
	}
}

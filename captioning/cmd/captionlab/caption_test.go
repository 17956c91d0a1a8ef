package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// captionFiles captions a JPEG, a PNG and a WebP with the run in dir, together with a missing, a cut and a text file.
func captionFiles(t *testing.T, dir string) {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 300, 200))
	for i := range 300 * 200 {
		img.Set(i%300, i/300, color.RGBA{uint8(i), 120, uint8(i / 300), 255})
	}
	var asJPEG, asPNG bytes.Buffer
	if err := errors.Join(jpeg.Encode(&asJPEG, img, nil), png.Encode(&asPNG, img)); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"a.jpg": asJPEG.Bytes(), "b.png": asPNG.Bytes(), "c.webp": tinyWebP, "d.jpg": []byte("text"),
		"e.jpg": asJPEG.Bytes()[:700],
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	code, out, errs := call(t,
		program(dir, "caption", "run", "a.jpg", "b.png", "c.webp", "d.jpg", "e.jpg", "missing.jpg", "--coco"))
	var rows []struct {
		ID      string `json:"image_id"`
		Caption string
	}
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	if code != 1 || len(rows) != 3 {
		t.Errorf("exit %d, captions %+v; want 1 because of the bad files, and 3", code, rows)
	}
	for i, name := range []string{"a.jpg", "b.png", "c.webp"} {
		if i < len(rows) && (rows[i].ID != name || rows[i].Caption == "") {
			t.Errorf("caption %d is %+v, want one for %s", i, rows[i], name)
		}
	}
	for _, name := range []string{"d.jpg", "e.jpg", "missing.jpg"} {
		if !strings.Contains(errs, name) {
			t.Errorf("standard error %q does not name %s", errs, name)
		}
	}
	code, out, errs = call(t, program(dir, "caption", "run", "a.jpg", "c.webp", "--max-pixels", "5000"))
	if code != 1 || strings.Count(out, "\n") != 1 || !strings.Contains(errs, "a.jpg: the image has 300 x 200 pixels") {
		t.Errorf("a limit of 5,000 pixels: exit %d, %s%s", code, out, errs)
	}
	captionFolder(t, dir)
	captionWithIDs(t, dir)
}

func TestWrongMaxPixels(t *testing.T) {
	for _, command := range [][]string{{"caption", "run", "a.jpg"}, {"features"}} {
		code, _, errs := call(t, program(t.TempDir(), append(command, "--max-pixels", "0")...))
		if code != 2 || !strings.Contains(errs, "--max-pixels is 0, must be at least 1") {
			t.Errorf("%s: exit %d, %s", command[0], code, errs)
		}
	}
}

// captionFolder captions the folder itself: images, text, checkpoints, hidden files, a pipe, and links to an image, to
// nothing and to the folder.
func captionFolder(t *testing.T, dir string) {
	t.Helper()
	var rows []struct {
		ID string `json:"image_id"`
	}
	for link, target := range map[string]string{"linked.jpg": "a.jpg", "nowhere.jpg": "nothing", "loop": "."} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, ".hidden.jpg"), []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.jpg"), 0o600); err != nil { // nobody ever writes into it
		t.Fatal(err)
	}
	code, out, errs := call(t, program(dir, "caption", "run", ".", "--coco"))
	if err := json.Unmarshal([]byte(out), &rows); err != nil || code != 1 || len(rows) != 4 ||
		rows[3].ID != "linked.jpg" {
		t.Errorf("a folder: exit %d, %v, captions %+v", code, err, rows)
	}
	for _, want := range []string{
		"files have no caption", "d.jpg", "nowhere.jpg", filepath.Join("run", "run.json"),
		"pipe.jpg is not a regular file",
	} {
		if !strings.Contains(errs, want) {
			t.Errorf("standard error %q does not say %s", errs, want)
		}
	}
	if strings.Contains(errs, ".hidden") {
		t.Error("a hidden file was captioned")
	}
	alias := filepath.Join(t.TempDir(), "alias") // a link to the folder, as an argument
	if err := os.Symlink(dir, alias); err != nil {
		t.Fatal(err)
	}
	if _, out, errs := call(t, program(dir, "caption", "run", alias)); strings.Count(out, "\n") != 4 {
		t.Errorf("a link to the folder: %s%s", out, errs)
	}
	if code, _, errs := call(t, program(dir, "caption", "run", t.TempDir())); code != 1 ||
		!strings.Contains(errs, "contains no files") {
		t.Errorf("an empty folder: exit %d, %s", code, errs)
	}
	if code, out, errs := call(t, program(dir, "caption", "run", "a.jpg")); code != 0 || len(strings.Fields(out)) == 0 {
		t.Errorf("one image: exit %d, %q, %s", code, out, errs)
	}
}

// tinyWebP is a lossless image of 2x2 pixels, written by Pillow 12.
var tinyWebP = []byte(
	"\x52\x49\x46\x46\x1e\x00\x00\x00\x57\x45\x42\x50\x56\x50\x38\x4c" +
		"\x11\x00\x00\x00\x2f\x01\x40\x00\x00\x07\x50\x8f\x22\x17\xa5\xff\x81\x88\xe8\x7f\x00\x00",
)

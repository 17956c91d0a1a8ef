package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
)

// three are images with awkward names, and two captions each.
func three() []captioned {
	var all []captioned
	for _, file := range []string{`a,"b".jpg`, " c .png", "ä,ö.webp"} {
		all = append(all, captioned{file, []captioning.Candidate{
			{Text: "a dog , \"running\"", LogProb: -1.5, Words: []captioning.Word{{Text: "a", LogProb: -1}}},
			{Text: "a cat", LogProb: -2.25},
		}})
	}
	return all
}

func TestCSVIsRFC4180(t *testing.T) {
	f := csvLines{candidates: true}
	text := f.header()
	for _, c := range three() {
		lines, err := f.lines(c)
		if err != nil {
			t.Fatal(err)
		}
		text += lines
	}
	if strings.Count(text, "\r\n") != 7 || strings.Count(text, "\n") != 7 {
		t.Errorf("rows do not end in CRLF: %q", text)
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"file", "caption", "probability", "candidate", "candidates"}}
	for _, c := range three() { // exp(-1.5) and exp(-2.25), from Python 3.13
		want = append(want, []string{c.file, "a dog , \"running\"", "0.22313", "1", "2"},
			[]string{c.file, "a cat", "0.105399", "2", "2"})
	}
	if fmt.Sprint(rows) != fmt.Sprint(want) {
		t.Errorf("rows\n%q, want\n%q", rows, want)
	}
	one, err := csvLines{}.lines(captioned{"a.jpg", three()[0].candidates[1:]})
	if err != nil || one != "a.jpg,a cat,0.105399\r\n" {
		t.Errorf("without candidates %q, %v", one, err)
	}
	if _, err := f.lines(captioned{file: "a\nb.jpg"}); err == nil || !strings.Contains(err.Error(), "line break") {
		t.Errorf("a name with a line break: %v", err)
	}
}

// formats are all that can be continued.
var formats = map[string]captionFormat{"csv": csvLines{}, "csv, candidates": csvLines{true}, "json": jsonLines{},
	"json, candidates": jsonLines{true}}

// record opens a file of captions and writes those of images that it does not hold.
func record(path string, format captionFormat, images []captioned) (written int, err error) {
	f, err := openCaptionFile(path, format, madeWith{Version: 1, Model: "m", Run: "run m"})
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var names []string
	for _, image := range images {
		names = append(names, image.file)
	}
	left := f.remaining(names)
	for _, image := range images {
		if slices.Contains(left, image.file) {
			if format == (csvLines{}) {
				image.candidates = image.candidates[:1]
			}
			lines, err := format.lines(image)
			if err != nil {
				return written, err
			}
			if err := f.append(lines); err != nil {
				return written, err
			}
			written++
		}
	}
	return written, nil
}

// TestCaptionFileCutAnywhere cuts a file after every byte. Written again, it must have the same bytes.
func TestCaptionFileCutAnywhere(t *testing.T) {
	for name, format := range formats {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "captions")
			if n, err := record(path, format, three()); err != nil || n != 3 {
				t.Fatalf("%d images, %v", n, err)
			}
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := record(path, format, append(three(), three()...)); err != nil || n != 0 {
				t.Fatalf("%d images are written twice, %v", n, err)
			}
			again := 0
			for length := range len(whole) {
				if err := os.WriteFile(path, whole[:length], 0o644); err != nil {
					t.Fatal(err)
				}
				n, err := record(path, format, three())
				if err != nil {
					t.Fatalf("cut to %d bytes: %v", length, err)
				}
				got, err := os.ReadFile(path)
				if err != nil || string(got) != string(whole) {
					t.Fatalf("cut to %d bytes and continued: %q, %v, want %q", length, got, err, whole)
				}
				again += n
			}
			if again < len(whole) || again >= 3*len(whole) {
				t.Errorf("%d images were captioned again in %d continuations", again, len(whole))
			}
		})
	}
}

func TestCaptionFileRefuses(t *testing.T) {
	how := madeWith{Version: 1, Format: "csv", Model: "m", Run: "results/a", Candidates: 1,
		Decoding: decoder.GenerateOptions{Beam: 3}.WithDefaults()}
	model, beam, format, candidates := how, how, how, how
	model.Model, model.Run = "other", "results/b"
	beam.Decoding.Beam, format.Format, candidates.Candidates = 5, "json", 2
	moved := how
	moved.Run = "elsewhere/a"
	text := csvLines{}.header() + "a.jpg,a dog,0.5\r\n"
	for _, c := range []struct {
		name, content string
		how           madeWith
		want          string // part of the error; empty if there is none
	}{
		{"the same", text, how, ""},
		{"the same run, moved", text, moved, ""},
		{"another model", text, model, "captions of another model, results/a, and this call uses results/b"},
		{"another beam", text, beam, "other options (beam 3 instead of 5)"},
		{"another format", text, format, "(format csv instead of json)"},
		{"more candidates", text, candidates, "(candidates 1 instead of 2)"},
		{"a foreign header", "image,text\r\n", how, "its first line is"},
		{"a damaged line", text + "b.jpg,a \"cat\"\r\n" + "c.jpg,a cow,0.5\r\n", how, "line 3 is damaged"},
		{"a short line", text + "b.jpg\r\n", how, "line 3 is damaged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "captions.csv")
			f, err := openCaptionFile(path, csvLines{}, how)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := openCaptionFile(path, csvLines{}, how); err == nil ||
				!strings.Contains(err.Error(), "another captionlab is writing it") {
				t.Errorf("opened twice: %v", err)
			}
			if err := errors.Join(f.Close(), os.WriteFile(path, []byte(c.content), 0o644)); err != nil {
				t.Fatal(err)
			}
			f, err = openCaptionFile(path, csvLines{}, c.how)
			if c.want == "" {
				if err != nil || len(f.done) != 1 || f.done["a.jpg"] != "a dog" {
					t.Fatalf("%v, %+v", err, f)
				}
				f.Close()
			} else if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != c.content {
				t.Errorf("the file was changed to %q, %v", got, err)
			}
		})
	}
}

func TestCaptionFileRefusesFiles(t *testing.T) {
	how := madeWith{Version: 1, Format: "csv", Model: "m", Candidates: 2}
	mixed := csvLines{true}.header() + "a.jpg,a dog,0.5,1,2\r\nb.jpg,a cat,0.5,1,1\r\n"
	path := filepath.Join(t.TempDir(), "mine.csv")
	if err := os.WriteFile(path, []byte(mixed), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := openCaptionFile(path, csvLines{true}, how); err == nil ||
		!strings.Contains(err.Error(), madeWithEnding+", which says how its captions were made, does not") {
		t.Errorf("a file of the user's own: %v", err)
	}
	if err := os.WriteFile(path+madeWithEnding, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := openCaptionFile(path, csvLines{true}, how); err == nil ||
		!strings.Contains(err.Error(), "damaged record") {
		t.Errorf("a damaged companion: %v", err)
	}
	other := filepath.Join(t.TempDir(), "gap.csv")
	if _, err := record(other, csvLines{true}, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, []byte(mixed), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := record(other, csvLines{true}, nil); err == nil ||
		!strings.Contains(err.Error(), "line 3 is of another") {
		t.Errorf("a missing candidate in the middle: %v", err)
	}
}

func TestMeterBar(t *testing.T) {
	var out strings.Builder
	m := &meter{out: &out, terminal: true}
	show := captionMeter(m, 4)
	show(1, 0)
	m.clear()
	show(1, 2)
	text := out.String()
	if !strings.Contains(text, "[#####...............] images: 1 of 4, 0 unreadable, ") ||
		!strings.Contains(text, " left\r\x1b[K\r\x1b[K[####################] images: 4 of 4, 2 unreadable, ") ||
		!strings.HasSuffix(text, " left\n") {
		t.Errorf("on a terminal: %q", text)
	}
	out.Reset()
	show = captionMeter(&meter{out: &out}, 2)
	show(2, 0)
	if !strings.HasPrefix(out.String(), "images: 2 of 2, 0 unreadable, ") {
		t.Errorf("elsewhere: %q", out.String())
	}
}

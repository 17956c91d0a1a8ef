package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"captionlab/captioning/score"
)

func TestScore(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"refs.json": `{"annotations":[{"image_id":1,"caption":"A dog runs on the beach."},
			{"image_id":1,"caption":"A dog."},{"image_id":2,"caption":"Two men play."}]}`,
		"caps.json":    `[{"image_id":1,"caption":"a dog runs"},{"image_id":2,"caption":"two men"}]`,
		"other.json":   `[{"image_id":1,"caption":"a cat"},{"image_id":2,"caption":"two men play"}]`,
		"missing.json": `[{"image_id":2,"caption":"two men"}]`,
		"unknown.json": `[{"image_id":1,"caption":"a"},{"image_id":2,"caption":"b"},{"image_id":7,"caption":"c"}]`,
		"padded.json":  `[{"image_id":"01","caption":"a dog"}]`,
		"null.json":    `[{"image_id":1,"caption":null}]`,
		"half.json":    `[{"image_id":1,"capt`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args string
		code int
		out  string // in standard output, or in standard error of a failing call
	}{
		{"--references refs.json --captions caps.json", 0, "BLEU-1"},
		{"--references refs.json --captions caps.json --protocol pa4", 0, "BLEU-4 individual"},
		{"--references refs.json --captions caps.json --bootstrap 50", 0, "95 % interval"},
		{"--references refs.json --captions caps.json --compare other.json", 0, "p = "},
		{"--references refs.json --captions caps.json --explain 1", 0, "in reference 1, 2"},
		{"--references refs.json --captions caps.json --explain 5", 1, "caps.json has no caption of image 5"},
		{"--references refs.json --captions missing.json", 1, "image 1 has references but no caption"},
		{"--references refs.json --captions missing.json --allow-missing", 0,
			"left out: 1 images without a caption, 0 captions without references"},
		{"--references refs.json --captions unknown.json", 1, "image 7 has a caption but no references"},
		{"--references refs.json --captions null.json", 1, "null.json: entry 0 (image 1) has no caption"},
		{"--references refs.json --captions half.json", 1, "half.json:1: unexpected end"},
		{"--references refs.json --captions nosuch.json", 1, "nosuch.json"},
		{"--references refs.json --captions unknown.json --allow-missing", 0, "captions  2 different"},
		{"--references refs.json --captions padded.json", 1, `is image "01" of the captions image "1" of the ref`},
		{"--references refs.json --captions caps.json --bootstrap 4611686018427387904", 2, "use 1 to 100000"},
		{"--references refs.json --captions caps.json --bootstrap -1", 2, "use 1 to 100000"},
		{"--references refs.json", 2, "--captions"},
		{"--references refs.json --captions caps.json --protocol bleu", 2, "coco or pa4"},
		{"--references refs.json --captions caps.json --tokens nosuch", 2, "ptb, treebank, whitespace"},
	} {
		t.Run(c.args, func(t *testing.T) {
			code, out, errs := call(t, program(dir, append([]string{"score"}, strings.Fields(c.args)...)...))
			if code != 0 {
				out = errs
			}
			if code != c.code || !strings.Contains(out, c.out) {
				t.Errorf("exit %d, %s%s; want exit %d and %q", code, out, errs, c.code, c.out)
			}
		})
	}
	var report struct {
		Coco struct {
			BLEU   []float64
			Images []struct {
				ID int `json:"image_id"`
			}
		}
	}
	_, out, _ := call(t, program(dir, "score", "--references", "refs.json", "--captions", "caps.json", "--json"))
	if err := json.Unmarshal([]byte(out), &report); err != nil || len(report.Coco.BLEU) != 4 ||
		len(report.Coco.Images) != 2 ||
		report.Coco.Images[1].ID != 2 {
		t.Errorf("%v in %s", err, out)
	}
}

// Captions come from standard input, references from a compressed file.
func TestScoreReadsStandardInputAndGzip(t *testing.T) {
	dir := t.TempDir()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write([]byte(`{"annotations":[{"image_id":1,"caption":"a dog runs"}]}`))
	w.Close()
	if err := os.WriteFile(filepath.Join(dir, "refs.json.gz"), packed.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := program(dir, "score", "--references", "refs.json.gz", "--captions", "-")
	cmd.Stdin = strings.NewReader(`[{"image_id":1,"caption":"a dog runs"}]`)
	if code, out, errs := call(t, cmd); code != 0 || !strings.Contains(out, "BLEU-1    100.000") {
		t.Errorf("exit %d, %s%s", code, out, errs)
	}
	cmd = program(dir, "score", "--references", "-", "--captions", "-")
	if code, _, errs := call(t, cmd); code != 2 || !strings.Contains(errs, "standard input holds one file") {
		t.Errorf("both from standard input: exit %d, %s", code, errs)
	}
}

// Document frequencies of the same references change nothing; those of others do.
func TestScoreWithFrequencies(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"refs.json": `{"annotations":[{"image_id":1,"caption":"a dog runs"},
			{"image_id":2,"caption":"two men play ball"},{"image_id":3,"caption":"a dog and two men"}]}`,
		"caps.json": `[{"image_id":1,"caption":"a dog"},{"image_id":2,"caption":"two men play"},
			{"image_id":3,"caption":"a dog"}]`,
		"one.json": `[{"image_id":1,"caption":"a dog"}]`,
		"bad.json": `{"images":1,"frequency":{"a":2}}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	score := func(args string) (int, string, string) {
		return call(t, program(dir, append([]string{"score", "--references", "refs.json"}, strings.Fields(args)...)...))
	}
	if code, out, errs := score("--write-cider-df df.json"); code != 0 || out != "3 images counted in df.json\n" {
		t.Fatalf("exit %d, %q, %s", code, out, errs)
	}
	_, without, _ := score("--captions caps.json --json")
	code, with, errs := score("--captions caps.json --json --cider-df df.json")
	if code != 0 || with != without {
		t.Errorf("exit %d, %swith df.json %swithout %s", code, errs, with, without)
	}
	one := "--captions one.json --allow-missing"
	_, alone, _ := score(one) // the logarithm of one image is 0, and so is CIDEr-D
	_, among, _ := score(one + " --cider-df df.json")
	if !strings.Contains(alone, "CIDEr-D   0.000") || strings.Contains(among, "CIDEr-D   0.000") ||
		!strings.Contains(among, "document frequencies of 3 images from df.json") {
		t.Errorf("one image: %swith df.json: %s", alone, among)
	}
	for args, want := range map[string]string{
		"--captions caps.json --cider-df bad.json":                  `bad.json: the n-gram "a" is in 2 of 1 images`,
		"--captions caps.json --cider-df df.json --protocol pa4":    "pa4 has no CIDEr-D",
		"--captions caps.json --cider-df df.json --tokens treebank": `tokens of "ptb"`,
		"--cider-df df.json":                        "--captions",
		"--write-cider-df df.json --compare x.json": "--captions",
		"--captions - --cider-df -":                 "standard input holds one file",
	} {
		if code, _, errs := score(args); code == 0 || !strings.Contains(errs, want) {
			t.Errorf("%s: exit %d, %s", args, code, errs)
		}
	}
}

func TestTokenize(t *testing.T) {
	dir := t.TempDir()
	cmd := program(dir, "tokenize")
	cmd.Stdin = strings.NewReader("A man's dog.\n\nLast (line)")
	if code, out, errs := call(t, cmd); code != 0 || out != "a man 's dog\n\nlast -lrb- line -rrb-\n" {
		t.Errorf("exit %d, %q, %s", code, out, errs)
	}
	for text, want := range map[string]string{
		"\ufeffA dog.\n": "",
		"a\ncaf\xe9\n":   "standard input:2: the line is not UTF-8",
		"\xff\xfea\x00":  "standard input:1: the line is not UTF-8",
		"a\x00b\x00":     "standard input:1: the line is not UTF-8",
		"a\n" + strings.Repeat("x ", maxLine) + "": "standard input:2: the line has 1048576 bytes or more",
	} {
		cmd := program(dir, "tokenize")
		cmd.Stdin = strings.NewReader(text)
		code, out, errs := call(t, cmd)
		if (code == 0) != (want == "") || !strings.Contains(errs, want) || want == "" && out != "a dog\n" {
			t.Errorf("%.20q: exit %d, %q, %s", text, code, out, errs)
		}
	}
	if code, _, errs := call(t, program(dir, "tokenize", "--tokens", "nosuch")); code != 2 ||
		!strings.Contains(errs, "treebank") {
		t.Errorf("exit %d, %s", code, errs)
	}
}

func TestTokenizeLinesInContext(t *testing.T) {
	in := "He points at a B.\n\n\nThe dog\nK.\ndogs\nno.\n5 cats.\nL."
	want := "he points at a b\n\n\nthe dog\nk.\ndogs\nno.\n5 cats\nl.\n"
	out := &tokenWriter{tokenize: score.PTBBefore, waits: score.EndsInStop}
	var text strings.Builder
	out.to = bufio.NewWriter(&text)
	if err := errors.Join(tokenizeLines(strings.NewReader(in), out), out.flush()); err != nil {
		t.Fatal(err)
	}
	if text.String() != want {
		t.Errorf("%q, want %q", text.String(), want)
	}
	blank := &tokenWriter{tokenize: score.PTBBefore, waits: score.EndsInStop, to: bufio.NewWriter(io.Discard)}
	if err := tokenizeLines(strings.NewReader("B.\n"+strings.Repeat("\n", 10*maxWaiting)), blank); err != nil {
		t.Fatal(err)
	}
	if len(blank.waiting) > maxWaiting {
		t.Errorf("%d lines wait, at most %d should", len(blank.waiting), maxWaiting)
	}
}

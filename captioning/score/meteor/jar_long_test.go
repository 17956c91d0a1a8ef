//go:build long

package meteor

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLongJar compares with METEOR 1.5 on thousands of segments that are hard to align.
func TestLongJar(t *testing.T) {
	jar := startJar(t)
	g := newGenerator(jar.tables, 1)
	t.Run("short", func(t *testing.T) { jar.compare(t, g.segments(8000, 12)) })
	t.Run("long", func(t *testing.T) { jar.compare(t, g.segments(800, 60)) })
	t.Run("punctuation", func(t *testing.T) {
		segments := make([]segment, 8000)
		for i := range segments {
			line := g.punctuated()
			segments[i] = segment{line, []string{g.punctuated(), strings.ToLower(line)}}
		}
		jar.compare(t, segments)
	})
	t.Run("ties", func(t *testing.T) { jar.compare(t, ties(g)) })
	t.Run("stems", func(t *testing.T) { jar.compare(t, stems(g)) })
	t.Run("Flickr8k", func(t *testing.T) { jar.compare(t, flickr8k(t, g)) })
}

// ties returns captions with many references of few words, of which several have the same score or nearly so: the last
// bit decides which one counts.
func ties(g *generator) []segment {
	words := strings.Fields("the a on in with dog dogs rock wall climbing water red house tree")
	text := func(longest int) string {
		out := make([]string, 1+g.IntN(longest))
		for i := range out {
			out[i] = one(g, words)
		}
		return strings.Join(out, " ")
	}
	segments := make([]segment, 8000)
	for i := range segments {
		segments[i].caption = text(9)
		for range 12 {
			segments[i].references = append(segments[i].references, text(9))
		}
	}
	return segments
}

// stems returns pairs of words of the dictionary that follow each other, most of them with the same beginning.
func stems(g *generator) []segment {
	var segments []segment
	for range 10000 {
		i := g.IntN(len(g.words) - 8)
		a, b := g.inflect(g.words[i]), g.inflect(g.words[i+1+g.IntN(7)])
		segments = append(segments, segment{"zq " + a, []string{"zq " + b}}) // zq matches, so ambiguous matches count
	}
	return segments
}

// flickr8k returns the captions of Flickr8k, and those of models for its test images, most of them changed, with
// Flickr8k's captions as references. It skips the test without Flickr8k.
func flickr8k(t *testing.T, g *generator) []segment {
	t.Helper()
	data := os.Getenv("CAPTIONLAB_DATA")
	if data == "" {
		t.Skip("SKIPPED, NOT PASSED: CAPTIONLAB_DATA, the folder that holds flickr8k, is not set")
	}
	f, err := os.Open(filepath.Join(data, "flickr8k", "Flickr8k_text", "Flickr8k.token.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	references := make(map[string][]string)
	var ids []string
	for in := bufio.NewScanner(f); in.Scan(); {
		id, caption, _ := strings.Cut(in.Text(), "\t")
		id, _, _ = strings.Cut(id, "#")
		if references[id] == nil {
			ids = append(ids, id)
		}
		references[id] = append(references[id], strings.ToLower(caption))
	}
	var segments []segment
	add := func(caption string, references []string) {
		if g.IntN(3) > 0 {
			caption = g.perturb(caption)
		}
		segments = append(segments, segment{caption, references})
	}
	for range 4000 { // a human caption, held out
		all := references[one(g, ids)]
		add(all[0], all[1:])
	}
	runs, err := filepath.Glob(filepath.Join("..", "..", "..", "results", "flickr8k", "*", "*", "captions_test*.json"))
	if err != nil || len(runs) == 0 {
		t.Fatal("no captions of models", err)
	}
	type caption struct {
		ID      string `json:"image_id"`
		Caption string
	}
	var captions []caption
	for range 20 {
		var of []caption
		file := one(g, runs)
		content, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(content, &of)
		}
		if err != nil {
			t.Fatal(file, err)
		}
		captions = append(captions, of...)
	}
	for range 4000 {
		c := one(g, captions)
		if len(references[c.ID]) == 0 {
			t.Fatalf("no captions of image %q", c.ID)
		}
		add(c.Caption, references[c.ID])
	}
	return segments
}

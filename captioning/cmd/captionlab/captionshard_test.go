package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"captionlab/captioning/decoder"
	"captionlab/captioning/internal/shard"
)

// Merged shards of captions are the bytes that one process writes with --out, probabilities included.
func TestCaptionShards(t *testing.T) {
	captioner, dir := openPretrained(t), t.TempDir()
	files := writePhotos(t, filepath.Join(dir, "photos"), 21)
	for _, at := range []int{3, 20} {
		if err := os.WriteFile(files[at], []byte("not an image"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, options := range map[string]decoder.GenerateOptions{
		"greedy": {}, "sampled": {Temperature: 0.8, Seed: 5},
	} {
		t.Run(name, func(t *testing.T) {
			job := captionJob{captioner: captioner, generate: options, candidates: 1, words: true, part: 8,
				fill: len(files)}
			whole := filepath.Join(dir, name+".jsonl")
			call := captionCall{json: true, out: whole, candidates: 1, idFrom: idFromPath}
			call.generation.o = options
			out := &captionOutput{call: &call, stdout: io.Discard, meter: &meter{out: io.Discard}}
			if err := call.caption(context.Background(), job, files, out); err == nil ||
				!strings.Contains(err.Error(), "2 of 21 files have no caption") {
				t.Fatal(err)
			}
			cmd := &cobra.Command{}
			cmd.SetContext(context.Background())
			cmd.SetOut(io.Discard)
			call.out, call.shard.dir = "", filepath.Join(dir, name)
			for i := range 4 {
				if err := call.captionShard(cmd, job, files, &shard.Part{Index: i, Count: 4}, 0); err != nil {
					t.Fatal(err)
				}
			}
			folder, err := shard.Open(call.shard.dir)
			if err != nil {
				t.Fatal(err)
			}
			merged := filepath.Join(dir, name+"-merged.jsonl")
			if images, bad, err := mergeCaptions(folder, merged); err != nil || images != 19 || bad != 2 {
				t.Fatalf("%d images, %d bad, %v", images, bad, err)
			}
			want, err1 := os.ReadFile(whole)
			got, err2 := os.ReadFile(merged)
			if err1 != nil || err2 != nil || string(want) != string(got) {
				t.Errorf("%v, %v, one process wrote\n%swhile the merged shards are\n%s", err1, err2, want, got)
			}
			call.generation.o.MaxWords = 5
			err = call.captionShard(cmd, job, files, &shard.Part{Index: 0, Count: 4}, 0)
			if err == nil || !strings.Contains(err.Error(), `max_words "5" instead of "20"`) {
				t.Errorf("with other options: %v", err)
			}
		})
	}
}

func TestWrongCaptionShards(t *testing.T) {
	checkWrongCalls(t, t.TempDir(), []wrongCall{
		{"caption a.jpg --shard 0/2 --shard-dir d --csv", 2, "--shard publishes lines of JSON"},
		{"caption a.jpg --shard 0/2 --shard-dir d --out x.jsonl", 2, "--shard publishes lines of JSON"},
		{"caption a.jpg --shard 0/2", 2, "add --shard-dir"},
	})
}

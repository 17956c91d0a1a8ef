package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// scoredFiles writes references and captions of images, and document frequencies of these references.
func scoredFiles(t *testing.T, dir string, images int) (references, captions, frequencies string) {
	t.Helper()
	things := []string{"dog", "child", "man in a red shirt", "B.", "2 1/2", "girl"}
	var refs, caps []string
	for i := range images {
		for k := range 1 + i%3 {
			refs = append(refs, fmt.Sprintf(`{"image_id": %d, "id": %d, "caption": "A %s runs past the %s."}`, i, 3*i+k,
				things[(i+k)%6], things[(2*i+k)%6]))
		}
		if i != 4 {
			caps = append(caps, fmt.Sprintf(`{"image_id": %d, "caption": "the %s runs past a %s"}`, i, things[i%6],
				things[(i*i)%6]))
		}
	}
	references, captions = filepath.Join(dir, "references.json"), filepath.Join(dir, "captions.json")
	frequencies = filepath.Join(dir, "df.json")
	for path, text := range map[string]string{
		references: `{"images": [], "annotations": [` + strings.Join(refs, ",") + `]}`,
		captions:   "[" + strings.Join(caps, ",") + "]",
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	callScore(t, dir, "--references", references, "--write-cider-df", frequencies)
	return references, captions, frequencies
}

// callScore runs captionlab score, which must succeed, and returns its output.
func callScore(t *testing.T, dir string, args ...string) string {
	t.Helper()
	code, out, errs := call(t, program(dir, append([]string{"score"}, args...)...))
	if code != 0 {
		t.Fatalf("score %q: exit %d, %s", args, code, errs)
	}
	return out
}

// Merged shards of scores are what one process prints, single images included.
func TestScoreShards(t *testing.T) {
	dir := t.TempDir()
	references, captions, frequencies := scoredFiles(t, dir, 40)
	files := []string{"--references", references, "--captions", captions, "--allow-missing"}
	for name, more := range map[string][]string{
		"coco":        {"--metrics", "bleu,rouge,cider"},
		"some":        {"--metrics", "cider,bleu", "--tokens", "whitespace"},
		"frequencies": {"--metrics", "cider", "--cider-df", frequencies},
		"pa4":         {"--protocol", "pa4"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append(more, files...)
			shards := filepath.Join(dir, name)
			for _, part := range []string{"plan/3", "2/3", "0/3", "1/3"} {
				callScore(t, dir, append(args, "--shard", part, "--shard-dir", shards)...)
			}
			again := callScore(t, dir, append(args, "--shard", "1/3", "--shard-dir", shards)...)
			if !strings.Contains(again, "published before") {
				t.Errorf("the second time, a shard printed %q", again)
			}
			want := callScore(t, dir, args...)
			code, got, errs := call(t, program(dir, "merge", shards))
			if name == "pa4" { // without --metrics, score counts words too, which are no sum over images
				want, _, _ = strings.Cut(want, "captions:")
			}
			if code != 0 || !strings.HasPrefix(want, got) || len(got) < 100 {
				t.Errorf("exit %d, %s, merged:\n%s\nwant\n%s", code, errs, got, want)
			}
			if name == "pa4" {
				return
			}
			want = callScore(t, dir, append(args, "--json")...)
			if _, got, _ := call(t, program(dir, "merge", shards, "--json")); got != want {
				t.Errorf("merged as JSON:\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestScoreShardsThatDoNotFit(t *testing.T) {
	dir := t.TempDir()
	references, captions, _ := scoredFiles(t, dir, 12)
	args := []string{"--references", references, "--captions", captions, "--allow-missing", "--shard-dir", "shards"}
	callScore(t, dir, append(args, "--shard", "0/2")...)
	for want, c := range map[string]struct {
		code int
		args []string
	}{
		"1 of 2 shards are missing": {1, []string{"merge", "shards"}},
		"metrics":                   {1, append([]string{"score", "--shard", "1/2", "--metrics", "bleu"}, args...)},
		"diversity is not a sum": {2,
			append([]string{"score", "--shard", "1/2", "--metrics", "bleu,diversity"}, args...)},
		"leave out --compare":  {2, append([]string{"score", "--shard", "1/2", "--bootstrap", "9"}, args...)},
		"by path instead of -": {2, append([]string{"score", "--shard", "1/2", "--cider-df", "-"}, args...)},
		"--out FILE is for":    {2, []string{"merge", "shards", "--out", "x"}},
	} {
		if code, _, errs := call(t, program(dir, c.args...)); code != c.code || !strings.Contains(errs, want) {
			t.Errorf("%q: exit %d, %s, want %q", c.args, code, errs, want)
		}
	}
	callScore(t, dir, append(args, "--shard", "1/2")...)
	line, err := os.ReadFile(filepath.Join(dir, "shards", "shard-00001-of-00002.jsonl"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "shards", "shard-00001-of-00002.jsonl"), line[:len(line)-3], 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	if code, _, errs := call(t, program(dir, "merge", "shards")); code != 1 || !strings.Contains(errs, "is damaged") {
		t.Errorf("a damaged shard: exit %d, %s", code, errs)
	}
}

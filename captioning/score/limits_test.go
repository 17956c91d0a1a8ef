package score

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// Memory is in proportion to the references of an image; a table of n-grams by references would have 2 GB.
func TestManyReferences(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	sentence := func() string {
		words := make([]string, 12)
		for i := range words {
			words[i] = fmt.Sprint("w", random.IntN(2000))
		}
		return strings.Join(words, " ")
	}
	refs := References{"1": nil}
	for range 4000 {
		refs["1"] = append(refs["1"], sentence())
	}
	captions := []Caption{{ID: "1", Text: refs["1"][17]}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s, err := Coco(refs, captions, Options{})
	runtime.ReadMemStats(&after)
	if err != nil || s.ROUGEL != 1 || s.Overlap.Correct != [maxOrder]int{12, 11, 10, 9} {
		t.Errorf("scores %+v, error %v", s, err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 200<<20 {
		t.Errorf("%d MB for 4,000 references", used>>20)
	}
}

func TestLongestCommonByBits(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 1))
	for range 300 {
		text := func() []uint32 {
			ids := make([]uint32, 1+random.IntN(200))
			for i := range ids {
				ids[i] = 1 + random.Uint32N(1+random.Uint32N(20))
			}
			return ids
		}
		a, b := text(), text()
		row := make([]int, len(b)+1) // the textbook's table, by rows
		for _, x := range a {
			next := make([]int, len(b)+1)
			for j, y := range b {
				next[j+1] = max(row[j+1], next[j])
				if x == y {
					next[j+1] = row[j] + 1
				}
			}
			row = next
		}
		got, other, want := longestCommonByBits(a, b), new(segment).longestCommon(a, b), row[len(b)]
		if got != want || other != want {
			t.Fatalf("%d and %d, want %d for %v and %v", got, other, want, a, b)
		}
	}
}

func TestLongTexts(t *testing.T) {
	words, tokens := strings.Repeat("dog ", MaxWords+1), strings.Repeat("(a) ", MaxWords/2)
	longest, bytes := strings.Repeat("dog ", MaxWords), strings.Repeat("x", maxText+1)
	for _, c := range []struct{ name, caption, reference, want string }{
		{"the longest", longest, longest, ""},
		{"many words in a caption", words, "a", "image 7: a caption of 10001 words is too long: at most 10000"},
		{"many words in a reference", "a", words, "reference 1 of image 7: a caption of 10001 words"},
		{"many tokens in a caption", tokens, "a", "caption of image 7: a caption of 15000 words"},
		{"many tokens in a reference", "a", tokens, "reference 1 of image 7: a caption of 15000 words"},
		{"a long word", bytes, "a", "caption of image 7: a caption of 1048577 bytes is too long"},
		{"a long word in a reference", "a", bytes, "reference 1 of image 7: a caption of 1048577 bytes"},
	} {
		refs := References{"7": {"b", c.reference}}
		_, err := Coco(refs, []Caption{{ID: "7", Text: c.caption}}, Options{})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %.300v", c.name, err)
		}
		if _, err := Explain(c.caption, refs["7"], ""); (err == nil) != (c.want == "") {
			t.Errorf("%s: explain gives %.300v", c.name, err)
		}
	}
	refs := References{"7": make([]string, MaxReferences+1)}
	_, err := Coco(refs, []Caption{{ID: "7"}}, Options{})
	if err == nil || !strings.Contains(err.Error(), "image 7 has 10001 references: at most 10000") {
		t.Errorf("many references: %v", err)
	}
	refs["7"] = slices.Repeat([]string{longest}, 1+maxImageWords/MaxWords)
	_, err = Coco(refs, []Caption{{ID: "7"}}, Options{Tokens: "whitespace"})
	if err == nil || !strings.Contains(err.Error(), "the references of image 7 have 1010000 words: at most 1000000") {
		t.Errorf("many words of references: %v", err)
	}
}

func TestLimitsOfFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	entry := func(text string) string { return `{"image_id":7,"caption":"` + text + `"}` }
	long := entry(strings.Repeat("dog ", 200_000))
	for _, c := range []struct {
		name, content, want string
		read                func() error
	}{
		{"long caption", `[{"image_id":1,"caption":"a"},` + long + `]`,
			"file: entry 1 (image 7): a caption of 200000 words",
			func() error { _, err := ReadCaptions(path); return err }},
		{"long reference", `{"annotations":[` + long + `]}`, "file: entry 0 (image 7): a caption of 200000 words",
			func() error { _, err := ReadReferences(path); return err }},
		{"many references", `{"annotations":[` + strings.Repeat(entry("a")+",", MaxReferences) + entry("b") + `]}`,
			"file: entry 10000: image 7 has more than 10000 references",
			func() error { _, err := ReadReferences(path); return err }},
	} {
		if err := os.WriteFile(path, []byte(c.content), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := c.read(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %.300v, want %q", c.name, err, c.want)
		}
	}
}

func TestDrawsAreLimited(t *testing.T) {
	refs, captions := randomCorpus(rand.New(rand.NewPCG(6, 6)), 5)
	s := mustCoco(t, refs, captions)
	for _, draws := range []int{-1, MaxDraws + 1, 1 << 62} {
		o := BootstrapOptions{Draws: draws}
		if _, err := Bootstrap(s, o); err == nil || !strings.Contains(err.Error(), "use 1 to 100000 draws") {
			t.Errorf("bootstrap with %d draws: %v", draws, err)
		}
		if _, err := Compare(s, s, o); err == nil || !strings.Contains(err.Error(), "use 1 to 100000 draws") {
			t.Errorf("compare with %d draws: %v", draws, err)
		}
	}
}

package score

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// golden holds the scores that testdata/make_metric_goldens.py wrote for one set of captions.
type golden struct {
	BLEU   [4]float64 `json:"bleu"`
	ROUGEL float64    `json:"rouge_l"`
	CIDEr  float64    `json:"cider"`
	PA4    goldenPA4  `json:"pa4"`
	Images []struct {
		ID     ID         `json:"image_id"`
		BLEU   [4]float64 `json:"bleu"`
		ROUGEL float64    `json:"rouge_l"`
		CIDEr  float64    `json:"cider"`
		PA4    goldenPA4  `json:"pa4"`
	} `json:"images"`
	Count int `json:"count"`
}

type goldenPA4 struct {
	BLEU1           float64 `json:"bleu1"`
	BLEU4           float64 `json:"bleu4"`
	BLEU4Individual float64 `json:"bleu4_individual"`
}

type goldens struct {
	Cases []struct {
		Name       string        `json:"name"`
		References References    `json:"references"`
		Captions   map[ID]string `json:"captions"`
		Scores     golden        `json:"scores"`
	} `json:"cases"`
	Flickr8k golden `json:"flickr8k"`
}

func readMetricGoldens(t *testing.T) (g goldens) {
	t.Helper()
	readGoldens(t, "metric_goldens.json", &g)
	return g
}

const (
	cocoTolerance = 1e-9
	nltkTolerance = 1e-12 // times 100, like the scores
)

// compare fails if got differs from the golden by more than the tolerance.
func compare(t *testing.T, name string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %.15g, want %.15g", name, got, want)
	}
}

func compareCorpus(t *testing.T, refs References, captions []Caption, want golden) (*CocoScores, *PA4Scores) {
	t.Helper()
	coco, err := Coco(refs, captions, Options{Tokens: "whitespace"})
	if err != nil {
		t.Fatal(err)
	}
	for n := range want.BLEU {
		compare(t, fmt.Sprintf("BLEU-%d", n+1), coco.BLEU[n], want.BLEU[n], cocoTolerance)
	}
	compare(t, "ROUGE-L", coco.ROUGEL, want.ROUGEL, cocoTolerance)
	compare(t, "CIDEr-D", coco.CIDEr, want.CIDEr, cocoTolerance)
	pa4, err := PA4(refs, captions, Options{})
	if err != nil {
		t.Fatal(err)
	}
	compare(t, "pa4 BLEU-1", pa4.BLEU1, want.PA4.BLEU1, 100*nltkTolerance)
	compare(t, "pa4 BLEU-4", pa4.BLEU4, want.PA4.BLEU4, 100*nltkTolerance)
	compare(t, "pa4 BLEU-4 individual", pa4.BLEU4Individual, want.PA4.BLEU4Individual, 100*nltkTolerance)
	return coco, pa4
}

func TestGoldens(t *testing.T) {
	for _, c := range readMetricGoldens(t).Cases {
		t.Run(c.Name, func(t *testing.T) {
			var captions []Caption
			for id, text := range c.Captions {
				captions = append(captions, Caption{ID: id, Text: text})
			}
			coco, pa4 := compareCorpus(t, c.References, captions, c.Scores)
			if len(coco.Images) != len(c.Scores.Images) || len(pa4.Images) != len(c.Scores.Images) {
				t.Fatalf("%d and %d images, want %d", len(coco.Images), len(pa4.Images), len(c.Scores.Images))
			}
			for i, want := range c.Scores.Images {
				got, sentence := coco.Images[i], pa4.Images[i]
				if got.ID != want.ID || sentence.ID != want.ID {
					t.Fatalf("image %d is %s and %s, want %s", i, got.ID, sentence.ID, want.ID)
				}
				for n := range want.BLEU {
					compare(t, fmt.Sprintf("%s: BLEU-%d", want.ID, n+1), got.BLEU[n], want.BLEU[n], cocoTolerance)
				}
				compare(t, string(want.ID)+": ROUGE-L", got.ROUGEL, want.ROUGEL, cocoTolerance)
				compare(t, string(want.ID)+": CIDEr-D", got.CIDEr, want.CIDEr, cocoTolerance)
				compare(t, string(want.ID)+": pa4 BLEU-1", sentence.BLEU1, want.PA4.BLEU1, 100*nltkTolerance)
				compare(t, string(want.ID)+": pa4 BLEU-4", sentence.BLEU4, want.PA4.BLEU4, 100*nltkTolerance)
				compare(t, string(want.ID)+": pa4 BLEU-4 individual", sentence.BLEU4Individual,
					want.PA4.BLEU4Individual, 100*nltkTolerance)
			}
		})
	}
}

// flickr8k returns each test image's first caption as its caption and the other four as references.
func flickr8k(t *testing.T) (References, []Caption) {
	t.Helper()
	root := os.Getenv("CAPTIONLAB_DATA")
	folder := filepath.Join(root, "flickr8k", "Flickr8k_text")
	names, err := os.ReadFile(filepath.Join(folder, "Flickr_8k.testImages.txt"))
	if root == "" || errors.Is(err, fs.ErrNotExist) {
		t.Skip("SKIPPED, NOT PASSED: CAPTIONLAB_DATA does not name a folder that contains flickr8k")
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "Flickr8k.token.txt"))
	if err != nil {
		t.Fatal(err)
	}
	refs := make(References)
	for _, name := range strings.Fields(string(names)) {
		refs[ID(name)] = nil
	}
	var captions []Caption
	for line := range strings.Lines(string(text)) {
		name, caption, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		id := ID(name[:strings.LastIndexByte(name, '#')])
		if others, ok := refs[id]; !ok {
			continue
		} else if others == nil {
			captions, refs[id] = append(captions, Caption{ID: id, Text: caption}), []string{}
		} else {
			refs[id] = append(others, caption)
		}
	}
	return refs, captions
}

func TestFlickr8kGoldens(t *testing.T) {
	refs, captions := flickr8k(t)
	want := readMetricGoldens(t).Flickr8k
	if len(captions) != want.Count {
		t.Fatalf("%d captions, want %d", len(captions), want.Count)
	}
	compareCorpus(t, refs, captions, want)
}

// randomCorpus draws n captions and one to six references each from a small vocabulary.
func randomCorpus(random *rand.Rand, n int) (References, []Caption) {
	sentence := func() string {
		words := make([]string, 1+random.IntN(12))
		for i := range words {
			words[i] = string(rune('a' + random.IntN(9)))
		}
		return strings.Join(words, " ")
	}
	refs, captions := make(References), make([]Caption, n)
	for i := range captions {
		captions[i] = Caption{ID: ID(fmt.Sprint(i)), Text: sentence()}
		for range 1 + random.IntN(6) {
			refs[captions[i].ID] = append(refs[captions[i].ID], sentence())
		}
	}
	return refs, captions
}

func mustCoco(t *testing.T, refs References, captions []Caption) *CocoScores {
	t.Helper()
	s, err := Coco(refs, captions, Options{Tokens: "whitespace"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestProperties(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 50 {
		refs, captions := randomCorpus(random, 1+random.IntN(20))
		s := mustCoco(t, refs, captions)
		for _, x := range append([]float64{s.ROUGEL, s.CIDEr / 10}, s.BLEU[:]...) {
			if !(x >= 0 && x <= 1+1e-9) {
				t.Fatalf("score %g is out of range: %+v", x, s)
			}
		}
		if len(captions) == 1 && s.CIDEr != 0 {
			t.Errorf("CIDEr of a single image is %g", s.CIDEr)
		}
		// The order of references and captions does not matter, and a repeated reference does not change BLEU.
		shuffled := make(References)
		for id, r := range refs {
			shuffled[id] = slices.Clone(r)
			random.Shuffle(len(r), reflect.Swapper(shuffled[id]))
		}
		back := slices.Clone(captions)
		slices.Reverse(back)
		again := mustCoco(t, shuffled, back)
		for n := range s.BLEU {
			compare(t, "BLEU after shuffling", again.BLEU[n], s.BLEU[n], 1e-12)
		}
		compare(t, "ROUGE-L after shuffling", again.ROUGEL, s.ROUGEL, 1e-12)
		compare(t, "CIDEr-D after shuffling", again.CIDEr, s.CIDEr, 1e-12)
		for id, r := range shuffled {
			shuffled[id] = append(r, r[0])
		}
		if doubled := mustCoco(t, shuffled, captions); doubled.BLEU != s.BLEU {
			t.Errorf("BLEU %v became %v with a repeated reference", s.BLEU, doubled.BLEU)
		}
		// A caption that equals one of its references has the best BLEU-1 and ROUGE-L.
		for i, c := range captions {
			captions[i].Text = refs[c.ID][0]
		}
		perfect := mustCoco(t, refs, captions)
		compare(t, "BLEU-1 of references", perfect.BLEU[0], 1, 1e-6)
		compare(t, "ROUGE-L of references", perfect.ROUGEL, 1, 1e-12)
	}
}

func TestMissingAndDoubledImages(t *testing.T) {
	refs := References{"1": {"a b"}, "2": {"c d"}, "3": {"e"}}
	whole := []Caption{{ID: "1", Text: "a"}, {ID: "2", Text: "a"}, {ID: "3", Text: "a"}}
	for _, c := range []struct {
		name     string
		captions []Caption
		want     string
	}{
		{"no caption", []Caption{{ID: "2", Text: "a"}}, "image 1 has references but no caption, like 1 other image"},
		{"no references", append(whole[:3:3], Caption{ID: "9", Text: "a"}, Caption{ID: "8", Text: "b"}),
			"image 8 has a caption but no references, like 1 other image"},
		{"doubled", append(whole[:3:3], Caption{ID: "2", Text: "b"}), "image 2 has two captions"},
		{"nothing at all", nil, "image 1 has references but no caption"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, score := range []func(Options) error{
				func(o Options) error { _, err := Coco(refs, c.captions, o); return err },
				func(o Options) error { _, err := PA4(refs, c.captions, o); return err },
			} {
				if err := score(Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v, want one with %q", err, c.want)
				}
				err := score(Options{AllowMissing: true})
				if refused := c.name == "doubled" || c.name == "nothing at all"; (err != nil) != refused {
					t.Errorf("AllowMissing: error %v", err)
				}
			}
		})
	}
	s, err := Coco(refs, []Caption{{ID: "2", Text: "c d"}, {ID: "9", Text: "x"}}, Options{AllowMissing: true})
	if err != nil || s.Count != 1 || s.NoCaption != 2 || s.NoReferences != 1 {
		t.Errorf("%+v, %v; want 1 scored, 2 without a caption, 1 without references", s, err)
	}
	_, err = Coco(refs, nil, Options{Tokens: "nosuch"})
	if err == nil || !strings.Contains(err.Error(), "ptb, treebank, whitespace") {
		t.Errorf("error %v does not list the tokenizers", err)
	}
}

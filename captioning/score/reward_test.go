package score

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// rewardData draws references and one caption for each image from a small vocabulary. Some references have words
// outside it.
func rewardData(images int) (vocabulary []string, references [][][]string, captions [][]int32) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 12 {
		vocabulary = append(vocabulary, fmt.Sprintf("w%d", i))
	}
	for range images {
		var refs [][]string
		for range 1 + random.IntN(5) {
			var tokens []string
			for range 1 + random.IntN(9) {
				if random.IntN(8) == 0 {
					tokens = append(tokens, fmt.Sprintf("rare%d", random.IntN(3)))
				} else {
					tokens = append(tokens, vocabulary[random.IntN(12)])
				}
			}
			refs = append(refs, tokens)
		}
		references = append(references, refs)
		var caption []int32
		for range 1 + random.IntN(9) {
			caption = append(caption, int32(random.IntN(12)))
		}
		captions = append(captions, caption)
	}
	return vocabulary, references, captions
}

// Rewards are the scores that Coco, which is compared with pycocoevalcap, gives each image.
func TestRewardsAgreeWithScores(t *testing.T) {
	vocabulary, references, captions := rewardData(40)
	refs, scored := make(References), []Caption{}
	var images []int32
	for i, caption := range captions {
		id := ID(fmt.Sprintf("%03d", i))
		for _, tokens := range references[i] {
			refs[id] = append(refs[id], strings.Join(tokens, " "))
		}
		var words []string
		for _, token := range caption {
			words = append(words, vocabulary[token])
		}
		scored, images = append(scored, Caption{ID: id, Text: strings.Join(words, " ")}), append(images, int32(i))
	}
	coco, err := Coco(refs, scored, Options{Tokens: "whitespace"})
	if err != nil {
		t.Fatal(err)
	}
	for spec, want := range map[string]func(CocoImage) float64{
		"cider-d":            func(i CocoImage) float64 { return i.CIDEr },
		"CIDEr-D":            func(i CocoImage) float64 { return i.CIDEr },
		"bleu-4":             func(i CocoImage) float64 { return i.BLEU[3] },
		"bleu-1":             func(i CocoImage) float64 { return i.BLEU[0] },
		"rouge-l":            func(i CocoImage) float64 { return i.ROUGEL },
		"cider-d+0.5*bleu-2": func(i CocoImage) float64 { return i.CIDEr + 0.5*i.BLEU[1] },
		"2*cider-d + cider-d + 0.25 * rouge-l": func(i CocoImage) float64 {
			return 3*i.CIDEr + 0.25*i.ROUGEL
		},
	} {
		r, err := NewReward(spec, vocabulary, references)
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.Score(images, captions)
		if err != nil {
			t.Fatal(err)
		}
		distinct := make(map[float64]bool)
		for i, image := range coco.Images {
			if math.Abs(got[i]-want(image)) > 1e-12 {
				t.Errorf("%s: image %d has reward %v, score %v", spec, i, got[i], want(image))
			}
			distinct[got[i]] = true
		}
		if len(distinct) < 10 {
			t.Errorf("%s: only %d different rewards", spec, len(distinct))
		}
		one := runtime.GOMAXPROCS(1)
		alone, err := NewReward(spec, vocabulary, references)
		if err != nil {
			t.Fatal(err)
		}
		again, err := alone.Score(images, captions)
		runtime.GOMAXPROCS(one)
		if err != nil || !slices.Equal(got, again) {
			t.Errorf("%s: rewards depend on the number of cores (%v)", spec, err)
		}
	}
}

func TestUnsoundRewards(t *testing.T) {
	for spec, want := range map[string]string{
		"":               `unknown score ""`,
		"cider":          "cider-d",
		"x*cider-d":      "not a weight",
		"-1*cider-d":     "not a weight",
		"NaN*cider-d":    "not a weight",
		"cider-d+":       `unknown score ""`,
		"cider-d,bleu-4": "unknown score",
	} {
		if err := CheckReward(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", spec, err, want)
		}
	}
	vocabulary, references, _ := rewardData(3)
	if _, err := NewReward("cider-d", vocabulary, append(references, nil)); err == nil {
		t.Error("an image without references was accepted")
	}
	if _, err := NewReward("cider-d", append(vocabulary, "w0"), references); err == nil {
		t.Error("a vocabulary with a word twice was accepted")
	}
	r, err := NewReward("cider-d", vocabulary, references)
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"image":   second(r.Score([]int32{3}, [][]int32{{1}})),
		"id":      second(r.Score([]int32{0}, [][]int32{{12}})),
		"below 0": second(r.Score([]int32{0}, [][]int32{{-1}})),
		"lengths": second(r.Score([]int32{0}, nil)),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func second(_ []float64, err error) error { return err }

func BenchmarkReward(b *testing.B) {
	vocabulary, references, captions := rewardData(6000)
	r, err := NewReward("cider-d", vocabulary, references)
	if err != nil {
		b.Fatal(err)
	}
	images := make([]int32, 320)
	for i := range images {
		images[i] = int32(i * 7)
	}
	for b.Loop() {
		if _, err := r.Score(images, captions[:320]); err != nil {
			b.Fatal(err)
		}
	}
}

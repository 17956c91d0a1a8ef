package score

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// plainGrams counts the n-grams of a text with a map, and returns them in the order in which they first occur.
func plainGrams(tokens []string) (grams []string, times map[string]int) {
	times = make(map[string]int)
	for n := 1; n <= maxOrder; n++ {
		for i := 0; i+n <= len(tokens); i++ {
			g := strings.Join(tokens[i:i+n], " ")
			if times[g]++; times[g] == 1 {
				grams = append(grams, g)
			}
		}
	}
	return grams, times
}

// plainly computes the CIDEr-D and the counts of BLEU of all images with maps that hold the n-grams of all of them. It
// adds in the order of the package, so that the bits must be the same.
func plainly(p *Prepared) (ciders []float64, overlaps []Overlap) {
	images := make(map[string]int)
	for i := range p.Len() {
		distinct := make(map[string]bool)
		for _, r := range p.References(i) {
			grams, _ := plainGrams(r)
			for _, g := range grams {
				distinct[g] = true
			}
		}
		for g := range distinct {
			images[g]++
		}
	}
	for i := range p.Len() {
		texts := append([][]string{p.Caption(i)}, p.References(i)...)
		var grams []string
		times, known := make([]map[string]int, len(texts)), make(map[string]bool)
		for k, text := range texts {
			var of []string
			of, times[k] = plainGrams(text)
			for _, g := range of {
				if !known[g] {
					known[g] = true
					grams = append(grams, g)
				}
			}
		}
		ciders = append(ciders, plainCIDErD(grams, times, images, p.Len()))
		overlaps = append(overlaps, plainOverlap(texts, times))
	}
	return ciders, overlaps
}

// plainCIDErD returns the CIDEr-D of one image with these n-grams, which occur in text k times[k] times.
func plainCIDErD(grams []string, times []map[string]int, images map[string]int, n int) float64 {
	norms, dots := make([][maxOrder]float64, len(times)), make([][maxOrder]float64, len(times))
	bigrams := make([]int, len(times))
	for _, g := range grams {
		order := strings.Count(g, " ")
		idf := math.Log(float64(n)) - math.Log(math.Max(1, float64(images[g])))
		for k := range times {
			w := float64(times[k][g]) * idf
			norms[k][order] += w * w
			dots[k][order] += math.Min(float64(times[0][g])*idf, w) * w
			if order == 1 {
				bigrams[k] += times[k][g]
			}
		}
	}
	var total float64
	for k := 1; k < len(times); k++ {
		delta := float64(bigrams[0] - bigrams[k])
		penalty := math.Exp(-delta * delta / (2 * 6.0 * 6.0))
		for order := range maxOrder {
			if norm := math.Sqrt(norms[0][order]) * math.Sqrt(norms[k][order]); norm != 0 {
				dots[k][order] /= norm
			}
			total += dots[k][order] * penalty
		}
	}
	return total / maxOrder / float64(len(times)-1) * 10
}

func plainOverlap(texts [][]string, times []map[string]int) Overlap {
	o := Overlap{TestLen: len(texts[0]), RefLen: len(texts[1])}
	for _, r := range texts[2:] {
		far, best := abs(len(r)-o.TestLen), abs(o.RefLen-o.TestLen)
		if far < best || far == best && len(r) < o.RefLen {
			o.RefLen = len(r)
		}
	}
	for n := range maxOrder {
		o.Guess[n] = max(0, o.TestLen-n)
	}
	for g, n := range times[0] {
		most := 0
		for _, reference := range times[1:] {
			most = max(most, reference[g])
		}
		o.Correct[strings.Count(g, " ")] += min(n, most)
	}
	return o
}

// corpusOf draws n captions, and one to four references each, of words from a vocabulary of some size.
func corpusOf(random *rand.Rand, n, vocabulary int) (References, []Caption) {
	sentence := func() string {
		words := make([]string, random.IntN(14))
		for i := range words {
			words[i] = fmt.Sprint("w", int(float64(vocabulary)*math.Pow(random.Float64(), 3)))
		}
		return strings.Join(words, " ")
	}
	refs, captions := make(References), make([]Caption, n)
	for i := range captions {
		id := ID(fmt.Sprint("image-number-", random.Uint32()%1000, "-", i))
		for range 1 + random.IntN(4) {
			refs[id] = append(refs[id], sentence())
		}
		captions[i] = Caption{ID: id, Text: sentence()}
		if random.IntN(3) == 0 {
			captions[i].Text = refs[id][0] + " " + captions[i].Text
		}
	}
	return refs, captions
}

// Scores have the bits of a computation that keeps the n-grams of all images: for several blocks of images, and with
// so many words that four of them do not fit into 64 bits.
func TestBitsOfAPlainComputation(t *testing.T) {
	for _, c := range []struct{ images, vocabulary int }{{1, 5}, {17, 9}, {3000, 60}, {2500, 3000}, {12000, 400000}} {
		random := rand.New(rand.NewPCG(uint64(c.images), 7))
		refs, captions := corpusOf(random, c.images, c.vocabulary)
		o := Options{Tokens: "whitespace"}
		p, _, err := prepare(refs, captions, o)
		if err != nil {
			t.Fatal(err)
		}
		if wide := p.width == 32; wide != (c.vocabulary > 100_000) {
			t.Errorf("%d words: width %d", len(p.numbers), p.width)
		}
		coco, err := Coco(refs, captions, o)
		if err != nil {
			t.Fatal(err)
		}
		ciders, overlaps := plainly(p)
		var sum float64
		var all Overlap
		for i, image := range coco.Images {
			if image.ID != p.ID(i) || image.CIDEr != ciders[i] || image.overlap != overlaps[i] {
				t.Fatalf("%d images, %s: CIDEr-D %v and %+v, plainly %v and %+v", c.images, image.ID, image.CIDEr,
					image.overlap, ciders[i], overlaps[i])
			}
			sum += ciders[i]
			all.add(overlaps[i])
		}
		if coco.CIDEr != sum/float64(c.images) || coco.Overlap != all || coco.BLEU != all.bleu() {
			t.Errorf("%d images: CIDEr-D %v and BLEU %v, plainly %v and %v", c.images, coco.CIDEr, coco.BLEU,
				sum/float64(c.images), all.bleu())
		}
	}
}

// However many parts the table of document frequencies has, it holds the same numbers.
func TestPartsOfFrequencies(t *testing.T) {
	refs, captions := corpusOf(rand.New(rand.NewPCG(2, 7)), 2000, 500)
	p, _, err := prepare(refs, captions, Options{Tokens: "whitespace"})
	if err != nil {
		t.Fatal(err)
	}
	count := func(parts int, least int32) map[ngram]int32 {
		all := make(map[ngram]int32)
		for _, part := range p.frequenciesIn(parts, least, mostGrams).parts {
			for at, s := range part.slots {
				if s.images > 0 {
					all[part.gram(at)] = s.images
				}
			}
		}
		return all
	}
	want := count(1, 1)
	several := maps.Clone(want)
	maps.DeleteFunc(several, func(_ ngram, images int32) bool { return images < 2 })
	if len(several) == 0 || len(several) == len(want) {
		t.Fatalf("%d of %d n-grams are in several images", len(several), len(want))
	}
	for _, parts := range []int{1, 2, 3, 8, 64} {
		if got := count(parts, 1); !maps.Equal(got, want) {
			t.Errorf("%d parts: %d n-grams, want %d", parts, len(got), len(want))
		}
		if got := count(parts, 2); !maps.Equal(got, several) {
			t.Errorf("%d parts: %d n-grams of several images, want %d", parts, len(got), len(several))
		}
	}
	if p.frequenciesIn(2, 1, len(want)/4) != nil || p.frequenciesIn(64, 1, len(want)/4) == nil {
		t.Error("a limit of n-grams in a table does not tell 2 parts from 64")
	}
}

func TestWordsOfNgrams(t *testing.T) {
	for _, w := range []width{16, 32} {
		for _, want := range [][]uint32{{1}, {7, 1<<16 - 1}, {1, 2, 3}, {9, 9, 9, 9}, {1<<w - 1, 1, 1<<w - 1, 2}} {
			var g ngram
			for n, word := range want {
				g = w.with(g, n, word)
			}
			if got := w.words(g); !slices.Equal(got, want) {
				t.Errorf("width %d: %v became %v", w, want, got)
			}
		}
	}
	if widthOf(65535) != 16 || widthOf(65536) != 32 {
		t.Error("numbers up to 65,535 have 16 bits")
	}
}

// Captions are scored in the order of their IDs, which decides about the last bits of sums.
func TestSortedByID(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 1))
	for range 50 {
		captions := make([]Caption, 200)
		for i := range captions {
			id := fmt.Sprint("img_2014_", random.IntN(90))[random.IntN(9):]
			captions[i].ID = ID(id + strings.Repeat("\x00", random.IntN(3)))
		}
		want := make([]uint32, len(captions))
		for i := range want {
			want[i] = uint32(i)
		}
		slices.SortStableFunc(want, func(a, b uint32) int {
			return strings.Compare(string(captions[a].ID), string(captions[b].ID))
		})
		if got := sortedByID(captions); !reflect.DeepEqual(got, want) {
			t.Fatalf("order %v, want %v", got, want)
		}
	}
}

// What scoring allocates is bounded for each image: its n-grams, about a hundred, are not kept. With them it would be
// 4,200 to 5,800 bytes here.
func TestMemoryOfAnImage(t *testing.T) {
	const images = 20_000
	refs, captions := corpusOf(rand.New(rand.NewPCG(1, 9)), images, 300)
	for name, score := range map[string]func() error{
		"coco": func() error { _, err := Coco(refs, captions, Options{Tokens: "whitespace"}); return err },
		"pa4":  func() error { _, err := PA4(refs, captions, Options{}); return err },
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := score(); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if used := (after.TotalAlloc - before.TotalAlloc) / images; used > 2500 {
			t.Errorf("%s: %d bytes for an image, at most 2,500", name, used)
		}
	}
}

func TestBitsOnAnyNumberOfCores(t *testing.T) {
	refs, captions := corpusOf(rand.New(rand.NewPCG(8, 9)), 3000, 400)
	score := func(cores int) *CocoScores {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
		return mustCoco(t, refs, captions)
	}
	want := score(1)
	for _, cores := range []int{2, 3, 7} {
		if got := score(cores); !reflect.DeepEqual(got, want) {
			t.Errorf("%d cores: %v, want %v", cores, got.Values(), want.Values())
		}
	}
}

// Captions of which only the texts matter have the diversity of one caption for each image.
func TestDiversityOfCaptions(t *testing.T) {
	refs, captions := randomCorpus(rand.New(rand.NewPCG(6, 9)), 40)
	samples := make(map[ID][]string)
	for _, c := range captions {
		samples[c.ID] = []string{c.Text}
	}
	for _, training := range [][]string{nil, refs["3"]} {
		got, err := DiversityOfCaptions(captions, training, "")
		want, _ := Diversity(samples, training, "")
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
	if _, err := DiversityOfCaptions(nil, nil, ""); err == nil {
		t.Error("no captions were accepted")
	}
}

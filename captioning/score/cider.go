package score

import (
	"math"
	"math/bits"
	"runtime"
)

// ciderDMetric is the mean of CIDEr-D over images. The document frequencies are those of all scored images, or those of
// Options.Frequencies.
var ciderDMetric = Metric{
	Name: CIDErD, Scale: 100,
	Prepare: func(p *Prepared) func(int) []float64 {
		df, images := p.given.table(p.numbers), p.given.images()
		if df == nil {
			df, images = documentFrequencies(p.segments), len(p.segments)
		}
		logImages := math.Log(float64(images))
		return func(i int) []float64 { return []float64{p.segments[i].ciderD(df, logImages)} }
	},
}

// frequencies counts, for each n-gram, the images whose references contain it. It is split into parts by hash, so that
// several cores can fill it at once.
type frequencies struct {
	parts []frequencyPart
	logs  []float64 // natural logarithms of the first numbers from 0; that of 0 is 0, as in cider_scorer.py
}

// frequencyPart is an open-addressing table.
type frequencyPart struct {
	grams  []ngram
	images []int32 // by slot; 0 means that the slot is free
	used   int
}

// documentFrequencies counts the n-grams of the segments' references.
func documentFrequencies(segments []segment) *frequencies {
	f := &frequencies{parts: make([]frequencyPart, runtime.GOMAXPROCS(0)), logs: make([]float64, len(segments)+1)}
	for n := 1; n <= len(segments); n++ {
		f.logs[n] = math.Log(float64(n))
	}
	inParallel(len(f.parts), func(p int) {
		part := &f.parts[p]
		part.resize(1 << bits.Len(uint(16*len(segments)))) // enough for most captions; add grows it
		for i := range segments {
			s := &segments[i]
			for g, h := range s.hashes {
				if f.part(h) != p {
					continue
				}
				if _, refs := s.row(g); len(refs) > 0 {
					part.add(s.grams[g], h, 1)
				}
			}
		}
	})
	return f
}

// part returns the index of the part for a hash. It uses high bits, because slots within a part use the low ones.
func (f *frequencies) part(hash uint64) int { return int(hash >> 40 % uint64(len(f.parts))) }

func (p *frequencyPart) resize(size int) {
	old := *p
	p.grams, p.images = make([]ngram, size), make([]int32, size)
	for i, n := range old.images {
		if n > 0 {
			at := p.find(old.grams[i], old.grams[i].hash())
			p.grams[at], p.images[at] = old.grams[i], n
		}
	}
}

// find returns the slot of an n-gram, or the free slot where it belongs.
func (p *frequencyPart) find(g ngram, hash uint64) int {
	mask := len(p.grams) - 1
	at := int(hash) & mask
	for p.images[at] != 0 && p.grams[at] != g {
		at = (at + 1) & mask
	}
	return at
}

// add adds a number of images to those of an n-gram.
func (p *frequencyPart) add(g ngram, hash uint64, images int32) {
	at := p.find(g, hash)
	if p.images[at] == 0 {
		if p.used++; 2*p.used > len(p.grams) {
			p.resize(2 * len(p.grams))
			at = p.find(g, hash)
		}
		p.grams[at] = g
	}
	p.images[at] += images
}

// log returns the logarithm of the number of images whose references contain g, 0 if there is none.
func (f *frequencies) log(g ngram, hash uint64) float64 {
	part := &f.parts[f.part(hash)]
	n := int(part.images[part.find(g, hash)])
	if n < len(f.logs) {
		return f.logs[n]
	}
	return math.Log(float64(n))
}

// vector describes a caption as a vector of weighted n-grams: its Euclidean length by order.
type vector struct {
	norms   [maxOrder]float64
	bigrams int // the length penalty of coco-caption counts only these
}

// ciderD returns the CIDEr-D of one image (Vedantam, Zitnick and Parikh 2015), n = 4, sigma = 6, times 10, as
// cider_scorer.py of coco-caption computes it. logImages is the logarithm of the number of images.
func (s *segment) ciderD(f *frequencies, logImages float64) float64 {
	const sigma = 6.0
	vectors := make([]vector, 1+len(s.refs))
	dots := make([][maxOrder]float64, 1+len(s.refs)) // of the caption with each reference
	for i, g := range s.grams {
		n := g.order() - 1
		idf := logImages - f.log(g, s.hashes[i])
		times, _ := s.row(i)
		test := float64(times) * idf
		for _, c := range s.counts[s.starts[i]:s.starts[i+1]] {
			w := float64(c.times) * idf
			vectors[c.text].norms[n] += w * w
			if n == 1 {
				vectors[c.text].bigrams += int(c.times)
			}
			dots[c.text][n] += math.Min(test, w) * w
		}
	}
	for j := range vectors {
		for n, x := range vectors[j].norms {
			vectors[j].norms[n] = math.Sqrt(x)
		}
	}
	var total float64
	for j, dot := range dots[1:] {
		ref := vectors[j+1]
		delta := float64(vectors[0].bigrams - ref.bigrams)
		penalty := math.Exp(-delta * delta / (2 * sigma * sigma))
		for n := range dot {
			if norms := vectors[0].norms[n] * ref.norms[n]; norms != 0 {
				dot[n] /= norms
			}
			total += dot[n] * penalty
		}
	}
	return total / maxOrder / float64(len(s.refs)) * 10
}

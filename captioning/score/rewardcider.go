package score

import (
	"math"
	"slices"
)

// ciderReward is CIDEr-D with fixed references. The n-grams of all references are numbered once. Of each image it keeps
// the numbers of its n-grams, their counts in each reference, and the length of each reference's vector, so that
// scoring a caption reads only the caption's own n-grams.
type ciderReward struct {
	weight    float64
	grams     gramTable
	idf       []float64 // by n-gram number: log(images) - log(images with the n-gram)
	logImages float64   // the idf of an n-gram that no reference has
	images    []imageGrams
}

// imageGrams are the n-grams of one image's references.
type imageGrams struct {
	grams   []int32             // numbers, ascending
	starts  []int32             // the counts of grams[i] are counts[starts[i]:starts[i+1]]
	counts  []count             // text is the reference, from 0
	norms   [][maxOrder]float64 // by reference: the length of its vector, by order
	bigrams []int32             // by reference
}

// gramTable numbers n-grams from 0. It is an open-addressing table.
type gramTable struct {
	slots []int32 // number of the n-gram, plus 1
	grams []ngram
}

// find returns the slot of an n-gram, or the free slot where it belongs.
func (t *gramTable) find(g ngram, hash uint64) int {
	mask := len(t.slots) - 1
	at := int(hash) & mask
	for t.slots[at] != 0 && t.grams[t.slots[at]-1] != g {
		at = (at + 1) & mask
	}
	return at
}

// number returns the number of an n-gram, which it adds if it is new.
func (t *gramTable) number(g ngram, hash uint64) int32 {
	if 2*len(t.grams) >= len(t.slots) {
		t.slots = make([]int32, max(1024, 2*len(t.slots)))
		for i, g := range t.grams {
			t.slots[t.find(g, g.hash())] = int32(i + 1)
		}
	}
	at := t.find(g, hash)
	if t.slots[at] == 0 {
		t.grams = append(t.grams, g)
		t.slots[at] = int32(len(t.grams))
	}
	return t.slots[at] - 1
}

// newCiderReward counts the n-grams of the references of each image.
func newCiderReward(refs [][][]uint32) *ciderReward {
	r := &ciderReward{logImages: math.Log(float64(len(refs))), images: make([]imageGrams, len(refs))}
	s := segment{width: 32}
	var seenIn []int32
	for i := range refs {
		s.refs, s.counted = refs[i], false
		s.count()
		numbers, order := make([]int32, len(s.grams)), make([]int, len(s.grams))
		for k, g := range s.grams {
			numbers[k], order[k] = r.grams.number(g, s.hashes[k]), k
			if int(numbers[k]) == len(seenIn) {
				seenIn = append(seenIn, 0)
			}
			seenIn[numbers[k]]++
		}
		slices.SortFunc(order, func(a, b int) int { return int(numbers[a]) - int(numbers[b]) })
		image := &r.images[i]
		image.starts = append(image.starts, 0)
		for _, k := range order {
			image.grams = append(image.grams, numbers[k])
			for _, c := range s.counts[s.starts[k]:s.starts[k+1]] {
				image.counts = append(image.counts, count{c.text - 1, c.times})
			}
			image.starts = append(image.starts, int32(len(image.counts)))
		}
	}
	r.idf = make([]float64, len(seenIn))
	for g, n := range seenIn {
		r.idf[g] = r.logImages - math.Log(float64(n))
	}
	inParallel(len(refs), func(i int) { r.measure(&r.images[i], len(refs[i])) })
	return r
}

// measure fills the lengths of an image's reference vectors.
func (r *ciderReward) measure(image *imageGrams, refs int) {
	image.norms, image.bigrams = make([][maxOrder]float64, refs), make([]int32, refs)
	for k, g := range image.grams {
		n := len(width(32).words(r.grams.grams[g])) - 1
		for _, c := range image.counts[image.starts[k]:image.starts[k+1]] {
			w := float64(c.times) * r.idf[g]
			image.norms[c.text][n] += w * w
			if n == 1 {
				image.bigrams[c.text] += c.times
			}
		}
	}
	for j := range image.norms {
		for n, x := range image.norms[j] {
			image.norms[j][n] = math.Sqrt(x)
		}
	}
}

// ciderScorer scores captions one after another, on one core. Its buffers are reused.
type ciderScorer struct {
	*ciderReward
	caption segment             // of width 32
	dots    [][maxOrder]float64 // of the caption with each reference
}

// score returns the CIDEr-D of a caption, as segment.ciderD computes it.
func (s *ciderScorer) score(image int32, caption []int32) float64 {
	c := &s.caption
	c.test = c.test[:0]
	for _, id := range caption {
		c.test = append(c.test, uint32(id)+1)
	}
	c.width, c.counted = 32, false
	c.count()
	of := &s.images[image]
	s.dots = append(s.dots[:0], make([][maxOrder]float64, len(of.norms))...)
	var norms [maxOrder]float64
	bigrams := int32(0)
	for i, g := range c.grams {
		n, times, idf := c.orders[i], c.counts[i].times, s.logImages
		number := s.grams.slots[s.grams.find(g, c.hashes[i])] - 1
		if number >= 0 {
			idf = s.idf[number]
		}
		test := float64(times) * idf
		norms[n] += test * test
		if n == 1 {
			bigrams += times
		}
		if k, found := slices.BinarySearch(of.grams, number); found {
			for _, c := range of.counts[of.starts[k]:of.starts[k+1]] {
				w := float64(c.times) * idf
				s.dots[c.text][n] += math.Min(test, w) * w
			}
		}
	}
	for n, x := range norms {
		norms[n] = math.Sqrt(x)
	}
	return of.total(norms, bigrams, s.dots)
}

// total turns the products of a caption's vector with each reference into its CIDEr-D.
func (of *imageGrams) total(norms [maxOrder]float64, bigrams int32, dots [][maxOrder]float64) float64 {
	const sigma = 6.0
	var total float64
	for j, dot := range dots {
		delta := float64(bigrams - of.bigrams[j])
		penalty := math.Exp(-delta * delta / (2 * sigma * sigma))
		for n := range dot {
			if product := norms[n] * of.norms[j][n]; product != 0 {
				dot[n] /= product
			}
			total += dot[n] * penalty
		}
	}
	return total / maxOrder / float64(len(dots)) * 10
}

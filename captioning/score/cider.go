package score

import "math"

// ciderDMetric is the mean of CIDEr-D over images. The document frequencies are those of all scored images, or those of
// Options.Frequencies.
var ciderDMetric = builtIn(Metric{Name: CIDErD, Scale: 100}, 1, func(p *Prepared) func(s *segment, row []float64) {
	f, images := p.given.table(p), p.given.images()
	if f == nil {
		// The logarithm is 0 for n-grams of one image and of none: only the others, usually a minority, are needed.
		f, images = p.frequencies(2), p.Len()
	}
	logImages := math.Log(float64(images))
	return func(s *segment, row []float64) { row[0] = s.ciderD(f, logImages) }
})

// ciderMemory is what a segment needs for CIDEr-D.
type ciderMemory struct {
	idf     []float64 // of each gram
	vectors []vector
	dots    [][maxOrder]float64 // of the caption with each reference
	read    int32
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
	s.count()
	s.weigh(f, logImages)
	vectors, dots := zeroed(s.cider.vectors, 1+len(s.refs)), zeroed(s.cider.dots, 1+len(s.refs))
	s.cider.vectors, s.cider.dots = vectors, dots
	for i, idf := range s.cider.idf {
		n := s.orders[i]
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

// weigh fills cider.idf with the inverse document frequencies.
func (s *segment) weigh(f *frequencies, logImages float64) {
	for _, hash := range s.hashes {
		t, h := f.part(hash)
		s.cider.read += t.slots[t.place(h)].images
	}
	s.cider.idf = s.cider.idf[:0]
	for i, g := range s.grams {
		s.cider.idf = append(s.cider.idf, logImages-f.log(g, s.hashes[i]))
	}
}

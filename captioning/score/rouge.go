package score

import "math/bits"

// rougeLMetric is the mean of ROUGE-L over images, as in rouge.py of coco-caption.
var rougeLMetric = builtIn(Metric{Name: ROUGEL, Scale: 100}, 1, func(*Prepared) func(s *segment, row []float64) {
	return func(s *segment, row []float64) { row[0] = s.rougeL() }
})

// rougeL is the F-measure, beta 1.2, of the best precision and the best recall, which may come from different
// references (Lin 2004). As in coco-caption, an empty caption or reference counts as one empty word.
func (s *segment) rougeL() float64 {
	const beta2 = 1.2 * 1.2
	var precision, recall float64
	test := orEmptyWord(s.whole(0))
	for i := range s.refs {
		ref := orEmptyWord(s.whole(i + 1))
		common := float64(s.longestCommon(test, ref))
		precision = max(precision, common/float64(len(test)))
		recall = max(recall, common/float64(len(ref)))
	}
	if precision == 0 || recall == 0 {
		return 0
	}
	return (1 + beta2) * precision * recall / (recall + beta2*precision)
}

func orEmptyWord(ids []uint32) []uint32 {
	if len(ids) == 0 {
		return []uint32{0}
	}
	return ids
}

// longestCommon returns the length of the longest common subsequence.
func (s *segment) longestCommon(a, b []uint32) int {
	if len(a)*len(b) > 4096 {
		return longestCommonByBits(a, b)
	}
	s.rouge = zeroed(s.rouge, len(b)+1)
	row := s.rouge
	for _, x := range a {
		diagonal := 0
		for j, y := range b {
			above := row[j+1]
			if x == y {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	return row[len(b)]
}

// longestCommonByBits is longestCommon for long texts: it handles 64 words of a at once (Hyyrö 2004, "Bit-Parallel
// LCS-length Computation Revisited"). Bit i of steps is 0 where the length grows at word i of a.
func longestCommonByBits(a, b []uint32) int {
	places := make(map[uint32][]uint64) // of each word in a
	for i, x := range a {
		if places[x] == nil {
			places[x] = make([]uint64, (len(a)+63)/64)
		}
		places[x][i/64] |= 1 << (i % 64)
	}
	steps := make([]uint64, (len(a)+63)/64)
	for i := range steps {
		steps[i] = ^uint64(0)
	}
	for _, y := range b {
		var carry uint64
		for i, place := range places[y] {
			sum, over := bits.Add64(steps[i], steps[i]&place, carry)
			steps[i], carry = sum|steps[i]&^place, over
		}
	}
	length := 0
	for i := range a {
		length += int(^steps[i/64] >> (i % 64) & 1)
	}
	return length
}

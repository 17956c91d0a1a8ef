package shapes

import "testing"

// TestRandomIsEven counts the first draws of adjacent streams, as used for images, and the draws of one stream. The
// bounds are five standard deviations of a uniform draw.
func TestRandomIsEven(t *testing.T) {
	const draws, sides = 16000, 8 // 2000 expected, standard deviation 42
	stream := newRandom(1, 1)
	for name, draw := range map[string]func(i int) int{
		"adjacent streams": func(i int) int { return newRandom(1, uint64(100_001+i)).below(sides) },
		"adjacent seeds":   func(i int) int { return newRandom(uint64(i), 100_001).below(sides) },
		"one stream":       func(int) int { return stream.below(sides) },
	} {
		var counts [sides]int
		repeats, last := 0, -1
		for i := range draws {
			v := draw(i)
			counts[v]++
			if v == last {
				repeats++
			}
			last = v
		}
		for v, n := range append(counts[:], repeats) {
			if n < 1790 || n > 2210 {
				t.Errorf("%s: %d draws of %d (%d means a repeated draw), want about 2000", name, n, v, sides)
			}
		}
	}
}

func TestRandomRanges(t *testing.T) {
	r := newRandom(3, 3)
	var between [3]int
	var weighted [3]int
	for range 3000 {
		between[r.between(-1, 1)+1]++
		weighted[r.weighted([]int{1, 0, 2})]++
	}
	for _, n := range between {
		if n < 850 || n > 1150 {
			t.Errorf("between draws %v", between)
		}
	}
	if weighted[1] != 0 || weighted[0] < 850 || weighted[0] > 1150 {
		t.Errorf("weights 1, 0, 2 draw %v", weighted)
	}
	s := []int{0, 1, 2, 3, 4, 5}
	shuffle(r, s)
	seen := 0
	for _, v := range s {
		seen |= 1 << v
	}
	if seen != 63 {
		t.Errorf("shuffled into %v", s)
	}
}

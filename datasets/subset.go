package datasets

import (
	"fmt"
	"io"
)

// Subset returns the first train, val and test examples of ds, for quick runs. A count beyond the split takes all of it, one
// below zero none. Name says what was taken ("flickr8k-first-600-100-100"), so that results and features of a part never pass
// for those of the whole, and Oddities says it too. A subset that takes everything is ds itself. Pictures outside the subset
// cannot be opened through it. Closing, where ds needs it, remains with ds.
func Subset(ds Dataset, train, val, test int) Dataset {
	s := &subset{whole: ds, examples: make(map[Split][]Example), ids: make(map[string]bool)}
	complete := true
	for split, n := range map[Split]int{Train: train, Val: val, Test: test} {
		all := ds.Examples(split)
		n = min(max(n, 0), len(all))
		taken := all[:n:n] // appending to the part must not write into the whole
		s.examples[split] = taken
		complete = complete && len(taken) == len(all)
		for _, ex := range taken {
			s.ids[ex.ID] = true
		}
	}
	if complete {
		return ds
	}
	return s
}

type subset struct {
	whole    Dataset
	examples map[Split][]Example
	ids      map[string]bool
}

func (s *subset) Name() string {
	return fmt.Sprintf("%s-first-%d-%d-%d", s.whole.Name(), len(s.examples[Train]), len(s.examples[Val]), len(s.examples[Test]))
}

func (s *subset) Examples(split Split) []Example { return s.examples[split] }

func (s *subset) OpenImage(id string) (io.ReadCloser, error) {
	if !s.ids[id] {
		return nil, fmt.Errorf("%s: picture %q is not in this part of %s: open it from the whole dataset", s.Name(), id, s.whole.Name())
	}
	return s.whole.OpenImage(id)
}

func (s *subset) Oddities() []string {
	oddities := append([]string(nil), s.whole.Oddities()...)
	for _, split := range Splits {
		if taken, all := len(s.examples[split]), len(s.whole.Examples(split)); taken < all {
			oddities = append(oddities, fmt.Sprintf("only the first %d of %d %s pictures are used", taken, all, split))
		}
	}
	return oddities
}

package datasets

import (
	"errors"
	"fmt"
	"io"

	"captionlab/datasets/internal/digest"
)

// Subset returns the first train, val and test examples of ds, for quick runs. A count larger than the split takes all
// of it; a negative count takes none. If nothing is left out, Subset returns ds itself.
//
// Name includes the counts ("flickr8k-first-600-100-100"), so results and features of a subset are never mistaken for
// those of the whole dataset. Oddities mentions the counts too. Images outside the subset cannot be opened through it.
// Closing a subset closes ds, see Close.
func Subset(ds Dataset, train, val, test int) Dataset {
	s := &subset{whole: ds, examples: make(map[Split][]Example), ids: make(map[string]bool)}
	complete := true
	for split, n := range map[Split]int{Train: train, Val: val, Test: test} {
		all := ds.Examples(split)
		n = min(max(n, 0), len(all))
		taken := all[:n:n] // capped, so that appending to it does not overwrite the whole
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
	return fmt.Sprintf("%s-first-%d-%d-%d", s.whole.Name(),
		len(s.examples[Train]), len(s.examples[Val]), len(s.examples[Test]))
}

func (s *subset) Examples(split Split) []Example { return s.examples[split] }

func (s *subset) OpenImage(id string) (io.ReadCloser, error) {
	if !s.ids[id] {
		return nil, fmt.Errorf("%s: image %q is not in this subset: open it through %s", s.Name(), id, s.whole.Name())
	}
	return s.whole.OpenImage(id)
}

func (s *subset) Oddities() []string {
	oddities := append([]string(nil), s.whole.Oddities()...)
	for _, split := range Splits {
		if taken, all := len(s.examples[split]), len(s.whole.Examples(split)); taken < all {
			oddities = append(oddities, fmt.Sprintf("only the first %d of %d %s images are used", taken, all, split))
		}
	}
	return oddities
}

// Stamp adds the counts to the stamp of the whole dataset.
func (s *subset) Stamp() (string, error) {
	whole, ok := s.whole.(Stamper)
	if !ok {
		return "", fmt.Errorf("%s has no stamp: %w", s.whole.Name(), errors.ErrUnsupported)
	}
	stamp, err := whole.Stamp()
	if err != nil {
		return "", err
	}
	sum := digest.New()
	sum.Text(stamp)
	for _, split := range Splits {
		sum.Number(int64(len(s.examples[split])))
	}
	return sum.Hex(), nil
}

// Close closes the whole dataset.
func (s *subset) Close() error { return Close(s.whole) }

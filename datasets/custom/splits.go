package custom

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"captionlab/datasets"
)

// Shares are the shares of train, val and test among all images.
type Shares [3]float64

// DefaultShares are used if Options name no others.
var DefaultShares = Shares{0.8, 0.1, 0.1}

// ParseShares reads shares such as "0.8,0.1,0.1".
func ParseShares(text string) (Shares, error) {
	var s Shares
	fields := strings.Split(text, ",")
	if len(fields) != len(s) {
		return s, fmt.Errorf("shares %q: give three, of train, val and test, as in %s", text, DefaultShares)
	}
	for i, field := range fields {
		x, err := strconv.ParseFloat(strings.TrimSpace(field), 64)
		if err != nil {
			return s, fmt.Errorf("shares %q: %q is not a number: give three, as in %s", text, field, DefaultShares)
		}
		s[i] = x
	}
	return s, s.Check()
}

// String returns the shares as ParseShares reads them.
func (s Shares) String() string { return fmt.Sprintf("%g,%g,%g", s[0], s[1], s[2]) }

// Check fails unless the shares are from 0 to 1, train has one, and they add up to 1.
func (s Shares) Check() error {
	sum := 0.0
	for _, x := range s {
		if !(x >= 0 && x <= 1) {
			return fmt.Errorf("shares %s: %g is not from 0 to 1", s, x)
		}
		sum += x
	}
	if s[0] == 0 || math.Abs(sum-1) > 1e-6 {
		return fmt.Errorf("shares %s of train, val and test: they add up to %g; make it 1, with a share for train", s,
			sum)
	}
	return nil
}

// splitNames are the words for the splits. Karpathy's restval is used for training.
var splitNames = map[string]datasets.Split{
	"train": datasets.Train, "training": datasets.Train, "trn": datasets.Train, "restval": datasets.Train,
	"val": datasets.Val, "valid": datasets.Val, "validation": datasets.Val, "dev": datasets.Val,
	"test": datasets.Test, "testing": datasets.Test, "tst": datasets.Test,
}

// splitNamed returns the split with the given name.
func splitNamed(name string) (datasets.Split, bool) {
	split, ok := splitNames[strings.ToLower(strings.TrimSpace(name))]
	return split, ok
}

// splitIn returns the only split that the words of a file name such as captions_val2014.json name, or "".
func splitIn(name string) datasets.Split {
	var found datasets.Split
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) }) {
		split, ok := splitNames[strings.ToLower(word)]
		switch {
		case ok && found != "" && found != split:
			return ""
		case ok:
			found = split
		}
	}
	return found
}

// splitOfPath returns the only split that the folders of a path name, or "".
func splitOfPath(at string) datasets.Split {
	dir := path.Dir(at)
	if dir == "." {
		return ""
	}
	return splitIn(dir)
}

// divide puts entries without a split into one: by folder, if the folders are named after splits; otherwise by
// Options. It describes how.
func (c *content) divide(o Options) string {
	own := slices.ContainsFunc(c.entries, func(e *entry) bool { return e.split != "" })
	how := c.splitFrom
	if !own {
		how = "folders named after splits"
		for _, e := range c.entries {
			e.split = splitOfPath(e.place.name)
			own = own || e.split == datasets.Train
		}
	}
	if !own {
		for _, e := range c.entries {
			e.split = ""
		}
		draw(c.entries, o.Shares, o.Seed)
		return fmt.Sprintf("drawn with shares %s and seed %d, since the data has no splits", o.Shares, o.Seed)
	}
	c.entries = slices.DeleteFunc(c.entries, func(e *entry) bool {
		if e.split == "" {
			c.problem(Problem{Kind: NoSplit, File: e.file, Line: e.line, Image: e.listed,
				Detail: "give it a split, as the other images have one"})
		}
		return e.split == ""
	})
	return how + c.complete(o)
}

// complete draws a val or test split that is missing from the training images. It describes what it did.
func (c *content) complete(o Options) string {
	var train []*entry
	missing := map[datasets.Split]bool{datasets.Val: true, datasets.Test: true}
	for _, e := range c.entries {
		if delete(missing, e.split); e.split == datasets.Train {
			train = append(train, e)
		}
	}
	if len(train) == 0 || len(missing) == 0 {
		return ""
	}
	shares, did := o.Shares, ""
	for i, split := range datasets.Splits {
		switch {
		case i > 0 && !missing[split]:
			shares[i] = 0
		case i > 0:
			did += fmt.Sprintf("; no %s split, so it is drawn from the training images with seed %d", split, o.Seed)
		}
	}
	total := shares[0] + shares[1] + shares[2]
	for i := range shares {
		shares[i] /= total
	}
	draw(train, shares, o.Seed)
	return did
}

// draw divides entries in the order of a hash of the seed and their ids, so that it depends on nothing else. A share
// above 0 gives at least one entry, while there are enough.
func draw(entries []*entry, shares Shares, seed int64) {
	type drawn struct {
		key [sha256.Size]byte
		*entry
	}
	order := make([]drawn, len(entries))
	for i, e := range entries {
		order[i] = drawn{sha256.Sum256(append(binary.LittleEndian.AppendUint64(nil, uint64(seed)), e.id...)), e}
	}
	slices.SortFunc(order, func(x, y drawn) int {
		return slices.Compare(x.key[:], y.key[:])
	})
	at := 0
	for i := len(shares) - 1; i > 0; i-- {
		n := int(math.Round(shares[i] * float64(len(order))))
		if shares[i] > 0 {
			n = max(n, 1)
		}
		for range min(n, len(order)-1-at) { // train keeps one
			order[at].split = datasets.Splits[i]
			at++
		}
	}
	for _, d := range order[at:] {
		d.split = datasets.Train
	}
}

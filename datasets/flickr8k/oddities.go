package flickr8k

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"captionlab/datasets"
	"captionlab/datasets/internal/images"
)

// noteOddities counts what the release holds besides complete examples of the three splits.
func (ds *Dataset) noteOddities(captions map[string][]string, order []string) {
	splitOf := ds.splitOf()
	var noImage, noSplit, noCaption, short, notFive []string
	for _, name := range order {
		if n := len(captions[name]); n != 5 {
			notFive = append(notFive, fmt.Sprintf("%s has %d", name, n))
		}
		for i, c := range captions[name] {
			if len(strings.Fields(c)) == 1 {
				short = append(short, fmt.Sprintf("%s#%d", name, i))
			}
		}
		switch {
		case !ds.images.Has(name):
			noImage = append(noImage, name)
		case splitOf[name] == "":
			noSplit = append(noSplit, name)
		}
	}
	for _, name := range ds.images.Unlisted(order) {
		if len(captions[name]) == 0 {
			noCaption = append(noCaption, name)
		}
	}
	ds.note("captioned images without an image file, skipped", noImage)
	ds.note("captioned images in no split, skipped", noSplit)
	ds.note("images without a caption, skipped", noCaption)
	ds.note("images with more or fewer than five captions, all of which are used", notFive)
	ds.note("captions of a single word, used if their image is in a split", short)
}

// note adds an oddity: its count and the first few names.
func (ds *Dataset) note(what string, names []string) {
	if len(names) == 0 {
		return
	}
	slices.Sort(names)
	shown := names[:min(len(names), 3)]
	more := ""
	if len(names) > len(shown) {
		more = ", ..."
	}
	ds.oddities = append(ds.oddities, fmt.Sprintf("%s: %d (%s%s)", what, len(names), strings.Join(shown, ", "), more))
}

// noteSameBytes reports duplicate images with their splits: a duplicate in both train and test would raise the scores.
// Duplicates are kept because the official splits contain them. An unpacked folder has no checksums, so its duplicates
// are not reported.
func (ds *Dataset) noteSameBytes() {
	a, ok := ds.images.(*images.Archive)
	if !ok {
		return
	}
	splitOf := make(map[string]datasets.Split) // by the name without its ending: x.png may be the image x.jpg
	for id, split := range ds.splitOf() {
		splitOf[images.Stem(id)] = split
	}
	for _, group := range a.SameBytes() {
		named := make([]string, len(group))
		for i, name := range group {
			named[i] = fmt.Sprintf("%s (%s)", name, cmp.Or(string(splitOf[images.Stem(name)]), "no split"))
		}
		ds.oddities = append(ds.oddities, "images with the same size and checksum, kept: "+strings.Join(named, ", "))
	}
}

// splitOf returns the split of every image that is in one.
func (ds *Dataset) splitOf() map[string]datasets.Split {
	splitOf := make(map[string]datasets.Split)
	for split, examples := range ds.examples {
		for _, ex := range examples {
			splitOf[ex.ID] = split
		}
	}
	return splitOf
}

package flickr8k

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// sameBytes returns the groups of pictures that the archive's directory gives one size and one CRC-32, each group and the
// groups themselves in the order of their names. Nothing is read, so pictures that only look the same are not found.
func (a *archive) sameBytes() [][]string {
	type content struct {
		size uint64
		crc  uint32
	}
	byContent := make(map[content][]string)
	for name, f := range a.files {
		if c := (content{f.UncompressedSize64, f.CRC32}); c.crc != 0 { // 0 is what some writers leave there
			byContent[c] = append(byContent[c], name)
		}
	}
	var groups [][]string
	for _, names := range byContent {
		if len(names) > 1 {
			slices.Sort(names)
			groups = append(groups, names)
		}
	}
	slices.SortFunc(groups, func(x, y []string) int { return cmp.Compare(x[0], y[0]) })
	return groups
}

// noteSameBytes reports doubled pictures with their splits: one that is in train and in test would flatter the scores. They
// are kept, for the official splits hold them. In an unpacked folder, which has no checksums, they are not looked for.
func (ds *Dataset) noteSameBytes() {
	a, ok := ds.pictures.(*archive)
	if !ok {
		return
	}
	splitOf := make(map[string]string)
	for split, examples := range ds.examples {
		for _, ex := range examples {
			splitOf[ex.ID] = string(split)
		}
	}
	for _, group := range a.sameBytes() {
		named := make([]string, len(group))
		for i, name := range group {
			named[i] = fmt.Sprintf("%s (%s)", name, cmp.Or(splitOf[name], "no split"))
		}
		ds.oddities = append(ds.oddities, fmt.Sprintf("%d images have the same size and checksum and are kept: %s", len(group), strings.Join(named, ", ")))
	}
}

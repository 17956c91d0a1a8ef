package flickr8k

import (
	"cmp"
	"fmt"
	"strings"

	"captionlab/datasets/internal/pictures"
)

// noteSameBytes reports doubled pictures with their splits: one that is in train and in test would flatter the scores. They
// are kept, for the official splits hold them. In an unpacked folder, which has no checksums, they are not looked for.
func (ds *Dataset) noteSameBytes() {
	a, ok := ds.pictures.(*pictures.Archive)
	if !ok {
		return
	}
	splitOf := make(map[string]string)
	for split, examples := range ds.examples {
		for _, ex := range examples {
			splitOf[ex.ID] = string(split)
		}
	}
	for _, group := range a.SameBytes() {
		named := make([]string, len(group))
		for i, name := range group {
			named[i] = fmt.Sprintf("%s (%s)", name, cmp.Or(splitOf[name], "no split"))
		}
		ds.oddities = append(ds.oddities, fmt.Sprintf("%d images have the same size and checksum and are kept: %s", len(group), strings.Join(named, ", ")))
	}
}

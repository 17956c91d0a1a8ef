package coco

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Left is an image of the split, or a caption of the release, that could not be used.
type Left struct {
	ID  string // of the image
	Why string // one of a few fixed texts
}

// The values of Left.Why.
const (
	notInRelease     = "ids of the split that are not in the release, skipped"
	withoutCaption   = "images of the split without a caption, skipped"
	withoutImage     = "images of the split with captions but no image file, skipped"
	captionOfNothing = "captioned image ids that are not among the release's images, skipped"
	twiceInSplit     = "ids listed twice in the split, of which the first is used"
)

// LeftOut lists everything that could not be used, by kind and id.
func (ds *Dataset) LeftOut() []Left { return ds.left }

func (ds *Dataset) leave(id int64, why string) {
	ds.left = append(ds.left, Left{strconv.FormatInt(id, 10), why})
}

// shown is the number of ids in an oddity; LeftOut has all of them.
const shown = 20

// note sorts what was left out and makes an oddity of each kind.
func (ds *Dataset) note() {
	slices.SortFunc(ds.left, func(a, b Left) int {
		return cmp.Or(cmp.Compare(a.Why, b.Why), cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	for rest := ds.left; len(rest) > 0; {
		n := slices.IndexFunc(rest, func(l Left) bool { return l.Why != rest[0].Why })
		if n < 0 {
			n = len(rest)
		}
		var ids []string
		for _, l := range rest[:min(n, shown)] {
			ids = append(ids, l.ID)
		}
		more := ""
		if n > shown {
			more = ", ..."
		}
		ds.oddities = append(ds.oddities, fmt.Sprintf("%s: %d (%s%s)", rest[0].Why, n, strings.Join(ids, ", "), more))
		rest = rest[n:]
	}
}

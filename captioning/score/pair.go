package score

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// pairs are the captions of the scored images, in the order given, and the references of each.
type pairs struct {
	captions []Caption
	refs     [][]string
	byID     []uint32 // indices of captions, sorted by ID
}

// texts returns the texts of the image that is number i by ID.
func (p *pairs) texts(i int) texts {
	at := p.byID[i]
	t := texts{id: p.captions[at].ID, caption: p.captions[at].Text, refs: p.refs[at]}
	if next := int(at) + 1; next < len(p.captions) {
		t.next, t.nextFirst = p.captions[next].Text, p.refs[next][0]
	}
	return t
}

// pairUp returns the captions of images that have references, and the numbers of images that lack one of the two.
func pairUp(refs References, captions []Caption, allowMissing bool) (p *pairs, left Left, err error) {
	p = &pairs{captions: captions, refs: make([][]string, len(captions)), byID: sortedByID(captions)}
	if id, double := doubled(captions, p.byID); double {
		return nil, left, fmt.Errorf("image %s has two captions: keep one", id)
	}
	var noReferences, noCaption []ID
	for i, c := range captions {
		if p.refs[i] = refs[c.ID]; len(p.refs[i]) == 0 {
			noReferences = append(noReferences, c.ID)
		}
	}
	if len(refs) != len(captions)-len(noReferences) { // else all have one
		noCaption = uncaptioned(refs, captions)
	}
	left = Left{NoCaption: len(noCaption), NoReferences: len(noReferences)}
	switch {
	case allowMissing:
	case left.NoReferences > 0:
		return nil, left, missing(noReferences, "a caption but no references", alike(noReferences, noCaption))
	case left.NoCaption > 0:
		return nil, left, missing(noCaption, "references but no caption", "")
	}
	if len(noReferences) == len(captions) {
		return nil, left, fmt.Errorf("no image has both a caption and references: %d captions, "+
			"references of %d images%s", len(captions), len(refs), alike(noReferences, noCaption))
	}
	if len(noReferences) > 0 {
		p.dropUnreferenced()
	}
	return p, left, nil
}

// dropUnreferenced drops the captions without references.
func (p *pairs) dropUnreferenced() {
	kept := &pairs{}
	for i, c := range p.captions {
		if len(p.refs[i]) > 0 {
			kept.captions, kept.refs = append(kept.captions, c), append(kept.refs, p.refs[i])
		}
	}
	kept.byID = sortedByID(kept.captions)
	*p = *kept
}

// uncaptioned returns the images that have references but no caption.
func uncaptioned(refs References, captions []Caption) []ID {
	captioned := make(map[ID]bool, len(captions))
	for _, c := range captions {
		captioned[c.ID] = true
	}
	var out []ID
	for id, r := range refs {
		if !captioned[id] && len(r) > 0 {
			out = append(out, id)
		}
	}
	return out
}

// sortedByID returns the indices of captions in the order of their IDs, equal ones in their own order.
func sortedByID(captions []Caption) []uint32 {
	type key struct {
		start uint64 // the first eight bytes, which decide nearly always
		at    uint32
	}
	keys := make([]key, len(captions))
	for i, c := range captions {
		var start [8]byte
		copy(start[:], c.ID)
		keys[i] = key{binary.BigEndian.Uint64(start[:]), uint32(i)}
	}
	slices.SortFunc(keys, func(a, b key) int {
		if a.start != b.start {
			return cmp.Compare(a.start, b.start)
		}
		if order := strings.Compare(string(captions[a.at].ID), string(captions[b.at].ID)); order != 0 {
			return order
		}
		return cmp.Compare(a.at, b.at)
	})
	order := make([]uint32, len(keys))
	for i, k := range keys {
		order[i] = k.at
	}
	return order
}

// doubled returns the image that is the first to get a second caption.
func doubled(captions []Caption, byID []uint32) (id ID, double bool) {
	first := uint32(len(captions))
	for i := 1; i < len(byID); i++ {
		if captions[byID[i]].ID == captions[byID[i-1]].ID && byID[i] < first {
			first, double = byID[i], true
		}
	}
	if !double {
		return "", false
	}
	return captions[first].ID, true
}

// alike returns a note on a caption's id that looks like another spelling of a reference's id, or nothing.
func alike(captioned, referenced []ID) string {
	byNumber := make(map[string]ID)
	for _, id := range referenced {
		if n := number(id); n != "" && (byNumber[n] == "" || id < byNumber[n]) {
			byNumber[n] = id
		}
	}
	slices.Sort(captioned)
	for _, id := range captioned {
		if other := byNumber[number(id)]; other != "" {
			return fmt.Sprintf("; is image %.200q of the captions image %.200q of the references? "+
				"Write the id in the same way in both files, without padding and file names", id, other)
		}
	}
	return ""
}

// number returns the number, without padding, that an id ends in, not counting a file's folder and extension or a
// fraction.
func number(id ID) string {
	name := string(id[strings.LastIndexByte(string(id), '/')+1:])
	stem, _, _ := strings.Cut(strings.TrimSpace(name), ".")
	digits := stem[len(strings.TrimRight(stem, "0123456789")):]
	if digits == "" {
		return ""
	}
	return "0" + strings.TrimLeft(digits, "0")
}

// missing is the error that the images have only one of caption and references.
func missing(ids []ID, has, note string) error {
	others := ""
	switch n := len(ids) - 1; {
	case n == 1:
		others = ", like 1 other image"
	case n > 1:
		others = fmt.Sprintf(", like %d other images", n)
	}
	return fmt.Errorf("image %s has %s%s: add what is missing, or allow missing ones to skip them%s",
		slices.Min(ids), has, others, note)
}

package score

import "hash/maphash"

// idIndex finds IDs in a list by open addressing. Next to the list it takes a few bytes for each ID, and has no
// pointers.
type idIndex struct {
	ids   []ID
	slots []uint64 // the first half of the hash, then the place in ids, plus 1; 0 means that the slot is free
	seed  maphash.Seed
}

// find returns the place of an ID in ids.
func (x *idIndex) find(id string) (place int32, found bool) {
	if len(x.ids) == 0 {
		return 0, false
	}
	at, _ := x.slot(id)
	return int32(uint32(x.slots[at])) - 1, x.slots[at] != 0
}

// add appends an ID to ids, unless it is there, and returns its place.
func (x *idIndex) add(id []byte, keep func(text []byte) string) (place int32, added bool) {
	if 2*len(x.ids) >= len(x.slots) {
		x.grow()
	}
	at, tag := x.slot(string(id))
	if x.slots[at] == 0 {
		x.ids = append(x.ids, ID(keep(id)))
		x.slots[at], added = tag|uint64(len(x.ids)), true
	}
	return int32(uint32(x.slots[at])) - 1, added
}

// slot returns the slot of an ID, or the free one where it belongs, and the half of its hash that a slot holds.
func (x *idIndex) slot(id string) (at int, tag uint64) {
	const place = 1<<32 - 1
	hash := maphash.String(x.seed, id)
	tag = hash &^ place
	at = int(hash>>32) & (len(x.slots) - 1)
	for s := x.slots[at]; s != 0 && (s&^place != tag || string(x.ids[s&place-1]) != id); s = x.slots[at] {
		at = (at + 1) & (len(x.slots) - 1)
	}
	return at, tag
}

// grow doubles the slots.
func (x *idIndex) grow() {
	old := x.slots
	if old == nil {
		x.seed = maphash.MakeSeed()
	}
	x.slots = make([]uint64, max(64, 2*len(old)))
	for _, s := range old {
		if s == 0 {
			continue
		}
		at := int(s>>32) & (len(x.slots) - 1)
		for x.slots[at] != 0 {
			at = (at + 1) & (len(x.slots) - 1)
		}
		x.slots[at] = s
	}
}

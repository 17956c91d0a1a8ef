package score

import (
	"math"
	"math/bits"
	"runtime"
	"sync/atomic"
)

// frequencies counts, for each n-gram, the images whose references contain it. It is split into parts by the first bits
// of the hash, so that several cores can fill it at once and a part that is being filled is small.
type frequencies struct {
	parts []table
	bits  int       // of the hash, that select the part
	width width     // of the n-grams
	logs  []float64 // natural logarithms of the first numbers from 0; that of 0 is 0, as in cider_scorer.py
}

// maxLogs is the number of logarithms that are kept.
const maxLogs = 1 << 20

func newFrequencies(parts, images int, w width) *frequencies {
	f := &frequencies{bits: bits.Len(uint(parts - 1)), width: w, logs: make([]float64, min(images+1, maxLogs))}
	f.parts = make([]table, 1<<f.bits)
	for n := 1; n < len(f.logs); n++ {
		f.logs[n] = math.Log(float64(n))
	}
	return f
}

// part returns the table of an n-gram with this hash, and the hash for that table.
func (f *frequencies) part(hash uint64) (*table, uint64) {
	return &f.parts[hash>>1>>(63-f.bits)], hash << f.bits
}

// table counts images by n-gram. It uses open addressing with linear probing, and has no pointers.
type table struct {
	slots []slot
	high  []uint64 // the second half of each slot's n-gram; nil if all are 0
	used  int
	read  int32 // see fetch
}

type slot struct {
	lo     uint64
	images int32 // 0 means that the slot is free
	last   int32 // the image counted last
}

// newTable returns a table with room for some n-grams.
func newTable(grams int, w width) table {
	size := 64 + grams + 2*grams/3
	t := table{slots: make([]slot, size)}
	if w == 32 {
		t.high = make([]uint64, size)
	}
	return t
}

// place returns the slot at which the search for a hash begins. Slots are in the order of the hashes.
func (t *table) place(hash uint64) int {
	high, _ := bits.Mul64(hash, uint64(len(t.slots)))
	return int(high)
}

// find returns the slot of an n-gram, or the free slot where it belongs.
func (t *table) find(g ngram, hash uint64) int {
	at := t.place(hash)
	for s := &t.slots[at]; s.images != 0 && (s.lo != g.lo || t.high != nil && t.high[at] != g.hi); s = &t.slots[at] {
		if at++; at == len(t.slots) {
			at = 0
		}
	}
	return at
}

// fetch reads the slot at which the search for a hash begins, and does nothing with it. Most of a large table is far
// from the processor. Several slots that are fetched in a row, before they are needed, arrive at the same time.
func (t *table) fetch(hash uint64) { t.read += t.slots[t.place(hash)].images }

// add counts an image for an n-gram, unless it is the one that was counted last for it.
func (t *table) add(g ngram, hash uint64, image int32) {
	s := &t.slots[t.find(g, hash)]
	if s.images == 0 {
		s = t.use(g, hash)
	} else if s.last == image {
		return
	}
	s.images++
	s.last = image
}

// use takes a free slot for an n-gram that the table lacks. There must be room.
func (t *table) use(g ngram, hash uint64) *slot {
	t.used++
	at := t.find(g, hash)
	t.slots[at].lo = g.lo
	if t.high != nil {
		t.high[at] = g.hi
	}
	return &t.slots[at]
}

// copyOf returns a table of the n-grams of at least some images, with room for some more.
func (f *frequencies) copyOf(t *table, least int32, more int) table {
	kept := more
	for _, s := range t.slots {
		if s.images >= least && s.images > 0 {
			kept++
		}
	}
	out := newTable(kept, f.width)
	for at, s := range t.slots {
		if s.images >= least && s.images > 0 {
			g := t.gram(at)
			free := out.use(g, g.hash()<<f.bits)
			free.images, free.last = s.images, s.last
		}
	}
	return out
}

// gram returns the n-gram of a slot in use.
func (t *table) gram(at int) ngram {
	g := ngram{lo: t.slots[at].lo}
	if t.high != nil {
		g.hi = t.high[at]
	}
	return g
}

// adder adds n-grams to one part of the frequencies, several at once.
type adder struct {
	*frequencies
	table   *table
	waiting []waiting
}

type waiting struct {
	gram  ngram
	hash  uint64 // for the table
	image int32
}

// addAll adds what is waiting. At most three quarters of the slots are in use.
func (a *adder) addAll() {
	if room := 3*len(a.table.slots)/4 - a.table.used; room < len(a.waiting) {
		*a.table = a.copyOf(a.table, 1, a.table.used/2+len(a.waiting))
	}
	for i := range a.waiting {
		a.table.fetch(a.waiting[i].hash)
	}
	for _, w := range a.waiting {
		a.table.add(w.gram, w.hash, w.image)
	}
	a.waiting = a.waiting[:0]
}

// mostGrams is the largest number of different n-grams that a table is allowed while it is filled. It then has 250 MB.
const mostGrams = 1 << 23

// frequencies counts the n-grams of the references, and keeps those of at least some images. With more parts the tables
// that are being filled are smaller, but all texts are read for each part.
func (p *Prepared) frequencies(least int32) *frequencies {
	for parts := runtime.GOMAXPROCS(0); ; parts *= 2 {
		if f := p.frequenciesIn(parts, least, mostGrams); f != nil {
			return f
		}
	}
}

// maxParts is the number of parts from which on tables may have any size.
const maxParts = 1 << 10

// frequenciesIn is frequencies with a number of parts, or the next power of two. It returns nil if one part has more
// than most different n-grams.
func (p *Prepared) frequenciesIn(parts int, least int32, most int) *frequencies {
	f := newFrequencies(parts, p.Len(), p.width)
	var tooLarge atomic.Bool
	inParallel(len(f.parts), func(part int) {
		t := newTable(2*p.Len()/len(f.parts), p.width)
		a := adder{f, &t, make([]waiting, 0, 256)}
		for i := range p.Len() {
			if t.used > most && parts < maxParts {
				tooLarge.Store(true)
			}
			if tooLarge.Load() {
				return
			}
			b, k := p.at(i)
			for text := b.first[k] + 1; text < b.first[k+1]; text++ {
				a.addText(b.text(text), part, int32(i))
			}
		}
		a.addAll()
		f.parts[part] = f.copyOf(&t, least, 0)
	})
	if tooLarge.Load() {
		return nil
	}
	return f
}

// addText adds those n-grams of a text that belong to a part.
func (a *adder) addText(ids []uint32, part int, image int32) {
	for i := range ids {
		var g ngram
		for n, id := range ids[i:min(i+maxOrder, len(ids))] {
			g = a.width.with(g, n, id)
			h := g.hash()
			if int(h>>1>>(63-a.bits)) != part {
				continue
			}
			if a.waiting = append(a.waiting, waiting{g, h << a.bits, image}); len(a.waiting) == cap(a.waiting) {
				a.addAll()
			}
		}
	}
}

// images returns the number of images whose references contain an n-gram.
func (f *frequencies) images(g ngram, hash uint64) int {
	t, h := f.part(hash)
	return int(t.slots[t.find(g, h)].images)
}

// log returns the logarithm of the number of images whose references contain g, 0 if there is none.
func (f *frequencies) log(g ngram, hash uint64) float64 {
	n := f.images(g, hash)
	if n < len(f.logs) {
		return f.logs[n]
	}
	return math.Log(float64(n))
}

package meteor

import "slices"

// beam is the number of partial alignments that the search keeps after each word of the reference.
const beam = 40

// path is an alignment of the reference's words up to one place.
type path struct {
	gain   int32 // what the matches count, see options.gain
	chunks int32 // runs of matches that are adjacent and in the same order in both texts, without an open last one
	// passed is the sum of the distances between places, over the matches that were available but not taken; of a word
	// with a match, only those that come before the taken one. METEOR 1.5 prefers paths with small distances.
	passed int64
	end    int32 // where the open run ends in the caption, or -1 if none is open
	until  int32 // where the last match ends in the reference
	node   int32 // last match, in search.nodes, or -1
	bits   int32 // which bit set, of the words of the caption that have matches, is the path's
}

// node is a match of one path or several.
type node struct {
	Match
	before int32 // the match before, or -1
}

// candidate is a path to be, after one more word of the reference.
type candidate struct {
	gain, chunks int32
	passed       int64
	from         int32 // path that it continues
	with         int32 // which of the word's options, -1 if the word gets no match
	start        int32 // of the match in the caption
}

// better reports whether a comes before b. Of equal candidates, the earlier one comes first.
func (a *candidate) better(b *candidate) bool {
	if a.gain != b.gain {
		return a.gain > b.gain
	}
	if a.chunks != b.chunks {
		return a.chunks < b.chunks
	}
	return a.passed < b.passed
}

// search is METEOR's search for an alignment. It reuses its memory.
type search struct {
	matcher
	width      int // words of a caption's bit set
	now, next  []path
	bits       [2][]uint64 // bit sets, of now and of next, see path.bits
	candidates []candidate
	nodes      []node
}

// align returns the matches of the best alignment that the search finds, by place in the reference.
func (s *search) align(ref, test text) []Match {
	s.find(ref, test)
	s.width = (len(test.words) + 63) / 64
	for i := range s.bits {
		s.bits[i] = resize(s.bits[i], beam*s.width)
	}
	clear(s.bits[0])
	s.nodes = s.nodes[:0]
	s.now = append(s.now[:0], path{end: -1, node: -1})
	for i := range ref.words {
		s.step(int32(i))
	}
	best := s.now[0]
	for _, p := range s.now[1:] {
		if a, b := p.closed(), best.closed(); a.better(&b) {
			best = p
		}
	}
	var matches []Match
	for n := best.node; n >= 0; n = s.nodes[n].before {
		matches = append(matches, s.nodes[n].Match)
	}
	slices.Reverse(matches)
	return matches
}

// closed returns the path as a candidate whose open run has ended.
func (p *path) closed() candidate {
	c := candidate{gain: p.gain, chunks: p.chunks, passed: p.passed}
	if p.end >= 0 {
		c.chunks++
	}
	return c
}

// step moves all paths over word i of the reference.
func (s *search) step(i int32) {
	if len(s.now) == 1 && len(s.at[i]) == 0 && s.now[0].until <= i { // the usual case, without a choice
		c := s.now[0].closed()
		s.now[0].chunks, s.now[0].end = c.chunks, -1
		return
	}
	s.candidates = s.candidates[:0]
	for from := range s.now {
		s.extend(i, int32(from))
	}
	s.next = s.next[:0]
	for k := range s.candidates {
		s.next = append(s.next, s.follow(i, int32(k)))
	}
	s.now, s.next = s.next, s.now
	s.bits[0], s.bits[1] = s.bits[1], s.bits[0]
}

// extend offers the candidates that continue one path with word i of the reference.
func (s *search) extend(i, from int32) {
	p := &s.now[from]
	c := candidate{gain: p.gain, chunks: p.chunks, passed: p.passed, from: from, with: -1}
	if p.until > i { // the word belongs to the last match
		s.offer(&c)
		return
	}
	matched, used := false, s.used(0, p.bits)
	for k := range s.at[i] {
		o := &s.at[i][k]
		gain := p.gain + o.gain()
		for _, start := range o.starts {
			if !free(used, start, int32(o.test)) {
				continue
			}
			matched = true
			c.gain, c.chunks, c.with, c.start = gain, p.chunks, int32(k), start
			if p.end >= 0 && p.end != start {
				c.chunks++
			}
			s.offer(&c)
			c.passed += int64(max(i-start, start-i))
		}
	}
	if matched && s.locked[i] {
		return
	}
	c.gain, c.chunks, c.with = p.gain, p.closed().chunks, -1
	s.offer(&c)
}

// used returns a bit set of now (0) or next (1).
func (s *search) used(which int, set int32) []uint64 {
	return s.bits[which][int(set)*s.width : int(set+1)*s.width]
}

// free reports whether n words of the caption have no match.
func free(used []uint64, start, n int32) bool {
	for j := start; j < start+n; j++ {
		if used[j/64]&(1<<(j%64)) != 0 {
			return false
		}
	}
	return true
}

// offer keeps a candidate if it is among the best.
func (s *search) offer(c *candidate) {
	at := len(s.candidates)
	if at == beam {
		if !c.better(&s.candidates[at-1]) {
			return
		}
		at--
	} else {
		s.candidates = append(s.candidates, *c)
	}
	for at > 0 && c.better(&s.candidates[at-1]) {
		s.candidates[at] = s.candidates[at-1]
		at--
	}
	s.candidates[at] = *c
}

// follow returns the path of candidate k.
func (s *search) follow(i, k int32) path {
	c := &s.candidates[k]
	p := s.now[c.from]
	used := s.used(1, k)
	copy(used, s.used(0, p.bits))
	p.gain, p.chunks, p.passed, p.bits = c.gain, c.chunks, c.passed, k
	switch {
	case p.until > i:
	case c.with < 0:
		p.end = -1
	default:
		o := &s.at[i][c.with]
		p.end = c.start + int32(o.test)
		for j := c.start; j < p.end; j++ {
			used[j/64] |= 1 << (j % 64)
		}
		p.until = i + int32(o.ref)
		s.nodes = append(s.nodes, node{Match{o.module, Span{int(i), int(o.ref)}, Span{int(c.start), int(o.test)}},
			p.node})
		p.node = int32(len(s.nodes) - 1)
	}
	return p
}

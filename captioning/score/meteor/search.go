package meteor

import "slices"

// beam is the number of partial alignments that the search keeps after each word of the reference.
const beam = 40

// path is an alignment of the reference's words up to one place.
type path struct {
	gain   int32 // what the matches count, see options.gain
	chunks int32 // runs of matches that are adjacent and in the same order in both texts, without the last if it is open
	// passed is the sum of the distances between places, over the matches that were available but not taken; of a word
	// with a match, only those that come before the taken one. METEOR 1.5 prefers paths with small distances.
	passed int64
	end    int32 // where the open run ends in the caption, or -1 if none is open
	until  int32 // where the last match ends in the reference
	node   int32 // last match, in search.nodes, or -1
	used   []uint64
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
	from         int32    // path that it continues
	with         *options // nil if the word gets no match
	start        int32    // of the match in the caption
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
	bits       [2][]uint64 // memory of path.used, of now and of next
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
	s.now = append(s.now[:0], path{end: -1, node: -1, used: s.bits[0][:s.width]})
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
		s.next = append(s.next, s.follow(i, &s.candidates[k], s.bits[1][k*s.width:(k+1)*s.width]))
	}
	s.now, s.next = s.next, s.now
	s.bits[0], s.bits[1] = s.bits[1], s.bits[0]
}

// extend offers the candidates that continue one path with word i of the reference.
func (s *search) extend(i, from int32) {
	p := &s.now[from]
	c := candidate{gain: p.gain, chunks: p.chunks, passed: p.passed, from: from}
	if p.until > i { // the word belongs to the last match
		s.offer(&c)
		return
	}
	matched := false
	for k := range s.at[i] {
		o := &s.at[i][k]
		gain := p.gain + o.gain()
		for _, start := range o.starts {
			if !p.free(start, int32(o.test)) {
				continue
			}
			matched = true
			c.gain, c.chunks, c.with, c.start = gain, p.chunks, o, start
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
	c.gain, c.chunks, c.with = p.gain, p.closed().chunks, nil
	s.offer(&c)
}

// free reports whether n words of the caption have no match.
func (p *path) free(start, n int32) bool {
	for j := start; j < start+n; j++ {
		if p.used[j/64]&(1<<(j%64)) != 0 {
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

// follow returns the path of a candidate, whose bit set it writes to used.
func (s *search) follow(i int32, c *candidate, used []uint64) path {
	p := s.now[c.from]
	copy(used, p.used)
	p.gain, p.chunks, p.passed, p.used = c.gain, c.chunks, c.passed, used
	switch {
	case p.until > i:
	case c.with == nil:
		p.end = -1
	default:
		p.end = c.start + int32(c.with.test)
		for j := c.start; j < p.end; j++ {
			used[j/64] |= 1 << (j % 64)
		}
		p.until = i + int32(c.with.ref)
		s.nodes = append(s.nodes, node{Match{c.with.module, Span{int(i), int(c.with.ref)},
			Span{int(c.start), int(c.with.test)}}, p.node})
		p.node = int32(len(s.nodes) - 1)
	}
	return p
}

package score

import "strings"

// words assigns a number, from 1, to each distinct word.
type words map[string]uint32

// number appends the numbers of tokens to ids.
func (w words) number(ids []uint32, tokens []string) []uint32 {
	for _, t := range tokens {
		id, ok := w[t]
		if !ok {
			id = uint32(len(w) + 1)
			w[strings.Clone(t)] = id
		}
		ids = append(ids, id)
	}
	return ids
}

// block holds the tokens of some images as word numbers, one text after the other: of each image its caption, then its
// references. There are no pointers in it, and no n-grams: they are several times as large, and quickly counted again.
type block struct {
	tokens []uint32
	ends   []uint32               // of each text, its end in tokens
	first  []uint32               // of each image, its caption's index in ends; one more at the end
	joined map[int][]joinedTokens // by image; nil if there are none
}

// maxBlock is the largest number of images in a block. Its tokens, with maxImageWords, can be counted in 32 bits.
const maxBlock = 1024

// text returns the tokens of a text of the block.
func (b *block) text(k uint32) []uint32 {
	from := uint32(0)
	if k > 0 {
		from = b.ends[k-1]
	}
	return b.tokens[from:b.ends[k]:b.ends[k]]
}

// load makes s the block's image i.
func (b *block) load(s *segment, i int) {
	s.counted, s.joined = false, b.joined[i]
	s.test, s.refs = b.text(b.first[i]), s.refs[:0]
	for k := b.first[i] + 1; k < b.first[i+1]; k++ {
		s.refs = append(s.refs, b.text(k))
	}
}

// texts are the caption and the references of an image, with what the reference implementation tokenizes after them.
type texts struct {
	id        ID
	caption   string
	refs      []string
	next      string // caption
	nextFirst string // reference
}

// filler tokenizes images into blocks and numbers their words. Each core has one, with its own numbers.
type filler struct {
	words    words
	tokenize func(text, after string) []string // the result is valid until the next call
	block    block                             // its memory is used for one block after the other
	common   []uint32                          // of each number, the one that all cores use
}

// fill returns the block of n images. It fails if one of them is too long.
func (f *filler) fill(n int, image func(i int) texts) (block, error) {
	b := &f.block
	b.tokens, b.ends, b.first, b.joined = b.tokens[:0], b.ends[:0], b.first[:0], nil
	for i := range n {
		b.first = append(b.first, uint32(len(b.ends)))
		if err := f.add(i, image(i)); err != nil {
			return block{}, err
		}
	}
	b.first = append(b.first, uint32(len(b.ends)))
	return block{exact(b.tokens), exact(b.ends), exact(b.first), b.joined}, nil
}

// exact returns a copy of s without room to grow.
func exact(s []uint32) []uint32 {
	out := make([]uint32, len(s))
	copy(out, s)
	return out
}

// add appends image i to the block.
func (f *filler) add(i int, t texts) error {
	b, words := &f.block, 0
	for k := range 1 + len(t.refs) {
		text, after := t.caption, t.next
		if k > 0 {
			text, after = t.refs[k-1], t.nextFirst
			if k < len(t.refs) {
				after = t.refs[k]
			}
		}
		whole := f.tokenize(text, after)
		tokens := takeApart(whole)
		if err := checkTokenCount(t.id, k, len(tokens)); err != nil {
			return err
		}
		if k > 0 {
			words += len(tokens)
		}
		if len(whole) != len(tokens) {
			if b.joined == nil {
				b.joined = make(map[int][]joinedTokens)
			}
			b.joined[i] = append(b.joined[i], joinedTokens{k, f.words.number(nil, whole)})
		}
		b.tokens = f.words.number(b.tokens, tokens)
		b.ends = append(b.ends, uint32(len(b.tokens)))
	}
	return checkImage(t.id, words)
}

// translate fills f.common. It adds the words that common lacks.
func (f *filler) translate(common words) {
	f.common = make([]uint32, len(f.words)+1)
	for word, id := range f.words {
		number, ok := common[word]
		if !ok {
			number = uint32(len(common) + 1)
			common[word] = number
		}
		f.common[id] = number
	}
}

// apply replaces the numbers in a block by the common ones.
func (f *filler) apply(b *block) {
	change := func(ids []uint32) {
		for i, id := range ids {
			ids[i] = f.common[id]
		}
	}
	change(b.tokens)
	for _, image := range b.joined {
		for _, j := range image {
			change(j.tokens)
		}
	}
}

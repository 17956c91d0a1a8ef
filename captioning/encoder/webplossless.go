package encoder

import (
	"errors"
	"fmt"
	"io"
)

// A lossless WebP may hold 65,536 groups of prefix codes, for which the decoder takes gigabytes. How many there are,
// and how large, is only known after reading the start of the bitstream, as this file does without decoding pixels.
//
// Reference: the specification of the WebP lossless bitstream, sections 4 (transformations), 5 (image data) and 6
// (entropy-coded image).

var errLossless = errors.New("the lossless WebP holds impossible codes")

// The numbers of symbols of the five codes of a group; a colour cache adds to the first.
var alphabetsVP8L = [5]int{256 + 24, 256, 256, 256, 40}

// losslessMemory returns the bytes that golang.org/x/image/vp8l takes for the codes in a chunk "VP8L". Fails if they
// are more than most.
func losslessMemory(chunk []byte, width, height int, most int64) (int64, error) {
	const headerSize = 5
	b := &bitsVP8L{data: chunk[headerSize:]}
	sum, err := b.memory(width, height, most)
	if b.beyond {
		return 0, io.ErrUnexpectedEOF
	}
	return sum, err
}

func (b *bitsVP8L) memory(width, height int, most int64) (sum int64, err error) {
	for seen := 0; b.read(1) == 1; seen++ {
		if seen == 4 {
			return 0, errLossless
		}
		if width, err = b.skipTransform(width, height); err != nil {
			return 0, err
		}
	}
	cache := b.cacheBits()
	groups := 1
	if b.read(1) == 1 {
		bits := b.read(3) + 2
		largest, err := b.skipImage(tiles(width, bits), tiles(height, bits))
		if err != nil {
			return 0, err
		}
		groups += largest
	}
	sum = int64(4) << cache
	for range groups {
		_, size, err := b.group(cache)
		if err != nil {
			return 0, err
		}
		if sum += size; sum > most {
			return 0, fmt.Errorf("its codes would take more than %d MB of memory; save it again", most/1_000_000)
		}
	}
	return sum, nil
}

// tiles is the number of tiles of 1 << bits pixels along a side.
func tiles(side int, bits uint32) int { return (side + 1<<bits - 1) >> bits }

// bitsVP8L reads bits, the least significant ones first. Behind the end of data there are zeros.
type bitsVP8L struct {
	data   []byte
	bits   uint64
	n      uint32 // bits in bits
	beyond bool   // some were read behind the end
}

// read reads at most 16 bits.
func (b *bitsVP8L) read(n uint32) uint32 {
	for b.n < n {
		if len(b.data) == 0 {
			b.beyond, b.n = true, 64
			break
		}
		b.bits |= uint64(b.data[0]) << b.n
		b.data, b.n = b.data[1:], b.n+8
	}
	v := b.bits & (1<<n - 1)
	b.bits, b.n = b.bits>>n, b.n-n
	return uint32(v)
}

func (b *bitsVP8L) cacheBits() uint32 {
	if b.read(1) == 0 {
		return 0
	}
	return b.read(4)
}

// skipTransform returns the width of the image before the transformation that it skips.
func (b *bitsVP8L) skipTransform(width, height int) (int, error) {
	const predictor, crossColour, subtractGreen = 0, 1, 2
	switch b.read(2) {
	case predictor, crossColour:
		bits := b.read(3) + 2
		_, err := b.skipImage(tiles(width, bits), tiles(height, bits))
		return width, err
	case subtractGreen:
		return width, nil
	}
	colours := int(b.read(8)) + 1
	_, err := b.skipImage(colours, 1)
	bits := uint32(0) // several pixels are packed into one
	switch {
	case colours <= 2:
		bits = 3
	case colours <= 4:
		bits = 2
	case colours <= 16:
		bits = 1
	}
	return tiles(width, bits), err
}

// skipImage skips an image that is coded with one group, and returns the largest number in red and green of its pixels.
func (b *bitsVP8L) skipImage(width, height int) (largest int, err error) {
	g, _, err := b.group(b.cacheBits())
	if err != nil {
		return 0, err
	}
	for left := int64(width) * int64(height); left > 0; left-- {
		green, err := g[0].next(b)
		switch {
		case err != nil:
			return 0, err
		case green < 256:
			red, redErr := g[1].next(b)
			_, blueErr := g[2].next(b)
			_, alphaErr := g[3].next(b)
			err = errors.Join(redErr, blueErr, alphaErr)
			largest = max(largest, red<<8|green)
		case green < 256+24:
			left -= b.parameter(green-256) - 1
			distance, distanceErr := g[4].next(b)
			b.parameter(distance)
			err = distanceErr
		}
		if err != nil {
			return 0, err
		}
	}
	return largest, nil
}

// parameter reads a length or distance.
func (b *bitsVP8L) parameter(symbol int) int64 {
	if symbol < 4 {
		return int64(symbol) + 1
	}
	extra := uint32(symbol-2) >> 1
	return int64(2+symbol&1)<<extra + int64(b.read(extra)) + 1
}

// codeVP8L is a canonical prefix code.
type codeVP8L struct {
	counts  [16]int  // of codes by length in bits; all 0 if there is only one symbol, which takes no bits
	symbols []uint16 // by length, then by value
}

// group reads the five codes of a group, and counts the bytes that the decoder takes for them.
func (b *bitsVP8L) group(cache uint32) (g [5]codeVP8L, size int64, err error) {
	const tableSize, symbolSize, lengthsSize = 540, 16, 1200 // lookup table, two nodes, and the code of code lengths
	for i, alphabet := range alphabetsVP8L {
		if i == 0 && cache > 0 {
			alphabet += 1 << cache
		}
		simple := b.read(1) == 1
		if simple {
			g[i], err = b.simpleCode(alphabet)
		} else {
			g[i], err = b.code(alphabet)
			size += lengthsSize + 8*int64(alphabet)
		}
		if err != nil {
			return g, 0, err
		}
		size += tableSize + symbolSize*int64(len(g[i].symbols))
	}
	return g, size, nil
}

// simpleCode reads a code of one or two symbols.
func (b *bitsVP8L) simpleCode(alphabet int) (codeVP8L, error) {
	two, wide := b.read(1) == 1, b.read(1) == 1
	bits := uint32(1)
	if wide {
		bits = 8
	}
	c := codeVP8L{symbols: []uint16{uint16(b.read(bits))}}
	if two {
		c.symbols = append(c.symbols, uint16(b.read(8)))
		c.counts[1] = 2
	}
	for _, s := range c.symbols {
		if int(s) >= alphabet {
			return c, errLossless
		}
	}
	return c, b.err()
}

// code reads a code by the lengths of its symbols, which are coded as well.
func (b *bitsVP8L) code(alphabet int) (codeVP8L, error) {
	order := [19]int{17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	var lengthsOfLengths [19]uint8
	for _, i := range order[:b.read(4)+4] {
		lengthsOfLengths[i] = uint8(b.read(3))
	}
	ofLengths, err := newCodeVP8L(lengthsOfLengths[:])
	if err != nil {
		return codeVP8L{}, err
	}
	tokens := alphabet
	if b.read(1) == 1 {
		tokens = 2 + int(b.read(2+2*b.read(3)))
	}
	lengths := make([]uint8, 0, alphabet)
	last := uint8(8) // of those that are not 0
	for ; tokens > 0 && len(lengths) < alphabet; tokens-- {
		token, err := ofLengths.next(b)
		if err != nil {
			return codeVP8L{}, err
		}
		length, times := uint8(0), 1
		switch {
		case token < 16:
			if length = uint8(token); token > 0 {
				last = length
			}
		case token == 16:
			length, times = last, 3+int(b.read(2))
		case token == 17:
			times = 3 + int(b.read(3))
		default:
			times = 11 + int(b.read(7))
		}
		for range times {
			lengths = append(lengths, length)
		}
	}
	if tokens > alphabet || len(lengths) > alphabet {
		return codeVP8L{}, errLossless
	}
	return newCodeVP8L(lengths)
}

// newCodeVP8L fails unless the code is complete or has one symbol.
func newCodeVP8L(lengths []uint8) (codeVP8L, error) {
	var c codeVP8L
	for _, l := range lengths {
		c.counts[l]++
	}
	c.counts[0] = 0
	var place [17]int // of the next symbol of each length
	for l, n := range c.counts {
		place[l+1] = place[l] + n
	}
	c.symbols = make([]uint16, place[16])
	for symbol, l := range lengths {
		if l > 0 {
			c.symbols[place[l]] = uint16(symbol)
			place[l]++
		}
	}
	if len(c.symbols) == 1 {
		c.counts = [16]int{}
		return c, nil
	}
	free := 1
	for _, n := range c.counts[1:] {
		if free = 2*free - n; free < 0 {
			return c, errLossless
		}
	}
	if free != 0 {
		return c, errLossless
	}
	return c, nil
}

// next reads a symbol.
func (c *codeVP8L) next(b *bitsVP8L) (int, error) {
	if len(c.symbols) == 1 {
		return int(c.symbols[0]), b.err()
	}
	code, first, at := 0, 0, 0
	for _, n := range c.counts[1:] {
		code |= int(b.read(1))
		if code-first < n {
			return int(c.symbols[at+code-first]), b.err()
		}
		at, first, code = at+n, (first+n)<<1, code<<1
	}
	return 0, errLossless
}

func (b *bitsVP8L) err() error {
	if b.beyond {
		return io.ErrUnexpectedEOF
	}
	return nil
}

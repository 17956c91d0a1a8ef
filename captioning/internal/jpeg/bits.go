package jpeg

import (
	"bytes"
	"encoding/binary"
)

const (
	windowSize = 1 << 13
	// reserve is what decoding one block reads at most: 64 times a code and a value of 16 bits each, and what is read
	// ahead.
	reserve = 64*4 + 32
)

// bits reads the data of a scan up to the next marker. The stuffing, a zero that follows each 0xff, is taken out a
// window at a time, so that eight bytes can be read at once anywhere.
type bits struct {
	acc  uint64 // the next bits, from the highest on
	n    int    // how many bits of acc count
	at   int    // of the next byte in the window
	turn int    // call more before a block if at lies behind it

	rest  []byte // what follows the window
	end   int    // of the window's content
	final bool   // a marker, or the end of the file, follows the window
	bytes [windowSize + reserve]byte
}

// start begins to read data. Its first byte is byte-aligned, as after a marker.
func (b *bits) start(data []byte) {
	b.acc, b.n, b.at, b.end, b.final, b.rest = 0, 0, 0, 0, false, data
	b.fill()
}

// fill fills up the window. It puts zeros behind the last byte of all.
func (b *bits) fill() {
	for b.end < windowSize && !b.final {
		part := b.rest[:min(len(b.rest), windowSize-b.end)]
		n := bytes.IndexByte(part, 0xff)
		if n < 0 {
			n = len(part)
		}
		b.end += copy(b.bytes[b.end:], part[:n])
		b.rest = b.rest[n:]
		switch {
		case len(b.rest) >= 2 && b.rest[0] == 0xff && b.rest[1] == 0:
			if b.end < windowSize {
				b.bytes[b.end] = 0xff
				b.end++
				b.rest = b.rest[2:]
			}
		case len(b.rest) == 0 || b.rest[0] == 0xff:
			b.final = true
		}
	}
	b.turn = b.end - reserve
	if b.final {
		clear(b.bytes[b.end : b.end+reserve])
		b.turn = b.end
	}
}

// more makes sure that the window holds what a block may read. It is false if more was read than there is.
func (b *bits) more() bool {
	if b.final {
		return b.read() <= b.end
	}
	if b.at > b.end {
		return false
	}
	b.end = copy(b.bytes[:], b.bytes[b.at:b.end])
	b.at = 0
	b.fill()
	return true
}

// read is the end of the bytes in the window that were read, at least in part.
func (b *bits) read() int { return b.at - b.n>>3 }

// finish ends the reading and returns what follows. The flag all tells whether that is a marker or the end of the
// file, right behind the bytes that were read. It is not ok if more was read than there is.
func (b *bits) finish() (rest []byte, all, ok bool) {
	if !b.final && !b.more() {
		return nil, false, false
	}
	return b.rest, b.final && b.read() == b.end, b.read() <= b.end
}

// refill adds bits so that at least 56 count. Bits of acc beyond those that count are zero or equal to the bits that
// follow, so that or-ing them again changes nothing.
func (b *bits) refill() {
	b.acc |= binary.BigEndian.Uint64(b.bytes[b.at:]) >> (b.n & 63)
	b.at += (63 - b.n) >> 3
	b.n |= 56
}

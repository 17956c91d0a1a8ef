package jpeg

import "encoding/binary"

// maxBlocks is the largest number of blocks in a minimum coded unit.
const maxBlocks = 10

// block is 8 x 8 coefficients, column by column.
type block [64]int32

// natural is the place in a block of each coefficient in zigzag order.
var natural = [64]uint8{
	0, 8, 1, 2, 9, 16, 24, 17, 10, 3, 4, 11, 18, 25, 32, 40,
	33, 26, 19, 12, 5, 6, 13, 20, 27, 34, 41, 48, 56, 49, 42, 35,
	28, 21, 14, 7, 15, 22, 29, 36, 43, 50, 57, 58, 51, 44, 37, 30,
	23, 31, 38, 45, 52, 59, 60, 53, 46, 39, 47, 54, 61, 62, 55, 63,
}

// steps are, for each coefficient in zigzag order, its place in a block and its quantization step. Those behind the
// last are for runs of zeros that are too long, which decodeAC notices afterwards.
type steps [128]struct {
	place uint32
	step  int32
}

// set sets the steps to those of a quantization table.
func (s *steps) set(quant *[64]int32) {
	for i, place := range natural {
		s[i].place, s[i].step = uint32(place), quant[i]
	}
}

// decodeScan decodes the data of the scan into the planes. The components are in the order of the scan.
func (d *decoder) decodeScan(components []*component) bool {
	for _, c := range components {
		c.steps.set(c.quant)
	}
	d.bits.start(d.rest)
	left, restart := d.interval, byte(markerRST0)
	for y := range d.lines {
		for x := range d.columns {
			if d.interval > 0 {
				if left == 0 {
					if !d.restart(restart) {
						return false
					}
					restart = markerRST0 + (restart+1)&7
					left = d.interval
				}
				left--
			}
			if !d.decodeUnit(components, x, y) {
				return false
			}
		}
	}
	rest, _, ok := d.bits.finish()
	d.rest = rest
	return ok
}

// restart expects a restart marker and begins anew behind it.
func (d *decoder) restart(marker byte) bool {
	rest, all, ok := d.bits.finish()
	if !ok || !all || len(rest) < 2 || rest[1] != marker {
		return false
	}
	d.bits.start(rest[2:])
	for i := range d.components {
		d.components[i].before = 0
	}
	return true
}

// decodeUnit decodes the minimum coded unit x of line y into the planes.
func (d *decoder) decodeUnit(components []*component, x, y int) bool {
	for _, c := range components {
		for v := range c.v {
			for h := range c.h {
				used, ok := d.decodeBlock(c)
				if !ok {
					return false
				}
				at := 8 * ((y*c.v+v)*c.stride + x*c.h + h)
				transform(&d.coef, used, c.plane[at:at+7*c.stride+8], c.stride)
			}
		}
	}
	return true
}

// decodeBlock decodes one block of the component into d.coef, which has to be zero, and multiplies its coefficients by
// their quantization steps. Bit i of used is set if coefficient i may be other than zero.
func (d *decoder) decodeBlock(c *component) (used uint64, ok bool) {
	b := &d.bits
	if b.at > b.turn && !b.more() {
		return 0, false
	}
	difference, ok := b.decodeDC(c.dc)
	if !ok {
		return 0, false
	}
	c.before += difference
	d.coef[0] = c.before * c.steps[0].step
	return d.decodeAC(c.ac, &c.steps)
}

// decodeAC decodes all coefficients but the first. Bits for two are read at once: looking up takes lookupBits at most
// for the first, and the second takes 32 at most.
func (d *decoder) decodeAC(table *huffman, steps *steps) (used uint64, ok bool) {
	b, coef := &d.bits, &d.coef
	acc, n, at, window := b.acc, b.n, b.at, b.bytes[:]
	used = 1
	k := 1
	for k < 64 {
		acc |= binary.BigEndian.Uint64(window[at:at+8]) >> (n & 63)
		at += (63 - n) >> 3
		n |= 56
		e := table.lookup[acc>>(64-lookupBits)]
		if e&whole != 0 {
			acc <<= e & lengthMask
			n -= int(e & lengthMask)
			k += int(e >> 8 & 31)
			s := &steps[(k-1)&127]
			coef[s.place&63] = int32(e) >> 16 * s.step
			used |= 1 << (s.place & 63)
			if k >= 64 {
				break
			}
			e = table.lookup[acc>>(64-lookupBits)]
		}
		acc <<= e & lengthMask
		n -= int(e & lengthMask)
		if e&whole == 0 {
			symbol := uint8(e >> 8)
			if e == 0 {
				var length int
				if symbol, length = table.long(acc); length == 0 {
					return 0, false
				}
				acc <<= length & 63
				n -= length
			}
			size := int(symbol & 15)
			if size == 0 {
				if symbol == 0 {
					break
				}
				if symbol != 0xf0 {
					return 0, false
				}
				k += 16
				continue
			}
			negative := ^uint64(int64(acc) >> 63)
			v := ((acc^negative)>>(-size&63) ^ negative) - negative
			e = uint32(v)<<16 | uint32(symbol>>4+1)<<8
			acc <<= size
			n -= size
		}
		k += int(e >> 8 & 31)
		s := &steps[(k-1)&127]
		coef[s.place&63] = int32(e) >> 16 * s.step
		used |= 1 << (s.place & 63)
	}
	b.acc, b.n, b.at = acc, n, at
	return used, k <= 64
}

// decodeDC decodes the difference of a DC coefficient to the one before.
func (b *bits) decodeDC(table *huffman) (difference int32, ok bool) {
	b.refill()
	e := table.lookup[b.acc>>(64-lookupBits)]
	length := int(e & lengthMask)
	if e&whole != 0 {
		b.acc <<= length
		b.n -= length
		return int32(e) >> 16, true
	}
	symbol := uint8(e >> 8)
	if e == 0 {
		if symbol, length = table.long(b.acc); length == 0 {
			return 0, false
		}
	}
	size := int(symbol)
	if size > 16 {
		return 0, false
	}
	b.acc <<= length
	difference = extend(int32(b.acc>>(64-size)), size)
	b.acc <<= size
	b.n -= length + size
	return difference, true
}

package jpeg

import "encoding/binary"

// maxTiles is the largest number of blocks in a minimum coded unit.
const maxTiles = 10

// block is 8 x 8 coefficients, column by column.
type block [64]int32

// natural is the place in a block of each coefficient in zigzag order. Places behind the last are for runs of zeros
// that are too long, which decodeBlock notices afterwards.
var natural = [128]uint8{
	0, 8, 1, 2, 9, 16, 24, 17, 10, 3, 4, 11, 18, 25, 32, 40,
	33, 26, 19, 12, 5, 6, 13, 20, 27, 34, 41, 48, 56, 49, 42, 35,
	28, 21, 14, 7, 15, 22, 29, 36, 43, 50, 57, 58, 51, 44, 37, 30,
	23, 31, 38, 45, 52, 59, 60, 53, 46, 39, 47, 54, 61, 62, 55, 63,
}

// decodeScan decodes the data of the scan into the planes. The components are in the order of the scan.
func (d *decoder) decodeScan(components []*component) bool {
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
			if !d.decodeUnit(components) {
				return false
			}
			d.place(components, x, y)
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

// decodeUnit decodes a minimum coded unit into tiles.
func (d *decoder) decodeUnit(components []*component) bool {
	i := 0
	for _, c := range components {
		for range c.h * c.v {
			used, ok := d.decodeBlock(c)
			if !ok || i >= maxTiles {
				return false
			}
			transform(&d.coef, used, &d.tiles[i])
			i++
		}
	}
	return true
}

// place copies tiles to the planes, for the minimum coded unit x of line y.
func (d *decoder) place(components []*component, x, y int) {
	i := 0
	for _, c := range components {
		for v := range c.v {
			for h := range c.h {
				tile := &d.tiles[i]
				i++
				to := c.plane[8*((y*c.v+v)*c.stride+x*c.h+h):]
				for row := range 8 {
					from := tile[8*row : 8*row+8 : 8*row+8]
					binary.NativeEndian.PutUint64(to[row*c.stride:], binary.NativeEndian.Uint64(from))
				}
			}
		}
	}
}

// decodeBlock decodes one block of the component into d.coef, which has to be zero, and multiplies its coefficients by
// their quantization steps. Bit i of used is set if coefficient i may be other than zero.
func (d *decoder) decodeBlock(c *component) (used uint64, ok bool) {
	b, coef, quant := &d.bits, &d.coef, c.quant
	if b.at > b.turn && !b.more() {
		return 0, false
	}
	difference, ok := b.decodeDC(c.dc)
	if !ok {
		return 0, false
	}
	c.before += difference
	coef[0] = c.before * quant[0]
	used = 1
	table := c.ac
	acc, n, at, window := b.acc, b.n, b.at, b.bytes[:]
	k := 1
	for k < 64 {
		acc |= binary.BigEndian.Uint64(window[at:at+8]) >> (n & 63)
		at += (63 - n) >> 3
		n |= 56
		e := table.lookup[acc>>(64-lookupBits)]
		acc <<= e & lengthMask
		n -= int(e & lengthMask)
		if e&whole == 0 {
			symbol := uint8(e >> 8)
			if e == 0 {
				var length int
				if symbol, length = table.long(acc); length == 0 {
					return 0, false
				}
				acc <<= length
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
		place := uint64(natural[(k-1)&127] & 63)
		coef[place] = int32(e) >> 16 * quant[(k-1)&63]
		used |= 1 << place
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

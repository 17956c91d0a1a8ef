package jpeg

import "encoding/binary"

// The inverse cosine transform is that of image/jpeg since Go 1.26, to the bit, also where 32-bit integers overflow:
// the factorisation of Loeffler, Ligtenberg and Moschytz (Practical fast 1-D DCT algorithms with 11 multiplications,
// ICASSP 1989), rows first, then columns. Coefficients that are zero are left out of the sums, unless vectors of
// numbers make all sums at once.

// Constants of the rotations, in fixed point with as many fractional bits as the suffix says.
const (
	cos1at12, sin1at12 = 4017, 799     // of pi/16
	cos3at12, sin3at12 = 3406, 2276    // of 3 pi/16
	cos6at12, sin6at12 = 1108, 2676    // of 6 pi/16, divided by the root of 2
	cos6at18, sin6at18 = 70936, 171254 // of 6 pi/16, divided by the root of 2
	rootAt8, rootAt14  = 181, 11585    // the root of 1/2
)

// Masks of bits that say which coefficients may be other than zero.
const (
	firstRow    = 0x0101010101010101
	lastRows    = 0xf0f0f0f0f0f0f0f0 // rows 4 to 7
	lastColumns = 0xffffffff00000000
)

// transform turns coefficients into samples and sets the coefficients to zero. Bit i of used tells whether coefficient
// i may be other than zero. A row of eight samples begins at every stride-th byte of out.
func transform(b *block, used uint64, out []uint8, stride int) {
	switch {
	case used&^1 == 0:
		samples := firstRow * uint64(flat(b[0]<<17))
		for y := range 8 {
			binary.NativeEndian.PutUint64(out[y*stride:], samples)
		}
		b[0] = 0
	case vectors:
		transformVectors(b, &out[:7*stride+8][0], stride)
	default:
		var tile [64]uint8
		transformNumbers(b, used, &tile)
		for y := range 8 {
			copy(out[y*stride:y*stride+8], tile[8*y:])
		}
	}
}

// transformNumbers is transform without vectors of numbers, for a stride of eight.
func transformNumbers(b *block, used uint64, out *[64]uint8) {
	for y := range 8 {
		row := (*[57]int32)(b[y:])
		switch part := used >> y & firstRow; {
		case part == 0:
		case part == 1:
			for x := 56; x >= 0; x -= 8 {
				row[x] = row[0] << 17
			}
		case part&lastColumns == 0:
			shortRow(row)
		default:
			fullRow(row)
		}
	}
	switch {
	case used&^firstRow == 0:
		for x := range 8 {
			v := flat(b[8*x])
			for y := range 8 {
				out[8*y+x] = v
			}
		}
	case used&lastRows == 0:
		shortColumns(b, out)
	default:
		fullColumns(b, out)
	}
	*b = block{}
}

// flat is a column of the result of a transformed row when all other rows are zero.
func flat(v int32) uint8 { return sample((v + 1<<19) >> 2) }

// sample rounds the result of a column to a sample from 0 to 255.
func sample(v int32) uint8 {
	v = v>>18 + 128
	if uint32(v) > 255 {
		v = ^(v >> 31)
	}
	return uint8(v)
}

// rotate rotates x and y.
func rotate(x, y, cos, sin int32) (int32, int32) {
	sum := cos * (x + y)
	return sum - (cos+sin)*y, sum + (sin-cos)*x
}

// fullRow transforms a row in place. The numbers of a row are eight apart.
func fullRow(r *[57]int32) {
	x0, x1 := r[0]<<17+r[32]<<17, r[0]<<17-r[32]<<17
	x2, x3 := rotate(r[16], r[48], cos6at18, sin6at18)
	x0, x1, x2, x3 = x0+x3, x1+x2, x1-x2, x0-x3
	x7, x4 := r[8]<<7+r[56]<<7, r[8]<<7-r[56]<<7
	x5, x6 := r[24]*rootAt8, r[40]*rootAt8
	x7, x5, x4, x6 = x7+x5, x7-x5, x4+x6, x4-x6
	x4, x7 = rotate(x4>>2, x7>>2, cos3at12, sin3at12)
	x5, x6 = rotate(x5>>2, x6>>2, cos1at12, sin1at12)
	r[0], r[56] = x0+x7, x0-x7
	r[8], r[48] = x1+x6, x1-x6
	r[16], r[40] = x2+x5, x2-x5
	r[24], r[32] = x3+x4, x3-x4
}

// shortRow is fullRow for a row whose last four coefficients are zero.
func shortRow(r *[57]int32) {
	dc, x2, x3 := r[0]<<17, r[16]*cos6at18, r[16]*sin6at18
	x0, x1, x2, x3 := dc+x3, dc+x2, dc-x2, dc-x3
	x4, x5 := r[8]<<7, r[24]*rootAt8
	x7, x5, x6 := (x4+x5)>>2, (x4-x5)>>2, x4>>2
	x4, x7 = rotate(x6, x7, cos3at12, sin3at12)
	x5, x6 = rotate(x5, x6, cos1at12, sin1at12)
	r[0], r[56] = x0+x7, x0-x7
	r[8], r[48] = x1+x6, x1-x6
	r[16], r[40] = x2+x5, x2-x5
	r[24], r[32] = x3+x4, x3-x4
}

func fullColumns(b *block, out *[64]uint8) {
	for i := range 8 {
		c := (*[8]int32)(b[8*i : 8*i+8])
		x0, x1 := c[0]+1<<19, c[4]
		x0, x1 = (x0+x1)>>2, (x0-x1)>>2
		x2, x3 := rotate(c[2]>>13, c[6]>>13, cos6at12, sin6at12)
		x0, x1, x2, x3 = x0+x3, x1+x2, x1-x2, x0-x3
		x7, x4 := c[1]+c[7], c[1]-c[7]
		x5, x6 := c[3]>>13*rootAt14, c[5]>>13*rootAt14
		x7, x5, x4, x6 = x7+x5, x7-x5, x4+x6, x4-x6
		x4, x7 = rotate(x4>>14, x7>>14, cos3at12, sin3at12)
		x5, x6 = rotate(x5>>14, x6>>14, cos1at12, sin1at12)
		out[i], out[7*8+i] = sample(x0+x7), sample(x0-x7)
		out[8+i], out[6*8+i] = sample(x1+x6), sample(x1-x6)
		out[2*8+i], out[5*8+i] = sample(x2+x5), sample(x2-x5)
		out[3*8+i], out[4*8+i] = sample(x3+x4), sample(x3-x4)
	}
}

// shortColumns is fullColumns for a block whose last four rows are zero.
func shortColumns(b *block, out *[64]uint8) {
	for i := range 8 {
		c := (*[8]int32)(b[8*i : 8*i+8])
		dc, x2 := (c[0]+1<<19)>>2, c[2]>>13
		x2, x3 := x2*cos6at12, x2*sin6at12
		x0, x1, x2, x3 := dc+x3, dc+x2, dc-x2, dc-x3
		x4, x5 := c[1], c[3]>>13*rootAt14
		x7, x5, x6 := (x4+x5)>>14, (x4-x5)>>14, x4>>14
		x4, x7 = rotate(x6, x7, cos3at12, sin3at12)
		x5, x6 = rotate(x5, x6, cos1at12, sin1at12)
		out[i], out[7*8+i] = sample(x0+x7), sample(x0-x7)
		out[8+i], out[6*8+i] = sample(x1+x6), sample(x1-x6)
		out[2*8+i], out[5*8+i] = sample(x2+x5), sample(x2-x5)
		out[3*8+i], out[4*8+i] = sample(x3+x4), sample(x3-x4)
	}
}

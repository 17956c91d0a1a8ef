package jpeg

import "encoding/binary"

// The inverse cosine transform is that of image/jpeg since Go 1.26, to the bit, also where 32-bit integers overflow:
// the factorisation of Loeffler, Ligtenberg and Moschytz (Practical fast 1-D DCT algorithms with 11 multiplications,
// ICASSP 1989), rows first, then columns. Coefficients that are zero are left out of the sums.

// Constants of the rotations, in fixed point with as many fractional bits as the suffix says.
const (
	cos1at12, sin1at12 = 4017, 799     // of pi/16
	cos3at12, sin3at12 = 3406, 2276    // of 3 pi/16
	cos6at12, sin6at12 = 1108, 2676    // of 6 pi/16, divided by the root of 2
	cos6at18, sin6at18 = 70936, 171254 // of 6 pi/16, divided by the root of 2
	rootAt8, rootAt14  = 181, 11585    // the root of 1/2
)

// transform turns coefficients into samples and sets the coefficients to zero. Bit i of used tells whether coefficient
// i may be other than zero.
func transform(b *block, used uint64, out *[64]uint8) {
	if used&^1 == 0 {
		fill(out, 0x0101010101010101*uint64(flat(b[0]<<17)))
		b[0] = 0
		return
	}
	for y := 0; used>>(8*y) != 0; y++ {
		row := (*[8]int32)(b[8*y : 8*y+8])
		switch part := uint8(used >> (8 * y)); {
		case part == 0:
		case part == 1:
			dc := row[0] << 17
			*row = [8]int32{dc, dc, dc, dc, dc, dc, dc, dc}
		case part < 1<<4:
			shortRow(row)
		default:
			fullRow(row)
		}
	}
	switch {
	case used>>8 == 0:
		samples := uint64(0)
		for x, v := range b[:8] {
			samples |= uint64(flat(v)) << (8 * x)
		}
		var order [8]byte
		binary.LittleEndian.PutUint64(order[:], samples)
		fill(out, binary.NativeEndian.Uint64(order[:]))
	case used>>32 == 0:
		shortColumns(b, out)
	default:
		fullColumns(b, out)
	}
	*b = block{}
}

// fill writes the same eight samples to each row.
func fill(out *[64]uint8, samples uint64) {
	for y := range 8 {
		binary.NativeEndian.PutUint64(out[8*y:8*y+8], samples)
	}
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

func fullRow(r *[8]int32) {
	x0, x1 := r[0]<<17+r[4]<<17, r[0]<<17-r[4]<<17
	x2, x3 := rotate(r[2], r[6], cos6at18, sin6at18)
	x0, x1, x2, x3 = x0+x3, x1+x2, x1-x2, x0-x3
	x7, x4 := r[1]<<7+r[7]<<7, r[1]<<7-r[7]<<7
	x5, x6 := r[3]*rootAt8, r[5]*rootAt8
	x7, x5, x4, x6 = x7+x5, x7-x5, x4+x6, x4-x6
	x4, x7 = rotate(x4>>2, x7>>2, cos3at12, sin3at12)
	x5, x6 = rotate(x5>>2, x6>>2, cos1at12, sin1at12)
	r[0], r[7] = x0+x7, x0-x7
	r[1], r[6] = x1+x6, x1-x6
	r[2], r[5] = x2+x5, x2-x5
	r[3], r[4] = x3+x4, x3-x4
}

// shortRow is fullRow for a row whose last four coefficients are zero.
func shortRow(r *[8]int32) {
	dc, x2, x3 := r[0]<<17, r[2]*cos6at18, r[2]*sin6at18
	x0, x1, x2, x3 := dc+x3, dc+x2, dc-x2, dc-x3
	x4, x5 := r[1]<<7, r[3]*rootAt8
	x7, x5, x6 := (x4+x5)>>2, (x4-x5)>>2, x4>>2
	x4, x7 = rotate(x6, x7, cos3at12, sin3at12)
	x5, x6 = rotate(x5, x6, cos1at12, sin1at12)
	r[0], r[7] = x0+x7, x0-x7
	r[1], r[6] = x1+x6, x1-x6
	r[2], r[5] = x2+x5, x2-x5
	r[3], r[4] = x3+x4, x3-x4
}

func fullColumns(b *block, out *[64]uint8) {
	for i := range 8 {
		x0, x1 := b[i]+1<<19, b[4*8+i]
		x0, x1 = (x0+x1)>>2, (x0-x1)>>2
		x2, x3 := rotate(b[2*8+i]>>13, b[6*8+i]>>13, cos6at12, sin6at12)
		x0, x1, x2, x3 = x0+x3, x1+x2, x1-x2, x0-x3
		x7, x4 := b[8+i]+b[7*8+i], b[8+i]-b[7*8+i]
		x5, x6 := b[3*8+i]>>13*rootAt14, b[5*8+i]>>13*rootAt14
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
		dc, x2 := (b[i]+1<<19)>>2, b[2*8+i]>>13
		x2, x3 := x2*cos6at12, x2*sin6at12
		x0, x1, x2, x3 := dc+x3, dc+x2, dc-x2, dc-x3
		x4, x5 := b[8+i], b[3*8+i]>>13*rootAt14
		x7, x5, x6 := (x4+x5)>>14, (x4-x5)>>14, x4>>14
		x4, x7 = rotate(x6, x7, cos3at12, sin3at12)
		x5, x6 = rotate(x5, x6, cos1at12, sin1at12)
		out[i], out[7*8+i] = sample(x0+x7), sample(x0-x7)
		out[8+i], out[6*8+i] = sample(x1+x6), sample(x1-x6)
		out[2*8+i], out[5*8+i] = sample(x2+x5), sample(x2-x5)
		out[3*8+i], out[4*8+i] = sample(x3+x4), sample(x3-x4)
	}
}

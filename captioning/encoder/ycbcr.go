package encoder

import (
	"encoding/binary"
	"image"
)

// planes is a decoded JPEG that is converted to RGB row by row. Chroma stored at half the size is upsampled with the
// triangle filter that libjpeg calls "fancy upsampling": each new sample is 3/4 of the nearer and 1/4 of the farther
// stored sample. The pretrained networks, and every Python pipeline, have seen images decoded that way.
type planes struct {
	img           *image.YCbCr
	width, height int
	halfX, halfY  bool // chroma is stored at half the size
	plain         bool // a rare subsampling ratio, which is not smoothed
	cb, cr        []uint8
	sums          []uint8 // of two rows of chroma samples, 16 bits each, little-endian
}

func newPlanes(img *image.YCbCr) *planes {
	b := img.Bounds()
	p := &planes{img: img, width: b.Dx(), height: b.Dy()}
	p.halfX = img.SubsampleRatio == image.YCbCrSubsampleRatio420 || img.SubsampleRatio == image.YCbCrSubsampleRatio422
	p.halfY = img.SubsampleRatio == image.YCbCrSubsampleRatio420
	p.plain = b.Min.X != 0 || b.Min.Y != 0 || (!p.halfX && img.SubsampleRatio != image.YCbCrSubsampleRatio444)
	if p.halfX {
		const spare = 3 * groupSize // written, but not used, since samples are computed in groups
		p.cb, p.cr = make([]uint8, p.width+spare), make([]uint8, p.width+spare)
		p.sums = make([]uint8, 2*(p.width/2+spare))
	}
	return p
}

func (p *planes) size() (width, height int) { return p.width, p.height }

func (p *planes) row(out line, y, from int) {
	if p.plain {
		p.plainRow(out, y, from)
		return
	}
	end := from + len(out[0])
	var cb, cr []uint8
	if p.halfX {
		p.upsample(p.cb, p.img.Cb, y, from/2, (end+1)/2)
		p.upsample(p.cr, p.img.Cr, y, from/2, (end+1)/2)
		cb, cr = p.cb[from%2:], p.cr[from%2:]
	} else {
		at := y*p.img.CStride + from
		cb, cr = p.img.Cb[at:], p.img.Cr[at:]
	}
	convert(out, p.img.Y[y*p.img.YStride+from:y*p.img.YStride+end], cb, cr)
}

// upsample doubles the stored samples [from, end) of row y of a plane: 3/4 nearer plus 1/4 farther, first
// vertically, then horizontally. At the edges of the image the nearest sample replaces the missing one. Four samples
// are computed at once, in the quarters of a 64-bit number.
func (p *planes) upsample(to, plane []uint8, y, from, end int) {
	stored := (p.width + 1) / 2
	first, last := max(from-1, 0), min(end+1, stored) // with one neighbour on each side
	sums := p.sums[2*(first-(from-1)):]
	left, right, shift := uint64(1), uint64(2), 2
	if p.halfY {
		near, far := y/2, y/2-1+y%2*2
		far = min(max(far, 0), (p.height+1)/2-1)
		addRows(sums, plane[near*p.img.CStride:][first:last], plane[far*p.img.CStride:][first:last])
		left, right, shift = 8, 7, 4 // libjpeg alternates between rounding by 8 and by 7
	} else {
		widen(sums, plane[y*p.img.CStride:][first:last])
	}
	sums = p.sums
	if from == 0 {
		copy(sums, sums[2:4])
	}
	if n := end - from; end == stored {
		copy(sums[2*n+2:], sums[2*n:2*n+2])
	}
	if vectors && p.halfY {
		doubleVectors(&to[0], &sums[0], (end-from+groupSize-1)/groupSize)
		return
	}
	const each, low = 0x0001000100010001, 0x00ff00ff00ff00ff
	left, right = left*each, right*each
	for i := 0; i < end-from; i += 4 {
		three := sums[2*i : 2*i+12 : 2*i+12]
		v := 3 * binary.LittleEndian.Uint64(three[2:])
		even := (v + left + binary.LittleEndian.Uint64(three)) >> shift & low
		odd := (v + right + binary.LittleEndian.Uint64(three[4:])) >> shift & low
		binary.LittleEndian.PutUint64(to[2*i:2*i+8], even|odd<<8)
	}
}

// addRows sets the 16-bit sums to three times the bytes of near plus those of far.
func addRows(sums, near, far []uint8) {
	far, sums = far[:len(near)], sums[:2*len(near)]
	i := 0
	if groups := len(near) / groupSize; vectors && groups > 0 {
		addVectors(&sums[0], &near[0], &far[0], groups)
		i = groups * groupSize
	}
	for ; i+4 <= len(near); i += 4 {
		binary.LittleEndian.PutUint64(sums[2*i:2*i+8], 3*quarters(near[i:i+4])+quarters(far[i:i+4]))
	}
	for ; i < len(near); i++ {
		binary.LittleEndian.PutUint16(sums[2*i:], 3*uint16(near[i])+uint16(far[i]))
	}
}

// widen sets the 16-bit numbers to the bytes of a row.
func widen(to, row []uint8) {
	to = to[:2*len(row)]
	i := 0
	for ; i+4 <= len(row); i += 4 {
		binary.LittleEndian.PutUint64(to[2*i:2*i+8], quarters(row[i:i+4]))
	}
	for ; i < len(row); i++ {
		binary.LittleEndian.PutUint16(to[2*i:], uint16(row[i]))
	}
}

// quarters spreads four bytes over the quarters of a 64-bit number.
func quarters(b []uint8) uint64 {
	v := uint64(binary.LittleEndian.Uint32(b))
	v = (v | v<<16) & 0x0000ffff0000ffff
	return (v | v<<8) & 0x00ff00ff00ff00ff
}

// A pixel is summed up in one 64-bit number. It holds green in 16-bit fixed point in the lowest 26 bits, then blue and
// red in 10 bits each. All are larger by 256, so that they are positive, and out of the range of bytes if the highest
// two of their ten bits are not 01.
const (
	greenAt, blueAt, redAt = 16, 26, 36
	ofLuma                 = 1<<greenAt | 1<<blueAt | 1<<redAt
	highest, inRange       = 3 * 256 * ofLuma, 256 * ofLuma
)

// ofCb and ofCr tabulate the JFIF conversion: what each chroma sample adds to a pixel.
var ofCb, ofCr = func() (cb, cr [256]uint64) {
	const half = 1 << 15
	for i := range int64(256) {
		c := i - 128
		cb[i] = uint64((116130*c+half)>>16<<blueAt - 22554*c + 256*ofLuma)
		cr[i] = uint64((91881*c+half)>>16<<redAt - 46802*c + half)
	}
	return cb, cr
}()

// convert converts samples to pixels.
func convert(out line, luma, cb, cr []uint8) {
	cb, cr = cb[:len(luma)], cr[:len(luma)]
	red, green, blue := out[0][:len(luma)], out[1][:len(luma)], out[2][:len(luma)]
	x := 0
	if groups := len(luma) / groupSize; vectors && groups > 0 {
		convertVectors(&out, &line{luma, cb, cr}, groups)
		x = groups * groupSize
	}
	for ; x < len(luma); x++ {
		sum := uint64(luma[x])*ofLuma + ofCb[cb[x]] + ofCr[cr[x]]
		if sum&highest == inRange {
			red[x], green[x], blue[x] = uint8(sum>>redAt), uint8(sum>>greenAt), uint8(sum>>blueAt)
		} else {
			red[x], green[x], blue[x] = clipSum(sum>>redAt), clipSum(sum>>greenAt), clipSum(sum>>blueAt)
		}
	}
}

// clipSum takes a colour out of the lowest ten bits of a sum.
func clipSum(sum uint64) uint8 { return clip8(int32(sum&1023) - 256) }

func clip8(v int32) uint8 { return uint8(min(max(v, 0), 255)) }

// plainRow converts a row of an image with a rare subsampling ratio.
func (p *planes) plainRow(out line, y, from int) {
	origin := p.img.Bounds().Min
	for x := range out[0] {
		c := p.img.YCbCrAt(origin.X+from+x, origin.Y+y)
		convert(line{out[0][x:], out[1][x:], out[2][x:]}, []uint8{c.Y}, []uint8{c.Cb}, []uint8{c.Cr})
	}
}

// grayRows is an image in shades of gray.
type grayRows struct{ img *image.Gray }

func (g grayRows) size() (width, height int) { return g.img.Rect.Dx(), g.img.Rect.Dy() }

func (g grayRows) row(out line, y, from int) {
	for c := range out {
		copy(out[c], g.img.Pix[y*g.img.Stride+from:])
	}
}

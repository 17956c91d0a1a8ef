package encoder

import "image"

// planes is a decoded JPEG that is converted to RGB row by row. Chroma stored at half the size is upsampled with the
// triangle filter that libjpeg calls "fancy upsampling": each new sample is 3/4 of the nearer and 1/4 of the farther
// stored sample. The pretrained networks, and every Python pipeline, have seen images decoded that way.
type planes struct {
	img           *image.YCbCr
	width, height int
	halfX, halfY  bool // chroma is stored at half the size
	plain         bool // a rare subsampling ratio, which is not smoothed
	cb, cr        []uint8
	sums          []int32
}

func newPlanes(img *image.YCbCr) *planes {
	b := img.Bounds()
	p := &planes{img: img, width: b.Dx(), height: b.Dy()}
	p.halfX = img.SubsampleRatio == image.YCbCrSubsampleRatio420 || img.SubsampleRatio == image.YCbCrSubsampleRatio422
	p.halfY = img.SubsampleRatio == image.YCbCrSubsampleRatio420
	p.plain = b.Min.X != 0 || b.Min.Y != 0 || (!p.halfX && img.SubsampleRatio != image.YCbCrSubsampleRatio444)
	if p.halfX {
		p.cb, p.cr, p.sums = make([]uint8, p.width+2), make([]uint8, p.width+2), make([]int32, p.width/2+3)
	}
	return p
}

func (p *planes) size() (width, height int) { return p.width, p.height }

func (p *planes) row(out []uint8, y, from, end int) {
	if p.plain {
		p.plainRow(out, y, from, end)
		return
	}
	var cb, cr []uint8
	if p.halfX {
		p.upsample(p.cb, p.img.Cb, y, from/2, (end+1)/2)
		p.upsample(p.cr, p.img.Cr, y, from/2, (end+1)/2)
		cb, cr = p.cb[from%2:], p.cr[from%2:]
	} else {
		at := y*p.img.CStride + from
		cb, cr = p.img.Cb[at:], p.img.Cr[at:]
	}
	luma := p.img.Y[y*p.img.YStride+from : y*p.img.YStride+end]
	cb, cr, out = cb[:len(luma)], cr[:len(luma)], out[:3*len(luma)]
	for x, v := range luma {
		l, b, r := int32(v), &ofCb[cb[x]], &ofCr[cr[x]]
		pixel := out[3*x : 3*x+3 : 3*x+3]
		pixel[0], pixel[1], pixel[2] = clip8(l+r.own), clip8(l+(b.green+r.green)>>16), clip8(l+b.own)
	}
}

// upsample doubles the stored samples [from, end) of row y of a plane: 3/4 nearer plus 1/4 farther, first
// vertically, then horizontally. At the edges of the image the nearest sample replaces the missing one.
func (p *planes) upsample(to, plane []uint8, y, from, end int) {
	last := (p.width+1)/2 - 1
	sums := p.sums[:end-from+2] // with one neighbour on each side
	left, right, shift := int32(1), int32(2), 2
	if p.halfY {
		near, far := y/2, y/2-1+y%2*2
		far = min(max(far, 0), (p.height+1)/2-1)
		a, c := plane[near*p.img.CStride:], plane[far*p.img.CStride:]
		a, c = a[:last+1], c[:last+1]
		for x := max(from-1, 0); x < min(end+1, last+1); x++ {
			sums[x-from+1] = 3*int32(a[x]) + int32(c[x])
		}
		left, right, shift = 8, 7, 4 // libjpeg alternates between rounding by 8 and by 7
	} else {
		row := plane[y*p.img.CStride:][:last+1]
		for x := max(from-1, 0); x < min(end+1, last+1); x++ {
			sums[x-from+1] = int32(row[x])
		}
	}
	if from == 0 {
		sums[0] = sums[1]
	}
	if end > last {
		sums[len(sums)-1] = sums[len(sums)-2]
	}
	to = to[:2*(end-from)]
	before, v := sums[0], sums[1]
	for i, after := range sums[2:] {
		two := to[2*i : 2*i+2 : 2*i+2]
		two[0], two[1] = uint8((3*v+before+left)>>shift), uint8((3*v+after+right)>>shift)
		before, v = v, after
	}
}

// share is what a chroma sample adds to its own colour, red or blue, and to green in 16-bit fixed point.
type share struct{ own, green int32 }

// ofCb and ofCr tabulate the JFIF conversion for every chroma sample.
var ofCb, ofCr = func() (cb, cr [256]share) {
	const half = 1 << 15
	for i := range int32(256) {
		c := i - 128
		cb[i], cr[i] = share{(116130*c + half) >> 16, -22554 * c}, share{(91881*c + half) >> 16, -46802*c + half}
	}
	return cb, cr
}()

func clip8(v int32) uint8 { return uint8(min(max(v, 0), 255)) }

// plainRow converts a row of an image with a rare subsampling ratio.
func (p *planes) plainRow(out []uint8, y, from, end int) {
	origin := p.img.Bounds().Min
	for x := from; x < end; x++ {
		c := p.img.YCbCrAt(origin.X+x, origin.Y+y)
		l, b, r := int32(c.Y), ofCb[c.Cb], ofCr[c.Cr]
		i := 3 * (x - from)
		out[i], out[i+1], out[i+2] = clip8(l+r.own), clip8(l+(b.green+r.green)>>16), clip8(l+b.own)
	}
}

package jpeg

import (
	"encoding/binary"
	"math/rand/v2"
)

// written describes a JPEG of random coefficients. The writer makes what image/jpeg and Pillow do not: any sampling
// factors, quantization steps, codes and restarts.
type written struct {
	width, height int
	sampling      [][2]int // of each component: horizontal, vertical
	sof           byte
	interval      int
	step          func(r *rand.Rand, i int) int // quantization step i in zigzag order; below 256
	size          func(r *rand.Rand, k int) int // bits of coefficient k in zigzag order; 0 means zero
	lengths       [16]byte                      // number of codes of each length, 256 in all
	before, after []byte                        // segments before the frame, and after the scan
	order         []int                         // of the components in the scan; nil means as they are
}

// Numbers of codes, 256 in all: as even as possible, as uneven as possible, and in between.
var (
	evenLengths   = [16]byte{7: 255, 15: 1}
	unevenLengths = [16]byte{1, 1, 1, 1, 1, 1, 1, 15: 249}
	mixedLengths  = [16]byte{2: 3, 3: 4, 4: 4, 5: 4, 6: 4, 7: 4, 8: 10, 9: 20, 10: 40, 11: 60, 12: 50, 13: 53}
)

// codeTest is a Huffman code of all bytes.
type codeTest struct {
	table   []byte // as in the segment
	pattern [256]uint32
	length  [256]int
}

// newCode gives codes to all bytes, the shorter ones to those that come first in likely, or to random ones.
func newCode(r *rand.Rand, lengths [16]byte, likely ...byte) *codeTest {
	c := &codeTest{table: lengths[:]}
	symbols := likely
	seen := make(map[byte]bool)
	for _, s := range likely {
		seen[s] = true
	}
	for _, s := range r.Perm(256) {
		if !seen[byte(s)] {
			symbols = append(symbols, byte(s))
		}
	}
	code, next := uint32(0), 0
	for i, n := range lengths {
		for range n {
			c.pattern[symbols[next]], c.length[symbols[next]] = code, i+1
			code++
			next++
		}
		code <<= 1
	}
	c.table = append(c.table, symbols[:next]...)
	return c
}

// bitWriter writes bits with stuffing.
type bitWriter struct {
	out   []byte
	acc   uint64
	count int
}

func (w *bitWriter) put(v uint32, n int) {
	w.acc, w.count = w.acc<<n|uint64(v)&(1<<n-1), w.count+n
	for w.count >= 8 {
		b := byte(w.acc >> (w.count - 8))
		w.count -= 8
		if w.out = append(w.out, b); b == 0xff {
			w.out = append(w.out, 0)
		}
	}
}

// align fills the last byte with ones.
func (w *bitWriter) align() {
	if w.count > 0 {
		w.put(0xff, 8-w.count)
	}
}

func segmentTest(marker byte, content ...byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(2+len(content))), content...)
}

// file writes the file. The same seed gives the same file.
func (f written) file(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	out := append([]byte{0xff, markerSOI}, f.before...)
	for id := range byte(2) {
		table := []byte{id}
		for i := range 64 {
			table = append(table, byte(f.step(r, i)))
		}
		out = append(out, segmentTest(markerDQT, table...)...)
	}
	frame := []byte{8, byte(f.height >> 8), byte(f.height), byte(f.width >> 8), byte(f.width), byte(len(f.sampling))}
	for i, s := range f.sampling {
		frame = append(frame, byte(i+1), byte(s[0]<<4|s[1]), byte(min(i, 1)))
	}
	out = append(out, segmentTest(f.sof, frame...)...)
	var codes [2][2]*codeTest // DC and AC, of luma and chroma
	for class := range codes {
		for id := range codes[class] {
			codes[class][id] = newCode(r, f.lengths, 0, 1, 2, 3, 0x11, 4, 5, 6, 0xf0, 0x21)
			table := append([]byte{byte(class<<4 | id)}, codes[class][id].table...)
			out = append(out, segmentTest(markerDHT, table...)...)
		}
	}
	if f.interval > 0 {
		out = append(out, segmentTest(markerDRI, byte(f.interval>>8), byte(f.interval))...)
	}
	if f.order == nil {
		f.order = []int{0, 1, 2}[:len(f.sampling)]
	}
	scan := []byte{byte(len(f.sampling))}
	for _, i := range f.order {
		scan = append(scan, byte(i+1), byte(min(i, 1)*0x11))
	}
	out = append(out, segmentTest(markerSOS, append(scan, 0, 63, 0)...)...)
	return append(append(f.scan(r, out, codes), f.after...), 0xff, markerEOI)
}

// scan appends the data of the scan to out.
func (f written) scan(r *rand.Rand, out []byte, codes [2][2]*codeTest) []byte {
	w := &bitWriter{out: out}
	h, v := 8, 8
	if len(f.sampling) > 1 {
		h, v = 8*f.sampling[0][0], 8*f.sampling[0][1]
	}
	units := (f.width + h - 1) / h * ((f.height + v - 1) / v)
	for unit := range units {
		if f.interval > 0 && unit > 0 && unit%f.interval == 0 {
			w.align()
			w.out = append(w.out, 0xff, byte(markerRST0+(unit/f.interval-1)%8))
		}
		for _, i := range f.order {
			blocks := f.sampling[i][0] * f.sampling[i][1]
			if len(f.sampling) == 1 {
				blocks = 1
			}
			for range blocks {
				f.block(r, w, codes[0][min(i, 1)], codes[1][min(i, 1)])
			}
		}
	}
	w.align()
	return w.out
}

// block writes random coefficients.
func (f written) block(r *rand.Rand, w *bitWriter, dc, ac *codeTest) {
	size := f.size(r, 0)
	w.put(dc.pattern[size], dc.length[size])
	w.put(r.Uint32(), size)
	last := r.IntN(64)
	if r.IntN(3) == 0 {
		last = r.IntN(4)
	}
	run := 0
	for k := 1; k <= last; k++ {
		size := min(f.size(r, k), 15)
		if size == 0 {
			run++
			continue
		}
		for ; run >= 16; run -= 16 {
			w.put(ac.pattern[0xf0], ac.length[0xf0])
		}
		symbol := run<<4 | size
		w.put(ac.pattern[symbol], ac.length[symbol])
		w.put(r.Uint32(), size)
		if run = 0; k == 63 {
			return
		}
	}
	w.put(ac.pattern[0], ac.length[0])
}

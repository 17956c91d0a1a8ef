package encoder

import "encoding/binary"

// The vectors multiply bytes by 16-bit numbers, and add two neighbouring products: a weight is taken as a high and a
// low part, each of lowBits or one more, and the sum of the products of the high parts is shifted when all are added.
const lowBits = weightBits / 2

// pairsOf returns the weights, two at a time: their high parts as the halves of a number, and then their low parts. A
// zero stands for the one that is missing at the end.
func pairsOf(weights []uint32) []uint32 {
	out := make([]uint32, (len(weights)+1)/2*2)
	for i, weight := range weights {
		two, half := out[i/2*2:i/2*2+2], i%2*16
		two[0] |= weight >> lowBits << half
		two[1] |= weight & (1<<lowBits - 1) << half
	}
	return out
}

// gathering says how narrowVectors computes a plane of a row: eight outputs at once, each from as many pairs of
// samples.
//
// For every eight outputs, bytes holds the sample at which the first four begin, and the one at which the others begin,
// as 64-bit numbers; for both fours where the samples of the first pair are behind these beginnings, spread to 16 bits,
// as shuffling takes it, 16 bytes each; and for every pair the high parts of all eight outputs' weights and the low
// ones, 32 bytes each. The samples of the next pair are two further on.
type gathering struct {
	bytes         []uint8
	groups, pairs int
}

// newGathering returns nil if the first samples of some four outputs are too far apart for one vector: if the image is
// reduced to less than about a quarter.
func newGathering(columns []window) *gathering {
	const together, empty = 8, 0x80
	g := &gathering{groups: (len(columns) + together - 1) / together, pairs: (mostTaps(columns) + 1) / 2}
	for i := range g.groups {
		var eight [together]window // the last one repeatedly, if there are fewer
		for k := range eight {
			eight[k] = columns[min(i*together+k, len(columns)-1)]
		}
		begins := [2]int{eight[0].first, eight[together/2].first}
		for _, begin := range begins {
			g.bytes = binary.LittleEndian.AppendUint64(g.bytes, uint64(begin-columns[0].first))
		}
		for k, w := range eight {
			at := w.first - begins[k/(together/2)]
			if at+1 >= groupSize {
				return nil
			}
			g.bytes = append(g.bytes, uint8(at), empty, uint8(at+1), empty)
		}
		at := len(g.bytes)
		g.bytes = append(g.bytes, make([]uint8, 8*together*g.pairs)...)
		for k, w := range eight {
			for i, part := range pairsOf(w.weights) {
				binary.LittleEndian.PutUint32(g.bytes[at+4*(together*i+k):], part)
			}
		}
	}
	return g
}

// byVectors scales all rows but the spare one.
func (n *narrowed) byVectors(src rows, columns []window, g *gathering) {
	from, end := columns[0].first, columns[len(columns)-1].end()
	row := newLine(end-from, 2*g.pairs+groupSize)
	for y := range len(n.bytes)/n.stride() - 1 {
		src.row(row, n.top+y, from)
		for c, plane := range row {
			narrowVectors(&n.bytes[y*n.stride()+c*n.plane], &plane[0], &g.bytes[0], g.groups, g.pairs)
		}
	}
}

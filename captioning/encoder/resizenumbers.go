package encoder

import "encoding/binary"

// Two sums are computed at once, in the halves of a 64-bit number: a sum takes 30 bits and is at most 255 when shifted
// back, since weights are not negative.
const (
	bothHalves = 1<<(weightBits-1) | 1<<(weightBits+31) // one half of a byte, to round both sums
	bothBytes  = 0xff | 0xff<<32
)

// weighNumbers sets sums to the weighted sums of rows, each stride bytes behind the one before.
func weighNumbers(sums, rows []uint8, stride int, weights []uint32) {
	for at := 0; at < len(sums); at += 8 {
		binary.LittleEndian.PutUint64(sums[at:at+8], eightSums(rows[at:], stride, weights))
	}
}

// eightSums returns eight bytes: the weighted sums of the first eight of each row.
func eightSums(rows []uint8, stride int, weights []uint32) uint64 {
	var a, b, c, d uint64 = bothHalves, bothHalves, bothHalves, bothHalves // of bytes 0 and 4, 1 and 5, ...
	at := 0
	for _, weight := range weights {
		v, w := binary.LittleEndian.Uint64(rows[at:at+8]), uint64(weight)
		a += v & bothBytes * w
		b += v >> 8 & bothBytes * w
		c += v >> 16 & bothBytes * w
		d += v >> 24 & bothBytes * w
		at += stride
	}
	a, b, c, d = a>>weightBits&bothBytes, b>>weightBits&bothBytes, c>>weightBits&bothBytes, d>>weightBits&bothBytes
	return a | b<<8 | c<<16 | d<<24
}

// byNumbers scales all rows but the spare one, two at once.
func (n *narrowed) byNumbers(src rows, columns []window) {
	from, end := columns[0].first, columns[len(columns)-1].end()
	upper, lower := newLine(end-from, 0), newLine(end-from, 0)
	weights, taps := padded(columns)
	pairs := make([]uint64, end-from+taps) // some zeros at the end
	rows := len(n.bytes)/n.stride() - 1
	for y := 0; y < rows; y += 2 {
		src.row(upper, n.top+y, from)
		if y+1 < rows {
			src.row(lower, n.top+y+1, from)
		}
		for c := range upper {
			pair(pairs, upper[c], lower[c])
			first := n.bytes[y*n.stride()+c*n.plane:][:len(columns)]
			second := n.bytes[(y+1)*n.stride()+c*n.plane:][:len(columns)]
			for x, w := range columns {
				sum := twoSums(pairs[w.first-from:], weights[x*taps:(x+1)*taps])
				first[x], second[x] = uint8(uint32(sum)>>weightBits), uint8(sum>>(32+weightBits))
			}
		}
	}
}

// pair puts the bytes of two rows into the halves of numbers.
func pair(pairs []uint64, upper, lower []uint8) {
	pairs, lower = pairs[:len(upper)], lower[:len(upper)]
	i := 0
	for ; i+4 <= len(upper); i += 4 {
		v := uint64(binary.LittleEndian.Uint32(upper[i:i+4])) | uint64(binary.LittleEndian.Uint32(lower[i:i+4]))<<32
		four := pairs[i : i+4 : i+4]
		four[0], four[1], four[2], four[3] = v&bothBytes, v>>8&bothBytes, v>>16&bothBytes, v>>24&bothBytes
	}
	for ; i < len(upper); i++ {
		pairs[i] = uint64(upper[i]) | uint64(lower[i])<<32
	}
}

// padded returns the weights of all windows, with zeros behind them, so that each has as many: taps.
func padded(windows []window) (weights []uint64, taps int) {
	taps = mostTaps(windows)
	weights = make([]uint64, len(windows)*taps)
	for i, w := range windows {
		for j, weight := range w.weights {
			weights[i*taps+j] = uint64(weight)
		}
	}
	return weights, taps
}

func mostTaps(windows []window) int {
	taps := 0
	for _, w := range windows {
		taps = max(taps, len(w.weights))
	}
	return taps
}

// twoSums returns the weighted sums of both halves.
func twoSums(pairs, weights []uint64) uint64 {
	sum := uint64(bothHalves)
	for len(weights) >= 4 {
		p, w := (*[4]uint64)(pairs), (*[4]uint64)(weights)
		sum += w[0]*p[0] + w[1]*p[1] + w[2]*p[2] + w[3]*p[3]
		pairs, weights = pairs[4:], weights[4:]
	}
	for j, weight := range weights {
		sum += weight * pairs[j]
	}
	return sum
}

package jpeg

// lookupBits is the length of the bit patterns in a look-up table.
const lookupBits = 10

// huffman decodes a Huffman code (ITU-T T.81, annex C and F.2.2). Each symbol is a byte. Its low half says how many
// bits of a value follow; its high half, in a code of AC coefficients, how many zeros precede the value.
type huffman struct {
	defined bool
	// lookup says what the next bits begin with. The low six bits of an entry are a number of bits. If the flag whole
	// is set, they are those of a symbol and its value; the value is in the high half, and one plus the number of
	// zeros in bits 8 to 12. Without the flag, they are those of the symbol only, which is in bits 8 to 15. An entry is
	// zero if the code is longer, or there is none.
	lookup [1 << lookupBits]uint32
	// ends are, for each length, the first pattern of 16 bits behind its codes; offsets lead from the first bits of
	// such a pattern to the index of its symbol.
	ends    [17]uint32
	offsets [17]int
	symbols [256]uint8
}

const (
	lengthMask = 63
	whole      = 64
)

// define sets up the code of a table segment: the number of codes of each length from 1 to 16, and the symbols in the
// order of their codes. Returns false if there are more codes than the lengths allow.
func (h *huffman) define(table []byte, ac bool) bool {
	counts, symbols := table[:16], table[16:]
	h.defined = true
	clear(h.lookup[:])
	clear(h.symbols[:])
	copy(h.symbols[:], symbols)
	code, next := 0, 0
	for i, count := range counts {
		length := i + 1
		h.offsets[length] = next - code
		for range count {
			if code >= 1<<length {
				return false
			}
			if length <= lookupBits {
				h.enter(code, length, symbols[next], ac)
			}
			code++
			next++
		}
		h.ends[length] = uint32(code) << (16 - length)
		code <<= 1
	}
	return true
}

// enter puts a code into the look-up table.
func (h *huffman) enter(code, length int, symbol uint8, ac bool) {
	size, run := int(symbol&15), uint32(symbol>>4)
	if !ac {
		size, run = int(symbol), 0
	}
	spare := lookupBits - length
	if size > spare || ac && size == 0 {
		h.repeat(code<<spare, spare, uint32(symbol)<<8|uint32(length))
		return
	}
	for v := range 1 << size {
		value := extend(int32(v), size)
		h.repeat((code<<size|v)<<(spare-size), spare-size,
			uint32(value)<<16|(run+1)<<8|whole|uint32(length+size))
	}
}

// repeat fills the entries whose first bits are those of from, and whose last spare bits are any.
func (h *huffman) repeat(from, spare int, entry uint32) {
	part := h.lookup[from : from+1<<spare]
	for i := range part {
		part[i] = entry
	}
}

// extend returns the value that v, of size bits, stands for: values with a leading zero are negative.
func extend(v int32, size int) int32 {
	if v < 1<<size>>1 {
		v -= 1<<size - 1
	}
	return v
}

// long decodes a code that is longer than lookupBits and begins with the bits in acc. It returns the symbol and the
// length, which is 0 if there is no such code.
func (h *huffman) long(acc uint64) (symbol uint8, length int) {
	pattern := uint32(acc >> 48)
	for length = lookupBits + 1; length <= 16; length++ {
		if pattern < h.ends[length] {
			return h.symbols[(int(pattern>>(16-length))+h.offsets[length])&255], length
		}
	}
	return 0, 0
}

package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// instructions are those of Python's pickle except the last one of each pickle ('.') and those that torch.save does not
// write: instances of classes, extensions, and buffers outside of the pickle.
var instructions = [256]func(*Reader) error{
	'(': (*Reader).mark, '0': (*Reader).drop, '1': (*Reader).dropMark, '2': (*Reader).duplicate,

	'N': constant(nil), '\x88': constant(true), '\x89': constant(false),
	'I': (*Reader).intText, 'L': (*Reader).longText, 'F': (*Reader).floatText,
	'K': (*Reader).byteInt, 'M': (*Reader).shortInt, 'J': (*Reader).int, 'G': (*Reader).float,
	'\x8a': long(1), '\x8b': long(4),

	'S': (*Reader).quotedText, 'V': (*Reader).textLine,
	'U': text(1), '\x8c': text(1), 'T': text(4), 'X': text(4), '\x8d': text(8),
	'C': binaryData(1), 'B': binaryData(4), '\x8e': binaryData(8), '\x96': binaryData(8),

	')': tuple(0), '\x85': tuple(1), '\x86': tuple(2), '\x87': tuple(3), 't': (*Reader).markedTuple,
	']': (*Reader).emptyList, 'l': (*Reader).list, 'a': (*Reader).append, 'e': (*Reader).appends,
	'}': (*Reader).emptyDict, 'd': (*Reader).dict, 's': (*Reader).setItem, 'u': (*Reader).setItems,
	'\x8f': constant(Other("a set")), '\x90': (*Reader).addItems, '\x91': (*Reader).frozenSet,

	'p': (*Reader).putText, 'q': put(1), 'r': put(4), '\x94': (*Reader).memoize,
	'g': (*Reader).getText, 'h': get(1), 'j': get(4),

	'c': (*Reader).global, '\x93': (*Reader).stackGlobal, 'Q': (*Reader).persistent,
	'R': (*Reader).call, '\x81': (*Reader).call, 'b': (*Reader).build,

	'\x80': (*Reader).protocol, '\x95': (*Reader).frame,
}

func constant(value any) func(*Reader) error {
	return func(r *Reader) error { return r.push(value) }
}

func (r *Reader) mark() error {
	if len(r.marks) == maxDepth {
		return fmt.Errorf("it has more than %d open marks", maxDepth)
	}
	r.marks = append(r.marks, len(r.stack))
	return nil
}

func (r *Reader) drop() error {
	if len(r.marks) > 0 && len(r.stack) == r.floor() {
		return r.dropMark()
	}
	_, err := r.pop()
	return err
}

func (r *Reader) dropMark() error {
	_, err := r.popMark()
	return err
}

func (r *Reader) duplicate() error {
	value, err := r.top()
	if err != nil {
		return err
	}
	return r.push(value)
}

func (r *Reader) intText() error {
	line, err := r.line(maxDigits)
	if err != nil {
		return err
	}
	switch string(line) {
	case "00":
		return r.push(false)
	case "01":
		return r.push(true)
	}
	return r.pushDigits(string(line))
}

func (r *Reader) longText() error {
	line, err := r.line(maxDigits)
	if err != nil {
		return err
	}
	return r.pushDigits(strings.TrimSuffix(string(line), "L"))
}

func (r *Reader) pushDigits(digits string) error {
	n, err := strconv.Atoi(digits)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return r.push(longNumber)
	case err != nil:
		return fmt.Errorf("%s is not a whole number", Quote(digits))
	}
	return r.push(n)
}

func (r *Reader) floatText() error {
	line, err := r.line(maxDigits)
	if err != nil {
		return err
	}
	x, err := strconv.ParseFloat(string(line), 64)
	if err != nil {
		return fmt.Errorf("%s is not a number", Quote(string(line)))
	}
	return r.push(x)
}

func (r *Reader) byteInt() error {
	n, err := r.number(1)
	if err != nil {
		return err
	}
	return r.push(int(n))
}

func (r *Reader) shortInt() error {
	n, err := r.number(2)
	if err != nil {
		return err
	}
	return r.push(int(n))
}

func (r *Reader) int() error {
	n, err := r.number(4)
	if err != nil {
		return err
	}
	return r.push(int(int32(n)))
}

func (r *Reader) float() error {
	b, err := r.take(8)
	if err != nil {
		return err
	}
	return r.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
}

// longNumber stands for a number beyond 64 bits.
const longNumber = Other("a number beyond 64 bits")

// long reads a signed little-endian number after its length in bytes, which has the given width.
func long(width int) func(*Reader) error {
	return func(r *Reader) error {
		b, err := r.sized(width)
		switch {
		case err != nil:
			return err
		case len(b) > maxDigits:
			return fmt.Errorf("a number has %d bytes, at most %d are read", len(b), maxDigits)
		case len(b) > 8:
			return r.push(longNumber)
		}
		var wide [8]byte
		if len(b) > 0 && b[len(b)-1]&0x80 != 0 {
			wide = [8]byte(slices.Repeat([]byte{0xff}, 8))
		}
		copy(wide[:], b)
		return r.push(int(int64(binary.LittleEndian.Uint64(wide[:]))))
	}
}

func (r *Reader) quotedText() error {
	line, err := r.line(len(r.data))
	if err != nil {
		return err
	}
	n := len(line)
	if n < 2 || line[0] != line[n-1] || (line[0] != '\'' && line[0] != '"') {
		return errors.New("a text lacks its quotes")
	}
	return r.push(string(line[1 : n-1]))
}

func (r *Reader) textLine() error {
	line, err := r.line(len(r.data))
	if err != nil {
		return err
	}
	return r.push(string(line))
}

func text(width int) func(*Reader) error {
	return func(r *Reader) error {
		b, err := r.sized(width)
		if err != nil {
			return err
		}
		return r.push(string(b))
	}
}

func binaryData(width int) func(*Reader) error {
	return func(r *Reader) error {
		if _, err := r.sized(width); err != nil {
			return err
		}
		return r.push(Other("binary data"))
	}
}

func (r *Reader) protocol() error {
	n, err := r.number(1)
	if err == nil && n > 5 {
		return fmt.Errorf("its protocol is %d, known are 0 to 5", n)
	}
	return err
}

// frame skips the length of a frame: frames only help readers of streams.
func (r *Reader) frame() error {
	n, err := r.number(8)
	if err == nil && n > uint64(len(r.data)-r.at) {
		return errCut
	}
	return err
}

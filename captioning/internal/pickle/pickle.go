// Package pickle reads Python pickles of plain data: what torch.save writes for dictionaries of tensors, in the
// protocols 0 to 5. A pickle can name any function to call. This reader knows names only if it is told them, so it
// never runs code. It doesn't recurse, and it limits instructions, nesting and digits to far more than the weights of a
// network need, so a hostile pickle costs a fraction of a second and at most about 150 MB.
//
// Reference: the comments in Python's pickletools.
package pickle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	// MaxInstructions is the most instructions that a Reader runs. A tensor takes about 35.
	MaxInstructions = 1 << 20
	// maxDepth is the deepest nesting. Python's own pickle gives up at about 1000.
	maxDepth = 1000
	// maxDigits is the length of the longest number, and of the longest line that is not a string, in bytes.
	maxDigits = 1000
)

// The values of a pickle are nil, bool, int, float64, string, *Tuple, *List, *Dict, Other, and what Names and
// Persistent return.
type (
	// Tuple is a Python tuple.
	Tuple struct {
		Items []any
		depth int
	}
	// List is a Python list.
	List struct {
		Items []any
		depth int
	}
	// Dict is a Python dict or OrderedDict. Entries whose keys are not strings, and attributes, are not kept.
	Dict struct {
		Items map[string]any
		depth int
	}
	// Other describes a value that is not kept, such as "a set".
	Other string
	// Function is a value of Names that a pickle may call.
	Function func(args []any) (any, error)
)

// Reader reads pickles. The zero value knows only the dictionaries and lists of Python.
type Reader struct {
	// Names holds the values of the global names that a pickle may use, such as "torch.FloatStorage".
	Names map[string]any
	// Persistent returns the value of a persistent id. If it is nil, persistent ids are errors.
	Persistent func(id any) (any, error)

	data         []byte
	at           int // in data
	instructions int // that all calls of Read have run
	stack        []any
	marks        []int // lengths of the stack
	memo         map[uint32]any
}

// Read reads the pickle at the beginning of data and returns what follows it. A Reader may read several pickles; their
// instructions count together. Errors name the byte.
func (r *Reader) Read(data []byte) (value any, rest []byte, err error) {
	r.data, r.at, r.stack, r.marks, r.memo = data, 0, nil, nil, make(map[uint32]any)
	for {
		start := r.at
		value, done, err := r.step()
		if err != nil {
			return nil, nil, fmt.Errorf("byte %d of its pickle: %w", start, err)
		}
		if done {
			return value, data[r.at:], nil
		}
	}
}

// step runs one instruction. The last one yields the value.
func (r *Reader) step() (value any, done bool, err error) {
	if r.instructions++; r.instructions > MaxInstructions {
		return nil, false, fmt.Errorf("it has more than %d instructions", MaxInstructions)
	}
	op, err := r.take(1)
	if err != nil {
		return nil, false, err
	}
	if op[0] == '.' {
		value, err = r.pop()
		return value, true, err
	}
	run := instructions[op[0]]
	if run == nil {
		return nil, false, fmt.Errorf("%#x is not an instruction of a plain pickle", op[0])
	}
	return nil, false, run(r)
}

var errCut = errors.New("the pickle is cut short")

// take returns the next n bytes.
func (r *Reader) take(n int) ([]byte, error) {
	if n > len(r.data)-r.at {
		return nil, errCut
	}
	r.at += n
	return r.data[r.at-n : r.at], nil
}

// number returns the unsigned little-endian number in the next bytes.
func (r *Reader) number(bytes int) (uint64, error) {
	b, err := r.take(bytes)
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], b)
	return binary.LittleEndian.Uint64(wide[:]), nil
}

// sized returns the bytes after a length of the given width.
func (r *Reader) sized(width int) ([]byte, error) {
	n, err := r.number(width)
	if err != nil {
		return nil, err
	}
	if n > uint64(len(r.data)-r.at) {
		return nil, errCut
	}
	return r.take(int(n))
}

// line returns the bytes up to the end of the line, at most max, which it skips.
func (r *Reader) line(max int) ([]byte, error) {
	rest := r.data[r.at:]
	n := bytes.IndexByte(rest[:min(len(rest), max+1)], '\n')
	switch {
	case n < 0 && len(rest) > max:
		return nil, fmt.Errorf("a line is longer than %d bytes", max)
	case n < 0:
		return nil, errCut
	}
	r.at += n + 1
	return rest[:n], nil
}

func (r *Reader) push(value any) error {
	r.stack = append(r.stack, value)
	return nil
}

// floor is the length of the stack at the last mark.
func (r *Reader) floor() int {
	if len(r.marks) == 0 {
		return 0
	}
	return r.marks[len(r.marks)-1]
}

// popN returns the last n values of the stack. They are valid until the next push.
func (r *Reader) popN(n int) ([]any, error) {
	at := len(r.stack) - n
	if at < r.floor() {
		return nil, errors.New("an instruction lacks its values")
	}
	values := r.stack[at:]
	r.stack = r.stack[:at]
	return values, nil
}

func (r *Reader) pop() (any, error) {
	values, err := r.popN(1)
	if err != nil {
		return nil, err
	}
	return values[0], nil
}

func (r *Reader) top() (any, error) {
	if len(r.stack) == r.floor() {
		return nil, errors.New("an instruction lacks its value")
	}
	return r.stack[len(r.stack)-1], nil
}

// popMark returns the values above the last mark and removes it. They are valid until the next push.
func (r *Reader) popMark() ([]any, error) {
	if len(r.marks) == 0 {
		return nil, errors.New("an instruction lacks its mark")
	}
	values, err := r.popN(len(r.stack) - r.floor())
	r.marks = r.marks[:len(r.marks)-1]
	return values, err
}

// depthAround is the depth of a value that has the given depth until now and holds items.
func depthAround(depth int, items []any) (int, error) {
	for _, item := range items {
		switch v := item.(type) {
		case *Tuple:
			depth = max(depth, v.depth+1)
		case *List:
			depth = max(depth, v.depth+1)
		case *Dict:
			depth = max(depth, v.depth+1)
		}
	}
	if depth > maxDepth {
		return 0, fmt.Errorf("its values are nested more than %d deep", maxDepth)
	}
	return depth, nil
}

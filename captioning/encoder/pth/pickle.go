package pth

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// What a pickle can hold here. Everything else that Python could pickle is refused when it is named.
type (
	tuple []any
	list  struct{ items []any }
	// dict keeps its entries in order; keys that are no strings are kept, and refused by whoever needs strings.
	dict struct{ keys, values []any }
	// global is a class or function, by name alone: it is looked up in a fixed table, never run.
	global struct{ module, name string }
	// bigInt is an integer of more than 64 bits, little endian.
	bigInt string
)

func (g global) String() string { return g.module + "." + g.name }

var (
	errCut   = errors.New("it ends in the middle of a value: the file is cut short or damaged")
	errStack = errors.New("a value is missing on the stack: the file is damaged")
)

// machine reads one pickle of protocol 2 to 5, in the part of the language that torch.save writes. Reference: the opcode
// descriptions of Python's pickletools. It has no recursion and takes no memory that the input does not pay for.
type machine struct {
	in    []byte // what is left to read
	stack []any
	marks []int
	memo  map[uint32]any
	// reduce calls one of the few functions that the format needs; persistent finds a tensor's storage.
	reduce     func(f global, args tuple) (any, error)
	persistent func(id tuple) (any, error)
}

// load runs the pickle at the start of m.in up to its end and returns the value; m.in is what follows.
func (m *machine) load() (any, error) {
	m.stack, m.marks, m.memo = nil, nil, make(map[uint32]any)
	for {
		op, err := m.take(1)
		if err != nil {
			return nil, err
		}
		if op[0] == '.' { // STOP
			return m.pop()
		}
		if err := m.step(op[0]); err != nil {
			return nil, err
		}
	}
}

// step runs one opcode.
func (m *machine) step(op byte) error {
	switch op {
	case 0x80: // PROTO
		version, err := m.take(1)
		if err == nil && (version[0] < 2 || version[0] > 5) {
			err = fmt.Errorf("pickle protocol %d is not one of 2 to 5", version[0])
		}
		return err
	case 0x95: // FRAME: a hint for buffering
		_, err := m.take(8)
		return err
	case '(': // MARK
		m.marks = append(m.marks, len(m.stack))
		return nil
	case 'N': // NONE
		return m.push(nil)
	case 0x88, 0x89: // NEWTRUE, NEWFALSE
		return m.push(op == 0x88)
	case 'J', 'M', 'K', 0x8a, 'G': // BININT, BININT2, BININT1, LONG1, BINFLOAT
		return m.number(op)
	case 'X', 0x8c, 'U': // BINUNICODE, SHORT_BINUNICODE, SHORT_BINSTRING
		return m.text(op)
	case ')', 't', 0x85, 0x86, 0x87: // EMPTY_TUPLE, TUPLE, TUPLE1 to TUPLE3
		return m.tuple(op)
	case ']': // EMPTY_LIST
		return m.push(&list{})
	case '}': // EMPTY_DICT
		return m.push(&dict{})
	case 'a', 'e', 's', 'u': // APPEND, APPENDS, SETITEM, SETITEMS
		return m.fill(op)
	case 'q', 'r', 0x94, 'h', 'j': // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
		return m.remember(op)
	case '0': // POP
		_, err := m.pop()
		return err
	case 'c', 0x93: // GLOBAL, STACK_GLOBAL
		return m.global(op)
	case 'Q': // BINPERSID
		id, err := popAs[tuple](m, "a storage's description")
		if err != nil {
			return err
		}
		return m.result(m.persistent(id))
	case 'R': // REDUCE
		args, err := popAs[tuple](m, "arguments")
		if err != nil {
			return err
		}
		f, err := popAs[global](m, "a function")
		if err != nil {
			return err
		}
		return m.result(m.reduce(f, args))
	case 'b': // BUILD: attributes of an ordered dict (a state dict's _metadata), of no use here
		if _, err := m.pop(); err != nil {
			return err
		}
		_, err := top[*dict](m, "an ordered dict")
		return err
	}
	return fmt.Errorf("pickle opcode 0x%02x is not one that a file of plain tensors needs", op)
}

func (m *machine) take(n int) ([]byte, error) {
	if n < 0 || n > len(m.in) {
		return nil, errCut
	}
	b := m.in[:n:n]
	m.in = m.in[n:]
	return b, nil
}

func (m *machine) push(v any) error {
	m.stack = append(m.stack, v)
	return nil
}

func (m *machine) result(v any, err error) error {
	if err != nil {
		return err
	}
	return m.push(v)
}

// floor is the height of the stack below which an opcode may not reach: what was there at the last mark.
func (m *machine) floor() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

func (m *machine) pop() (any, error) {
	if len(m.stack) <= m.floor() {
		return nil, errStack
	}
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	return v, nil
}

// popMark returns everything above the last mark, and removes it with the mark.
func (m *machine) popMark() ([]any, error) {
	if len(m.marks) == 0 {
		return nil, errStack
	}
	at := m.floor()
	m.marks = m.marks[:len(m.marks)-1]
	items := append([]any(nil), m.stack[at:]...)
	m.stack = m.stack[:at]
	return items, nil
}

func popAs[T any](m *machine, what string) (T, error) {
	v, err := top[T](m, what)
	if err == nil {
		m.stack = m.stack[:len(m.stack)-1]
	}
	return v, err
}

func top[T any](m *machine, what string) (T, error) {
	var zero T
	if len(m.stack) <= m.floor() {
		return zero, errStack
	}
	v, ok := m.stack[len(m.stack)-1].(T)
	if !ok {
		return zero, fmt.Errorf("%s was expected, found a %T: this is no file of plain tensors", what, m.stack[len(m.stack)-1])
	}
	return v, nil
}

func (m *machine) number(op byte) error {
	size := map[byte]int{'J': 4, 'M': 2, 'K': 1, 0x8a: 1, 'G': 8}[op]
	b, err := m.take(size)
	if err != nil {
		return err
	}
	switch op {
	case 'J':
		return m.push(int64(int32(binary.LittleEndian.Uint32(b))))
	case 'M':
		return m.push(int64(binary.LittleEndian.Uint16(b)))
	case 'K':
		return m.push(int64(b[0]))
	case 'G':
		return m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
	}
	digits, err := m.take(int(b[0])) // LONG1: two's complement, little endian
	if err != nil {
		return err
	}
	if len(digits) > 8 {
		return m.push(bigInt(digits))
	}
	var value int64
	for i := len(digits) - 1; i >= 0; i-- {
		if i == len(digits)-1 {
			value = int64(int8(digits[i]))
		} else {
			value = value<<8 | int64(digits[i])
		}
	}
	return m.push(value)
}

func (m *machine) text(op byte) error {
	width := 1
	if op == 'X' {
		width = 4
	}
	b, err := m.take(width)
	if err != nil {
		return err
	}
	n := int64(b[0])
	if op == 'X' {
		n = int64(binary.LittleEndian.Uint32(b))
	}
	if n > int64(len(m.in)) {
		return errCut
	}
	s, err := m.take(int(n))
	if err != nil {
		return err
	}
	if !utf8.Valid(s) {
		return errors.New("a string is not valid UTF-8: the file is damaged")
	}
	return m.push(string(s))
}

func (m *machine) tuple(op byte) error {
	if op == 't' {
		items, err := m.popMark()
		return m.result(tuple(items), err)
	}
	n := map[byte]int{')': 0, 0x85: 1, 0x86: 2, 0x87: 3}[op]
	items := make(tuple, n)
	for i := n - 1; i >= 0; i-- {
		v, err := m.pop()
		if err != nil {
			return err
		}
		items[i] = v
	}
	return m.push(items)
}

// fill adds to the list or dict that lies under the new items.
func (m *machine) fill(op byte) error {
	var items []any
	var err error
	switch op {
	case 'e', 'u':
		items, err = m.popMark()
	case 'a', 's':
		n := 1
		if op == 's' {
			n = 2
		}
		if len(m.stack) < m.floor()+n {
			return errStack
		}
		items = append(items, m.stack[len(m.stack)-n:]...)
		m.stack = m.stack[:len(m.stack)-n]
	}
	if err != nil {
		return err
	}
	if op == 'a' || op == 'e' {
		l, err := top[*list](m, "a list")
		if err != nil {
			return err
		}
		l.items = append(l.items, items...)
		return nil
	}
	d, err := top[*dict](m, "a dict")
	if err != nil {
		return err
	}
	if len(items)%2 != 0 {
		return errStack
	}
	for i := 0; i < len(items); i += 2 {
		d.keys, d.values = append(d.keys, items[i]), append(d.values, items[i+1])
	}
	return nil
}

// remember stores the top of the stack in the memo, or fetches from there.
func (m *machine) remember(op byte) error {
	index := uint32(len(m.memo))
	if op != 0x94 {
		width := 1
		if op == 'r' || op == 'j' {
			width = 4
		}
		b, err := m.take(width)
		if err != nil {
			return err
		}
		if index = uint32(b[0]); width == 4 {
			index = binary.LittleEndian.Uint32(b)
		}
	}
	if op == 'h' || op == 'j' {
		v, ok := m.memo[index]
		if !ok {
			return fmt.Errorf("memo %d was never set: the file is damaged", index)
		}
		return m.push(v)
	}
	if len(m.stack) <= m.floor() {
		return errStack
	}
	m.memo[index] = m.stack[len(m.stack)-1]
	return nil
}

// global names a class or function. Whatever is not in the table of known ones ends the reading here.
func (m *machine) global(op byte) error {
	var g global
	if op == 'c' {
		for _, s := range []*string{&g.module, &g.name} {
			line, err := m.line()
			if err != nil {
				return err
			}
			*s = line
		}
	} else {
		name, err := popAs[string](m, "a name")
		if err != nil {
			return err
		}
		module, err := popAs[string](m, "a module name")
		if err != nil {
			return err
		}
		g = global{module, name}
	}
	if !known(g) {
		return fmt.Errorf("it names %q, which could run code: refused; save the plain state dict (torch.save(model.state_dict(), path)) or a safetensors file", g)
	}
	return m.push(g)
}

func (m *machine) line() (string, error) {
	for i, b := range m.in {
		if b == '\n' {
			s, err := m.take(i + 1)
			return string(s[:i]), err
		}
	}
	return "", errCut
}

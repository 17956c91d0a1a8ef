package jsonfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Limits of a Reader, in bytes; tests make them smaller.
var (
	maxValue int64 = 64 << 20
	maxFile  int64 = 2 << 30
)

var errUTF16 = errors.New("it is encoded in UTF-16: save it as UTF-8")

// Reader passes JSON on from a file of any origin so that a strict decoder can read it piece by piece: it drops a byte
// order mark and replaces NaN and Infinity, which Python writes, by null. It fails for UTF-16, for a file of more than
// 2 GiB, and for a value of more than 64 MiB. Lists and objects on the two outer levels, such as the list of all
// captions, count only by their elements.
type Reader struct {
	in  *bufio.Reader
	out []byte // the rest of text
	// text is the last piece read, edited.
	text  []byte
	begun bool

	inString, escaped bool
	depth             int
	read              int64 // bytes so far
	from              int64 // where the value began that may not become too long
}

// window is the number of bytes edited at once.
const window = 64 << 10

// NewReader returns a Reader of r.
func NewReader(r io.Reader) *Reader { return &Reader{in: bufio.NewReaderSize(r, window)} }

// Read implements [io.Reader].
func (r *Reader) Read(p []byte) (int, error) {
	for len(r.out) == 0 {
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.out)
	r.out = r.out[n:]
	return n, nil
}

// fill edits the next piece of the file. It leaves its last bytes for the next piece, since a constant may go on there.
func (r *Reader) fill() error {
	piece, err := r.in.Peek(window)
	if len(piece) == 0 {
		return err
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !r.begun {
		r.begun = true
		if isUTF16(piece) {
			return errUTF16
		}
		if bytes.HasPrefix(piece, byteOrderMark) {
			_, err := r.in.Discard(len(byteOrderMark))
			return err
		}
	}
	if err == nil {
		piece = piece[:len(piece)-len("-Infinity")]
	}
	r.text = r.text[:0]
	i := 0
	for i < len(piece) {
		if r.inString && !r.escaped {
			n := plain(piece[i:])
			r.text = append(r.text, piece[i:i+n]...)
			r.read += int64(n)
			if i += n; i == len(piece) {
				break
			}
		}
		if n := r.step(piece[i:]); n > 0 {
			r.text = append(r.text, "null"...)
			i += n
			r.read += int64(n)
			continue
		}
		r.text = append(r.text, piece[i])
		i++
		r.read++
	}
	r.out = r.text
	switch {
	case r.read > maxFile:
		return fmt.Errorf("it has more than %d MiB", maxFile>>20)
	case r.read-r.from > maxValue:
		return fmt.Errorf("the value from byte %d on has more than %d MiB", r.from, maxValue>>20)
	}
	_, err = r.in.Discard(i)
	return err
}

// plain returns the number of bytes before the next quotation mark or backslash.
func plain(text []byte) int {
	if end := bytes.IndexByte(text, '"'); end >= 0 {
		text = text[:end]
	}
	if end := bytes.IndexByte(text, '\\'); end >= 0 {
		text = text[:end]
	}
	return len(text)
}

// step takes account of the first byte of rest, or returns the length of the constant there that is to be replaced.
func (r *Reader) step(rest []byte) int {
	c := rest[0]
	switch {
	case r.escaped:
		r.escaped = false
	case r.inString && c == '\\':
		r.escaped = true
	case c == '"':
		r.inString = !r.inString
	case r.inString:
	case c == 'N' || c == 'I' || c == '-':
		return constant(rest)
	case c == '{' || c == '[' || c == ',' || c == ':' || c == '}' || c == ']':
		switch c {
		case '{', '[':
			r.depth++
		case '}', ']':
			r.depth--
		}
		if r.depth < 2 || r.depth == 2 && c != '}' && c != ']' {
			r.from = r.read
		}
	}
	return 0
}

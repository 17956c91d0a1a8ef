package encoder

import (
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
)

// bitsWriter writes the least significant bits of values.
type bitsWriter struct {
	out  []byte
	bits uint64
	n    int
}

func (b *bitsWriter) write(n int, values ...uint64) {
	for _, v := range values {
		b.bits |= v << b.n
		for b.n += n; b.n >= 8; b.n -= 8 {
			b.out = append(b.out, byte(b.bits))
			b.bits >>= 8
		}
	}
}

// one writes a code of one symbol, which takes no bits.
func (b *bitsWriter) one(symbol uint64) {
	b.write(1, 1, 0, 1) // simple, one symbol, of 8 bits
	b.write(8, symbol)
}

// all writes a code in which the symbols up to 255 take 8 bits each.
func (b *bitsWriter) all() {
	b.write(1, 0)
	b.write(4, 12-4)
	b.write(3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1) // all lengths are 8, without any bits
	b.write(1, 1)
	b.write(3, 3)
	b.write(8, 256-2) // as many lengths follow
}

// losslessGroups is a lossless WebP of 4 x 4 pixels whose header refers to the last of n groups of codes.
func losslessGroups(n int) []byte {
	var b bitsWriter
	b.write(8, 0x2f)
	b.write(14, 3, 3)
	b.write(4, 0)
	b.write(1, 0, 0, 1) // no transformation, no cache, several groups
	b.write(3, 0)
	b.write(1, 0) // no cache in the image of groups
	for _, v := range []uint64{uint64(n-1) & 255, uint64(n-1) >> 8, 0, 0, 0} {
		b.one(v)
	}
	for range n {
		for range 4 {
			b.all()
		}
		b.one(0)
	}
	for range 4 * 4 * 4 { // the pixels
		b.write(8, 0)
	}
	b.write(8, 0, 0)
	out := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8L\x00\x00\x00\x00"), b.out...)
	out = append(out, make([]byte, len(b.out)%2)...)
	binary.LittleEndian.PutUint32(out[16:], uint32(len(b.out)))
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

// TestLosslessGroups: a WebP of 16 pixels, in a file of 1.7 MB, would take two gigabytes.
func TestLosslessGroups(t *testing.T) {
	data := losslessGroups(1000)
	f, err := formatOf(data)
	if err != nil {
		t.Fatal(err)
	}
	e, err := f.examine(data, MaxPixels)
	if err != nil {
		t.Fatal(err)
	}
	taken := int64(allocated(func() { _, err = f.decode(data, 4, 4) }))
	if err != nil {
		t.Fatal(err)
	}
	if taken > e.memory || taken < e.memory/2 {
		t.Errorf("decoding took %d bytes, estimate %d", taken, e.memory)
	}
	chunk := losslessGroups(1 << 16)[20:]
	if _, err := losslessMemory(chunk, 4, 4, 8_000_000); err == nil ||
		!strings.Contains(err.Error(), "more than 8 MB of memory") {
		t.Errorf("error %v", err)
	}
	chunk = losslessGroups(3)[20:]
	codes := 8 + len(chunk) - 64 - 2 - 1 // the pixels and the padding follow
	for n := 5; n < codes-8; n++ {
		if _, err := losslessMemory(chunk[:n], 4, 4, maxMemory); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut to %d of %d bytes: error %v", n, len(chunk), err)
		}
	}
}

// Package digest computes the SHA-256 of a sequence of values.
//
// Strings are preceded by their length and numbers have a fixed size, so different sequences of the same kinds of
// values never form the same byte stream.
package digest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
)

// Digest is the running sum. Create it with New.
type Digest struct{ sum hash.Hash }

// New returns the digest of an empty sequence.
func New() Digest { return Digest{sha256.New()} }

// Number adds n as 64 bits, little-endian.
func (d Digest) Number(n int64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n))
	d.sum.Write(b[:])
}

// Bytes adds the length of b as a number, then b.
func (d Digest) Bytes(b []byte) {
	d.Number(int64(len(b)))
	d.sum.Write(b)
}

// Text adds a string like Bytes.
func (d Digest) Text(s string) { d.Bytes([]byte(s)) }

// Texts adds the number of strings, then each of them.
func (d Digest) Texts(all []string) {
	d.Number(int64(len(all)))
	for _, s := range all {
		d.Text(s)
	}
}

// Hex returns the sum of everything added so far in hex.
func (d Digest) Hex() string { return hex.EncodeToString(d.sum.Sum(nil)) }

package shapes

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
)

// random generates small integers from a PCG stream. It uses only the raw words of the generator, whose algorithm is
// fixed. The range functions of rand.Rand may change between Go versions, which would change the dataset.
type random struct{ source *rand.PCG }

// newRandom starts the given stream of a seed. Both are hashed, so adjacent streams are unrelated.
func newRandom(seed, stream uint64) *random {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, seed), stream))
	return &random{rand.NewPCG(binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16]))}
}

// below returns an integer in [0, n). Its bias of at most n/2^64 is negligible here.
func (r *random) below(n int) int {
	hi, _ := bits.Mul64(r.source.Uint64(), uint64(n))
	return int(hi)
}

// between returns an integer in [lo, hi].
func (r *random) between(lo, hi int) int { return lo + r.below(hi-lo+1) }

func (r *random) oneIn(n int) bool { return r.below(n) == 0 }

// weighted returns i with probability weights[i] / sum(weights).
func (r *random) weighted(weights []int) int {
	total := 0
	for _, w := range weights {
		total += w
	}
	at := r.below(total)
	for i, w := range weights {
		if at -= w; at < 0 {
			return i
		}
	}
	panic("unreachable: at is less than the sum of the weights")
}

func pick[T any](r *random, from []T) T { return from[r.below(len(from))] }

func shuffle[T any](r *random, s []T) {
	for i := len(s) - 1; i > 0; i-- {
		j := r.below(i + 1)
		s[i], s[j] = s[j], s[i]
	}
}

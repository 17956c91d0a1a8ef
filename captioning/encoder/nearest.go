package encoder

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Neighbour is an image and the similarity of its features to a given vector.
type Neighbour struct {
	ID         string
	Similarity float64 // cosine: 1 for the same direction, 0 at a right angle
}

// Nearest returns the n images among ids whose features have the largest cosine similarity to vector, [FeatureDim],
// most similar first, ties in the order of ids. The length of a vector is ignored: it depends on the contrast of an
// image more than on its content. Ids without features are skipped. To exclude an image, such as the one that vector
// comes from, leave it out of ids. Fails for a vector that is zero or not FeatureDim long.
func (f *Features) Nearest(vector []float32, n int, ids []string) ([]Neighbour, error) {
	if len(vector) != f.Dim() {
		return nil, fmt.Errorf("features: the vector has %d values, want %d, as features of encoder %s have",
			len(vector), f.Dim(), f.Manifest.Encoder.Name)
	}
	length := norm(vector)
	if length == 0 {
		return nil, fmt.Errorf("features: a vector of zeros has no direction, so it has no neighbours")
	}
	var all []Neighbour
	for _, id := range ids {
		row, ok := f.rows[id]
		if !ok {
			continue
		}
		if other := norm(row); other > 0 {
			all = append(all, Neighbour{id, dot(vector, row) / (length * other)})
		}
	}
	slices.SortStableFunc(all, func(a, b Neighbour) int { return cmp.Compare(b.Similarity, a.Similarity) })
	return all[:max(0, min(n, len(all)))], nil
}

func norm(v []float32) float64 { return math.Sqrt(dot(v, v)) }

// dot sums products in four lanes, which a processor adds in parallel: a search compares thousands of images.
func dot(a, b []float32) float64 {
	b = b[:len(a)]
	var lanes [4]float64
	i := 0
	for ; i+4 <= len(a); i += 4 {
		lanes[0] += float64(a[i]) * float64(b[i])
		lanes[1] += float64(a[i+1]) * float64(b[i+1])
		lanes[2] += float64(a[i+2]) * float64(b[i+2])
		lanes[3] += float64(a[i+3]) * float64(b[i+3])
	}
	for ; i < len(a); i++ {
		lanes[0] += float64(a[i]) * float64(b[i])
	}
	return lanes[0] + lanes[1] + lanes[2] + lanes[3]
}

package score

import (
	"math"
	"slices"
	"strings"
)

// similarities returns the CIDEr of each caption with each, divided by 10 (Vedantam, Zitnick and Parikh 2015): the
// cosine of the vectors of their n-grams, weighed by inverse document frequency, averaged over n from 1 to 4. Unlike
// CIDEr-D it is symmetric, and the matrix has no negative eigenvalues.
func (df *DocumentFrequencies) similarities(captions [][]string) [][]float64 {
	vectors := make([][maxOrder]gramVector, len(captions))
	for i, tokens := range captions {
		for n := range maxOrder {
			vectors[i][n] = df.weigh(tokens, n+1)
		}
	}
	matrix := make([][]float64, len(captions))
	for i := range matrix {
		matrix[i] = make([]float64, len(captions))
		for j := range i + 1 {
			var sum float64
			for n := range maxOrder {
				sum += vectors[i][n].dot(vectors[j][n])
			}
			matrix[i][j], matrix[j][i] = sum/maxOrder, sum/maxOrder
		}
	}
	return matrix
}

// gramVector holds weighed n-grams of one order. Its length is 1, or 0 if none has a weight.
type gramVector struct {
	grams   []string // in order of first occurrence, so that sums always have the same order
	weights map[string]float64
}

// weigh returns the n-grams of a caption.
func (df *DocumentFrequencies) weigh(tokens []string, n int) gramVector {
	v := gramVector{weights: make(map[string]float64)}
	for i := 0; i+n <= len(tokens); i++ {
		gram := strings.Join(tokens[i:i+n], " ")
		if v.weights[gram]++; v.weights[gram] == 1 {
			v.grams = append(v.grams, gram)
		}
	}
	logImages := math.Log(float64(df.Images))
	var squares float64
	for _, gram := range v.grams {
		v.weights[gram] *= logImages - math.Log(max(1, float64(df.Frequency[gram])))
		squares += v.weights[gram] * v.weights[gram]
	}
	if squares == 0 {
		return gramVector{}
	}
	for _, gram := range v.grams {
		v.weights[gram] /= math.Sqrt(squares)
	}
	return v
}

func (v gramVector) dot(w gramVector) float64 {
	var sum float64
	for _, gram := range v.grams {
		sum += v.weights[gram] * w.weights[gram]
	}
	return sum
}

// eigenvalues returns the eigenvalues of a symmetric matrix, in no order, by Jacobi's method (Golub and Van Loan,
// Matrix Computations, section 8.5): rotations make one element after another zero, until all outside the diagonal are.
func eigenvalues(symmetric [][]float64) []float64 {
	a := make([][]float64, len(symmetric))
	var squares float64
	for i, row := range symmetric {
		a[i] = slices.Clone(row)
		for _, x := range row {
			squares += x * x
		}
	}
	limit := rotationLimit * math.Sqrt(squares)
	for sweep, changed := 0, true; changed && sweep < maxSweeps; sweep++ {
		changed = false
		for p := range a {
			for q := p + 1; q < len(a); q++ {
				if math.Abs(a[p][q]) > limit {
					rotate(a, p, q)
					changed = true
				}
			}
		}
	}
	values := make([]float64, len(a))
	for i := range a {
		values[i] = a[i][i]
	}
	return values
}

const (
	maxSweeps     = 50    // about ten suffice
	rotationLimit = 1e-16 // of an element that counts as zero, as a share of the matrix's norm
)

// rotate makes element (p, q) of a symmetric matrix zero without changing its eigenvalues.
func rotate(a [][]float64, p, q int) {
	theta := (a[q][q] - a[p][p]) / (2 * a[p][q])
	t := 1 / (math.Abs(theta) + math.Hypot(theta, 1)) // tangent of the smaller angle
	if theta < 0 {
		t = -t
	}
	c := 1 / math.Hypot(t, 1)
	s := t * c
	for k := range a {
		a[k][p], a[k][q] = c*a[k][p]-s*a[k][q], s*a[k][p]+c*a[k][q]
	}
	for k := range a {
		a[p][k], a[q][k] = c*a[p][k]-s*a[q][k], s*a[p][k]+c*a[q][k]
	}
	a[p][q], a[q][p] = 0, 0
}

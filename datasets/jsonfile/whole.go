package jsonfile

import (
	"fmt"
	"math"
	"strconv"
)

// WholeNumber reads a JSON number that is whole, however it is written: 42, 42.0 and 4.2e1 are the same number, as they
// are the same key of a dictionary in Python.
func WholeNumber(data []byte) (int64, error) {
	if n, err := strconv.ParseInt(string(data), 10, 64); err == nil {
		return n, nil
	}
	const exact = 1 << 53 // larger floating-point numbers stand for several whole ones
	x, err := strconv.ParseFloat(string(data), 64)
	if err != nil || x != math.Trunc(x) || math.Abs(x) >= exact {
		return 0, fmt.Errorf("%.40s is not a whole number", data)
	}
	return int64(x), nil
}

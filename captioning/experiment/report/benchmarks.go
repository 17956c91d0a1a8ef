package report

import (
	"fmt"
	"path/filepath"
	"strings"

	"captionlab/captioning/experiment"
)

// benchmark is the part of a record in results/benchmarks that the report reads.
type benchmark struct {
	path     string
	Host     experiment.Host   `json:"host"`
	Versions map[string]string `json:"versions"`
	Data     string            `json:"data"`
	Rounds   int               `json:"rounds"`
	Series   []series          `json:"series"`
}

// series is one measured quantity: the median over the rounds.
type series struct {
	Name   string  `json:"name"`
	Unit   string  `json:"unit"`
	Median float64 `json:"median"`
}

// readBenchmark reads the record called name. The error wraps fs.ErrNotExist if it is missing.
func readBenchmark(results, name string) (benchmark, error) {
	b := benchmark{path: filepath.Join(results, "benchmarks", name+".json")}
	err := experiment.ReadJSON(b.path, &b)
	return b, err
}

// get returns the series called name. A record without it is an error.
func (b benchmark) get(name string) (series, error) {
	for _, s := range b.Series {
		if s.Name == name && s.Median > 0 {
			return s, nil
		}
	}
	return series{}, fmt.Errorf("record %s has no series %q; repeat the benchmark with make bench", b.path, name)
}

// best returns the best of the series whose names begin with prefix and that have the given unit: the shortest time,
// or the highest rate.
func (b benchmark) best(prefix, unit string) (series, error) {
	var best series
	for _, s := range b.Series {
		if !strings.HasPrefix(s.Name, prefix) || s.Unit != unit || s.Median <= 0 {
			continue
		}
		if best.Name == "" || faster(s, best) {
			best = s
		}
	}
	if best.Name == "" {
		return best, fmt.Errorf("record %s has no series that begins with %q in %s; repeat the benchmark with "+
			"make bench",
			b.path, prefix, unit)
	}
	return best, nil
}

func faster(a, b series) bool {
	if a.Unit == "s" {
		return a.Median < b.Median
	}
	return a.Median > b.Median
}

// speedup is how many times as fast a is as b.
func speedup(a, b series) float64 {
	if a.Unit == "s" {
		return b.Median / a.Median
	}
	return a.Median / b.Median
}

// String writes the median with its unit, as in "4.22 s" or "5,227 tokens/s".
func (s series) String() string {
	return significant(s.Median) + " " + strings.ReplaceAll(s.Unit, "picture", "image")
}

// significant writes a positive number with three significant digits, or all digits of the whole part.
func significant(v float64) string {
	switch {
	case v >= 1000:
		return fmt.Sprintf("%d,%03d", int(v+0.5)/1000, int(v+0.5)%1000)
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

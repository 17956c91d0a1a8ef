package report

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// speedRow is a row of the speed table: a benchmark record, the series of captionlab in it, and the prefix of the
// series of the Python program, of which the fastest counts.
type speedRow struct {
	record, work, ours, theirs string
	program, version           string // name of the Python program, and its key in the versions of the record
}

// speedRows are the rows in order. %s in work stands for the number of items, read from the record's data.
var speedRows = []speedRow{
	{"score", "score captions of %s images", "captionlab score, whole command", "pycocoevalcap, whole command",
		"pycocoevalcap", "pycocoevalcap"},
	{"train", "train the baseline LSTM (300/512)", "baseline 300/512, captionlab", "baseline 300/512, PyTorch",
		"PyTorch", "torch"},
	{"train-intel", "train the baseline LSTM (300/512)", "baseline 300/512, captionlab",
		"baseline 300/512, PyTorch", "PyTorch", "torch"},
	{"generate", "caption %s images greedily, from features", "greedy, captionlab", "greedy, PyTorch",
		"PyTorch", "torch"},
	{"features", "compute ResNet-50 features of JPEGs, 224 x 224", "resnet50, captionlab", "resnet50, PyTorch",
		"PyTorch", "torch"},
}

// largeJPEGs is the benchmark of JPEGs of COCO's size, which is mentioned below the table.
var largeJPEGs = speedRow{"pictures", "", "resnet50, from JPEG", "resnet50, from JPEG, PyTorch", "PyTorch", "torch"}

// comparedSpeed is a row with its numbers.
type comparedSpeed struct {
	benchmark
	ours, theirs series
}

func (r speedRow) read(results string) (comparedSpeed, error) {
	b, err := readBenchmark(results, r.record)
	if err != nil {
		return comparedSpeed{}, err
	}
	ours, err := b.get(r.ours)
	if err != nil {
		return comparedSpeed{}, err
	}
	theirs, err := b.best(r.theirs, ours.Unit)
	return comparedSpeed{b, ours, theirs}, err
}

// count matches the number of items at the beginning of a record's data or inside it, as in "1,000 test images".
var count = regexp.MustCompile(`\b[0-9][0-9,]*\b`)

// writeSpeed writes the speed table of README.md. Benchmarks without a record have no row.
func writeSpeed(results string, out *strings.Builder) error {
	var rows [][]string
	rounds := make(map[int]bool)
	for _, r := range speedRows {
		s, err := r.read(results)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		work := r.work
		if strings.Contains(work, "%s") {
			work = fmt.Sprintf(work, thousands(count.FindString(s.Data)))
		}
		rounds[s.Rounds] = true
		rows = append(rows, []string{work, s.ours.String(),
			fmt.Sprintf("%s (%s %s)", s.theirs, r.program, s.Versions[r.version]),
			significant(speedup(s.ours, s.theirs)), machine(s.Host)})
	}
	if len(rows) == 0 {
		out.WriteString("No benchmarks are recorded yet.\n")
		return nil
	}
	writeTable(out, []string{"work", "captionlab", "Python", "ratio", "machine"}, rows)
	fmt.Fprintf(out, "\nMedians of %s rounds in which the two programs alternate; a ratio above 1 means that "+
		"captionlab is faster.\n",
		roundRange(rounds))
	return writeLargeJPEGs(results, out)
}

// writeLargeJPEGs adds the result for larger JPEGs, which need not be as good.
func writeLargeJPEGs(results string, out *strings.Builder) error {
	s, err := largeJPEGs.read(results)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "With JPEGs of 640 x 480, on %s, captionlab computes ResNet-50 features at %s and %s at %s: a "+
		"ratio of %s.\n",
		machine(s.Host), s.ours, largeJPEGs.program+" "+s.Versions[largeJPEGs.version], s.theirs,
		significant(speedup(s.ours, s.theirs)))
	return nil
}

// roundRange writes one number of rounds, or the range of several.
func roundRange(rounds map[int]bool) string {
	var all []int
	for n := range rounds {
		all = append(all, n)
	}
	low, high := slices.Min(all), slices.Max(all)
	if low == high {
		return fmt.Sprint(low)
	}
	return fmt.Sprintf("%d to %d", low, high)
}

// thousands puts commas between the thousands of a number that has none.
func thousands(number string) string {
	if strings.Contains(number, ",") {
		return number
	}
	for i := len(number) - 3; i > 0; i -= 3 {
		number = number[:i] + "," + number[i:]
	}
	return number
}

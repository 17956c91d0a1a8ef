package chart

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// axis maps values to pixels.
type axis struct {
	log, whole bool
	onZero     bool // has no margin below zero
	any        bool // has values
	low, high  float64
	from, to   float64 // pixels of the two ends
	ticks      []tick
}

// tick is a labelled value.
type tick struct {
	value float64
	text  string
}

// include widens the range of the axis to a value.
func (a *axis) include(v float64) {
	if !a.any {
		a.any, a.low, a.high = true, v, v
	}
	a.low, a.high = min(a.low, v), max(a.high, v)
}

// ends are the ends of the axis, a little beyond the values; on a logarithmic axis their logarithms.
func (a *axis) ends() (low, high float64) {
	low, high = a.low, a.high
	if a.log {
		low, high = math.Log(low), math.Log(high)
	}
	margin := 0.05 * (high - low)
	switch {
	case margin > 0:
	case a.whole:
		margin = 0.5
	default:
		margin = max(math.Abs(high)*0.1, 1e-9)
	}
	if a.onZero && a.low == 0 {
		return low, high + margin
	}
	return low - margin, high + margin
}

// place returns the pixel of a value.
func (a *axis) place(v float64) float64 {
	low, high := a.ends()
	if a.log {
		v = math.Log(v)
	}
	return a.from + (v-low)/(high-low)*(a.to-a.from)
}

// setSpan sets the pixels of the two ends, and the ticks at round values, at least spacing pixels apart.
func (a *axis) setSpan(from, to, spacing float64) {
	a.from, a.to = from, to
	if !a.any {
		return
	}
	atMost := max(2, math.Abs(to-from)/spacing)
	if a.log {
		for _, factors := range [][]float64{{1, 2, 5}, {1}} {
			a.ticks = a.logTicks(factors)
			if n := float64(len(a.ticks)); n >= 2 && n <= atMost {
				return
			}
		}
	}
	a.ticks = a.evenTicks(atMost)
}

// logTicks are the values factor x 10^n on the axis.
func (a *axis) logTicks(factors []float64) []tick {
	low, high := a.ends()
	var out []tick
	for e := math.Floor(low / math.Ln10); e <= math.Ceil(high/math.Ln10); e++ {
		for _, f := range factors {
			if v := f * math.Pow(10, e); math.Log(v) >= low && math.Log(v) <= high {
				out = append(out, tick{v, number(v)})
			}
		}
	}
	return out
}

// evenTicks are the multiples of 1, 2 or 5 times a power of ten, at most the given number.
func (a *axis) evenTicks(atMost float64) []tick {
	low, high := a.ends()
	if a.log {
		low, high = math.Exp(low), math.Exp(high)
	}
	power := math.Floor(math.Log10((high - low) / atMost))
	if a.whole {
		power = max(0, power)
	}
	step := math.Pow(10, power)
	for _, f := range []float64{1, 2, 5, 10} {
		if math.Floor(high/(f*step))-math.Ceil(low/(f*step))+1 <= atMost || f == 10 {
			step *= f
			if f == 10 {
				power++
			}
			break
		}
	}
	digits := max(0, -int(power))
	var out []tick
	for i := math.Ceil(low / step); i*step <= high; i++ {
		v := i * step
		out = append(out, tick{v, group(strconv.FormatFloat(v+0, 'f', digits, 64))})
	}
	return out
}

// tickAt puts the ticks at the given values if there is room for all their labels.
func (a *axis) tickAt(values map[float64]bool) {
	var out []tick
	end := math.Inf(-1)
	for _, v := range slices.Sorted(maps.Keys(values)) {
		t := tick{v, number(v)}
		half := textWidth(t.text) / 2
		if a.place(v)-half < end+10 {
			return
		}
		end = a.place(v) + half
		out = append(out, t)
	}
	if len(out) > 1 {
		a.ticks = out
	}
}

// number writes a value in few characters.
func number(v float64) string {
	if v != 0 && math.Abs(v) < 1e-2 || math.Abs(v) >= 1e6 {
		text := strconv.FormatFloat(v, 'e', -1, 64)
		return strings.NewReplacer("e-0", "e-", "e+0", "e", "e+", "e").Replace(text)
	}
	return group(strconv.FormatFloat(v, 'g', 4, 64))
}

// group puts commas between the thousands of a number without an exponent.
func group(text string) string {
	whole, fraction, ok := strings.Cut(text, ".")
	if strings.Contains(text, "e") {
		return text
	}
	digits := strings.TrimPrefix(whole, "-")
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if strings.HasPrefix(whole, "-") {
		digits = "-" + digits
	}
	if ok {
		return digits + "." + fraction
	}
	return digits
}

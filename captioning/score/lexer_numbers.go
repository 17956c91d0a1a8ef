package score

import "strings"

// fromDigit takes a token that begins with a digit.
func (x *lexer) fromDigit(i int) int {
	if end := x.telephone(i); end > i {
		x.joined(i, end)
		return end
	}
	if end := x.mixed(i); end > i {
		x.joined(i, end)
		return end
	}
	if end := x.address(i); end > i {
		x.emit(x.line[i:end])
		return end
	}
	number := x.number(i)
	end := number
	end = max(end, x.slashes(i), x.dotted(i), x.list(i), x.file(i))
	if x.run(i) >= number {
		end = max(end, x.tailApostrophe(i, x.chain(i)))
	}
	if x.at(end) == '.' {
		if next := x.at(end + 1); next == ',' || next == ';' || next == ':' {
			end++
		}
	}
	x.emit(x.line[i:end])
	return end
}

// number returns the end of a number, which may contain points, commas and colons, as in "1,000.5", "12:30" and ".5".
func (x *lexer) number(i int) int {
	end := x.digits(i)
	for {
		c := x.at(end)
		if c != '.' && c != ',' && c != ':' {
			return end
		}
		next := x.digits(end + 1)
		if next == end+1 {
			return end
		}
		end = next
	}
}

// joined emits the text from i to end as one token; its spaces become no-break spaces.
func (x *lexer) joined(i, end int) {
	x.emit(strings.NewReplacer(" ", noBreak, "(", "-lrb-", ")", "-rrb-").Replace(x.line[i:end]))
}

// count returns the number of digits at i, at most 9.
func (x *lexer) count(i int) int {
	n := 0
	for n < 9 && isASCIIDigit(x.at(i+n)) {
		n++
	}
	return n
}

func between(n, low, high int) bool { return n >= low && n <= high }

// mixed returns the end of an integer and a fraction, as in "1 1/2".
func (x *lexer) mixed(i int) int {
	a := x.count(i)
	if !between(a, 1, 4) || x.at(i+a) != ' ' && x.at(i+a) != '-' {
		return i
	}
	b := x.count(i + a + 1)
	if !between(b, 1, 4) || x.at(i+a+1+b) != '/' {
		return i
	}
	c := x.count(i + a + 2 + b)
	if !between(c, 1, 4) {
		return i
	}
	return i + a + 2 + b + c
}

// telephone returns the end of a telephone number: groups of digits separated by spaces or hyphens, or by nothing. The
// first group may be in parentheses.
func (x *lexer) telephone(i int) int {
	gap := func(i int) bool { return x.at(i) == ' ' || x.at(i) == '-' }
	// tail returns the end of the last two groups, -1 if there are none.
	tail := func(i int) int {
		best := -1
		for a := 3; a <= min(4, x.count(i)); a++ {
			next := i + a
			if gap(next) {
				next++
			}
			if b := x.count(next); b >= 3 {
				best = max(best, next+min(b, 5))
			}
		}
		return best
	}
	best := i
	if x.at(i) == '(' {
		if a := x.count(i + 1); between(a, 2, 3) && x.at(i+1+a) == ')' {
			next := i + 2 + a
			if x.at(next) == ' ' {
				next++
			}
			best = max(best, tail(next))
		}
		return best
	}
	if a := x.count(i); between(a, 2, 4) && gap(i+a) {
		best = max(best, tail(i+a+1))
		if b := x.count(i + a + 1); between(b, 2, 4) && gap(i+a+1+b) {
			best = max(best, tail(i+a+2+b))
		}
	}
	return best
}

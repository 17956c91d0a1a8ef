package score

import "strings"

// chain returns the end of words and numbers joined by hyphens and underscores.
func (x *lexer) chain(i int) int {
	end := x.run(i)
	if end == i {
		return i
	}
	for {
		if c := x.at(end); c != '-' && c != '_' {
			return end
		}
		next := x.run(end + 1)
		if next == end+1 {
			return end
		}
		end = next
	}
}

// slashes returns the end of two or three words or numbers joined by slashes, as in "and/or" and "12/25/2010". Hyphens
// may join up to two more words to each of them.
func (x *lexer) slashes(i int) int {
	part := func(i int) int {
		end := x.plainRun(i)
		if end == i {
			return i
		}
		for range 2 {
			if x.at(end) != '-' || !isASCIILetter(x.at(end+1)) {
				break
			}
			end = x.plainRun(end + 1)
		}
		return end
	}
	end := part(i)
	for n := 0; n < 2 && end > i && x.at(end) == '/'; n++ {
		next := part(end + 1)
		if next == end+1 {
			break
		}
		end = next
	}
	return end
}

// plainRun is run for ASCII only.
func (x *lexer) plainRun(i int) int {
	for c := x.at(i); isASCIILetter(c) || isASCIIDigit(c); c = x.at(i) {
		i++
	}
	return i
}

// list returns the end of words or numbers with full stops and commas between them, if a hyphen follows the last one,
// as in "red,blue-green" and "1.5-inch".
func (x *lexer) list(i int) int {
	end := x.plainRun(i)
	if end == i || i < x.noList {
		return i
	}
	for {
		next := end
		for c := x.at(next); c == '.' || c == ','; c = x.at(next) {
			next++
		}
		if x.at(next) == '-' {
			end = next
			break
		}
		after := x.plainRun(next)
		if next == end || after == next {
			x.noList = end
			return i
		}
		end = after
	}
	done := i
	for x.at(end) == '-' && x.plainRun(end+1) > end+1 {
		end = x.plainRun(end + 1)
		done = end
	}
	return done
}

// extensions are extensions of file names.
var extensions = set(`bat bmp c class cgi cpp dll doc docx exe gif gz h htm html jar java jpeg jpg mov mp3 pdf php pl
	png ppt ps py sql tar txt wav x xml zip`)

// file returns the end of a file name: a word or number, a full stop and one of the extensions.
func (x *lexer) file(i int) int {
	end := x.plainRun(i)
	if end == i || x.at(end) != '.' {
		return i
	}
	if next := x.run(end + 1); next-end <= 6 && extensions[strings.ToLower(x.line[end+1:next])] {
		return next
	}
	return i
}

// dotted returns the end of words joined by a full stop, exclamation mark or question mark without a space, as in
// "a.b" and "yahoo!news", and of the words that hyphens join to them.
func (x *lexer) dotted(i int) int {
	end := x.plainRun(i)
	joined := false
	for end > i && isASCIILetter(x.line[i]) {
		if c := x.at(end); c != '.' && c != '!' && c != '?' {
			break
		}
		if !isASCIILetter(x.at(end + 1)) {
			break
		}
		end, joined = x.plainRun(end+1), true
	}
	if !joined {
		return i
	}
	for x.at(end) == '-' {
		next := x.run(end + 1)
		if next == end+1 {
			break
		}
		end = next
	}
	return end
}

// acronym returns the end of single letters with full stops, as in "U.S." and "a.m.".
func (x *lexer) acronym(i int) int {
	end, n := i, 0
	for isASCIILetter(x.at(end)) && x.at(end+1) == '.' {
		end, n = end+2, n+1
	}
	if n < 2 {
		return i
	}
	return end
}

// capitals returns the end of words in capitals joined by "&", as in "AT&T", or of "M&M".
func (x *lexer) capitals(i int) int {
	upper := func(i int) int {
		for c := x.at(i); c >= 'A' && c <= 'Z'; c = x.at(i) {
			i++
		}
		return i
	}
	if rest := x.line[i:]; len(rest) >= 3 && strings.EqualFold(rest[:3], "m&m") && x.letters(i+3) <= i+4 {
		return i + 3
	}
	end := upper(i)
	if end == i {
		return i
	}
	for x.at(end) == '&' {
		after := end + 1
		if strings.HasPrefix(x.line[end:], "&amp;") {
			after = end + len("&amp;")
		}
		next := upper(after)
		if next == after {
			break
		}
		end = next
	}
	return end
}

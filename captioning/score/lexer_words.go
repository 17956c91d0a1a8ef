package score

import "strings"

// split are words that are two tokens, and where they are cut.
var split = map[string]int{"cannot": 3, "gonna": 3, "gotta": 3, "lemme": 3, "gimme": 3, "wanna": 3}

// word emits a word of letters.
func (x *lexer) word(w string) {
	if len(w) >= 5 && len(w) <= 6 {
		if at := split[strings.ToLower(w)]; at > 0 {
			x.emit(w[:at])
			x.emit(w[at:])
			return
		}
	}
	x.emit(w)
}

// set makes a set of words.
func set(words string) map[string]bool {
	s := make(map[string]bool)
	for _, w := range strings.Fields(words) {
		s[w] = true
	}
	return s
}

var (
	// abbreviations keep their full stop wherever they stand. Single letters do too.
	abbreviations = set(`adj adm adv al ala alex apr ariz assn assoc asst atty aug ave bhd bldg blvd brig bros calif capt cf cie
		cmdr co col colo comdr conn corp cos cpl ct dak dec dept det dr drs elec ens esq est etc ext feb fla fri ft ga gen gov
		govs hon inc ind insp intl invt jan jos jr jul jun kan kans ky lieut lt ltd maj mar md messrs mfg mich minn mlle mme mo
		mon mont mr mrs ms msgr mt mtg natl neb nev nov oct okla penn pfc ph plc ppte ppty pres prof profs pte ptes pty ptys pvt
		rd rep reps rev rt sen sens sep sept seq sfc sgt spc sq sr st ste supt sys tel tenn thu thurs treas tue tues univ va vs vt
		wed wis wisc wm wyo`)
	// notInCapitals are those that do not when they are all capitals.
	notInCapitals = set("mfg mtg ppte ppty pte ptes pty ptys")
	// withCapital do where they begin with a capital.
	withCapital = set("ark az del ill la mass miss ore pa tex wash")
	// beforeNumber do before a number.
	beforeNumber = set("art ca fig figs no nos op pp prop")
	// beginnings are words that, with a capital, begin a sentence behind a single letter, which then has no full stop.
	beginnings = set(`a about according additionally after an as at but earlier he her here however if in it last many more now
		once one other our she since so some such that the their then there these they this we what when while yet you`)
)

// keepsStop tells whether w, whose full stop is at i, keeps it.
func (x *lexer) keepsStop(w string, i int) bool {
	if next := x.at(i + 1); next == ',' || next == ';' || next == ':' {
		return true
	}
	if len(w) == 1 && isASCIILetter(w[0]) {
		return !x.beginsSentence(i + 1)
	}
	if len(w) > 6 {
		return false
	}
	low := strings.ToLower(w)
	switch {
	case abbreviations[low]:
		return !(notInCapitals[low] && w == strings.ToUpper(w))
	case withCapital[low]:
		return w[0] != low[0]
	case beforeNumber[low]:
		after := i + 1
		for x.at(after) == ' ' {
			after++
		}
		return isASCIIDigit(x.at(after))
	}
	return false
}

// beginsSentence tells whether a space and a word that begins a sentence are at i.
func (x *lexer) beginsSentence(i int) bool {
	word := i
	for x.at(word) == ' ' || x.at(word) == '\t' {
		word++
	}
	end := x.run(word)
	if word == i || end == word || end-word > 12 || x.line[word] < 'A' || x.line[word] > 'Z' || !beginnings[strings.ToLower(x.line[word:end])] {
		return false
	}
	after := x.at(end)
	return after == 0 || after == ' ' || after == '\t'
}

// fromLetter takes a token that begins with a letter.
func (x *lexer) fromLetter(i int) int {
	if end := x.address(i); end > i {
		x.emit(x.line[i:end])
		return end
	}
	letters := x.letters(i)
	if letters == i+1 {
		switch rest := x.line[i:]; {
		case strings.HasPrefix(rest, "C++") || strings.HasPrefix(rest, "c++"):
			return x.take(i, i+3)
		case len(rest) > 1 && rest[1] == '#' && strings.IndexByte("CcFf", rest[0]) >= 0:
			return x.take(i, i+2)
		}
	}
	if letters == i+1 && (x.line[i] == 'n' || x.line[i] == 'N') && x.at(letters) == '`' && (x.at(letters+1) == 't' || x.at(letters+1) == 'T') {
		return x.take(i, letters+2)
	}
	if x.at(letters) == '$' && strings.Trim(x.line[i:letters], "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" {
		return x.take(i, letters+1) // "US$"
	}
	if n := x.apostrophe(letters); n > 0 {
		if end := x.withApostrophe(i, letters, n); end > i {
			return end
		}
	}
	end := max(x.acronym(i), x.dotted(i), x.chain(i), x.list(i), x.slashes(i), x.capitals(i), x.file(i))
	if end-i == 4 && strings.EqualFold(x.line[i:end], "ph.d") && x.at(end) == '.' {
		return x.take(i, end+1)
	}
	if end > letters {
		end = x.tailApostrophe(i, end)
	}
	n := x.apostrophe(end)
	if x.at(end) == '`' {
		n = 1
	}
	if n > 0 && end-i > 1 && end == letters {
		if c := x.line[end-1]; (c == 'n' || c == 'N') && (x.at(end+n) == 't' || x.at(end+n) == 'T') {
			end-- // "n't" is a token of its own
		}
	}
	if x.at(end) == '.' && x.keepsStop(x.line[i:end], end) && strings.IndexByte(x.line[i:end], '/') < 0 {
		end++
	}
	if end == letters || end == letters-1 {
		x.word(x.line[i:end])
	} else {
		x.emit(strings.ReplaceAll(x.line[i:end], "&amp;", "&"))
	}
	return end
}

// chain is the end of words and numbers joined by hyphens and underscores.
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

// slashes is the end of two or three words or numbers joined by slashes, as in "and/or" and "12/25/2010", each with up to
// two words more behind hyphens.
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

// plainRun is run for ASCII alone.
func (x *lexer) plainRun(i int) int {
	for c := x.at(i); isASCIILetter(c) || isASCIIDigit(c); c = x.at(i) {
		i++
	}
	return i
}

// list is the end of words or numbers with full stops and commas between them, the last of which has a hyphen, as in
// "red,blue-green" and "1.5-inch".
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

// extensions are endings of file names.
var extensions = set(`bat bmp c class cgi cpp dll doc docx exe gif gz h htm html jar java jpeg jpg mov mp3 pdf php pl png
	ppt ps py sql tar txt wav x xml zip`)

// file is the end of a word or number and such an ending.
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

// dotted is the end of words joined by a full stop, an exclamation or a question mark without a space, as in "a.b" or
// "yahoo!news", with hyphens behind.
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

// acronym is the end of single letters with full stops, as in "U.S." or "a.m.".
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

// capitals is the end of words of capitals joined by "&", as in "AT&T".
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

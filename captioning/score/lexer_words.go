package score

import "strings"

// split maps words that are two tokens to the length of the first one.
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

// set returns the words of a text as a set.
func set(words string) map[string]bool {
	s := make(map[string]bool)
	for _, w := range strings.Fields(words) {
		s[w] = true
	}
	return s
}

var (
	// abbreviations keep their full stop anywhere; so do most single letters.
	abbreviations = set(`
		adj adm adv al ala alex apr ariz assn assoc asst atty aug ave bhd bldg blvd brig bros calif capt cf cie
		cmdr co col colo comdr conn corp cos cpl ct dak dec dept det dr drs elec ens esq est etc ext feb fla fri
		ft ga gen gov govs hon inc ind insp intl invt jan jos jr jul jun kan kans ky lieut lt ltd maj mar md
		messrs mfg mich minn mlle mme mo mon mont mr mrs ms msgr mt mtg natl neb nev nov oct okla penn pfc ph plc
		ppte ppty pres prof profs pte ptes pty ptys pvt rd rep reps rev rt sen sens sep sept seq sfc sgt spc sq
		sr st ste supt sys tel tenn thu thurs treas tue tues univ va vs vt wed wis wisc wm wyo`)
	// notInCapitals are abbreviations that lose it if they are all capitals.
	notInCapitals = set("mfg mtg ppte ppty pte ptes pty ptys")
	// withCapital keep it if they begin with a capital.
	withCapital = set("ark az del ill la mass miss ore pa tex wash")
	// beforeNumber keep it before a number.
	beforeNumber = set("art ca fig figs no nos op pp prop")
	// beginnings are words that, with a capital, begin a sentence. A single letter before them loses its full stop.
	beginnings = set(`
		a about according additionally after an as at but earlier he her here however if in it last many more now
		once one other our she since so some such that the their then there these they this we what when while
		yet you`)
)

// keepsStop reports whether the full stop at i, after w, is part of the token.
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

// beginsSentence reports whether a space and a word that begins a sentence follow at i.
func (x *lexer) beginsSentence(i int) bool {
	word := i
	for x.at(word) == ' ' || x.at(word) == '\t' {
		word++
	}
	end := x.run(word)
	if word == i || end == word || end-word > 12 || x.line[word] < 'A' || x.line[word] > 'Z' {
		return false
	}
	if !beginnings[strings.ToLower(x.line[word:end])] {
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
		case len(rest) > 2 && strings.EqualFold(rest[:3], "n`t"):
			return x.take(i, i+3)
		}
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
			end-- // "n't" is a separate token
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

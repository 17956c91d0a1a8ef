package score

import "strings"

// anyCase returns a pattern for words in any mixture of cases. The words are separated by "|".
func anyCase(words string) string { return "(?:" + caseless(words) + ")" }

// anyOf is anyCase for words separated by white space.
func anyOf(words string) string { return anyCase(strings.Join(strings.Fields(words), "|")) }

// capitalized is anyOf for words whose first letter is a capital.
func capitalized(words string) string {
	var patterns []string
	for _, w := range strings.Fields(words) {
		patterns = append(patterns, strings.ToUpper(w[:1])+caseless(w[1:]))
	}
	return "(?:" + strings.Join(patterns, "|") + ")"
}

// otherCases are the letters outside ASCII that the reference takes as cases of one.
var otherCases = map[rune]string{'i': "ıİ", 'k': "\u212a", 's': "ſ"}

// caseless writes each letter as a choice.
func caseless(pattern string) string {
	var out strings.Builder
	inName := false
	for _, c := range pattern {
		inName = c == '{' || inName && c != '}'
		if inName {
			out.WriteRune(c)
			continue
		}
		if lower, upper := strings.ToLower(string(c)), strings.ToUpper(string(c)); lower != upper {
			out.WriteString("[" + lower + upper + otherCases[c] + "]")
		} else {
			out.WriteRune(c)
		}
	}
	return out.String()
}

var (
	// places keep their full stop, also before a letter that follows at once.
	places = anyOf(`al ala apr ariz assn aug bancorp bhd bldg blvd bros calif co colo conn corp cos ct dak dec esq est
		etc ext feb fla fri ga inc ind intl jan jr jul jun kan kans ky ltd mar md mich minn mo mon mont neb nev nov
		oct okla penn plc rd rt sep sept seq sq sr sys tel tenn thu thurs tue tues univ va vt wed wis wisc wyo`) +
		"|" + capitalized("ark az del ill la mass miss ore pa tex wash") +
		"|[pP]?[pP][tT][ey][sSſ]?"
	// titles keep it too, but are part of a word in which a letter follows.
	titles = anyOf(`adj adm adv alex assoc asst atty attys ave brig capt cf cie cmdr col comdr cpl dept det dr drs elec
		ens ft gen gov govs hon insp invt jos lieut lt maj messrs mlle mme mr mrs ms msgr mt natl pfc ph pres prof
		profs pvt rep reps rev sen sens sfc sgt spc st ste supt supts treas vs wm`) + "|[mM][fFtT]g"
	// numbered keep it before a number.
	numbered = anyOf("art ca fig figs no nos op pp prop")
	// beginnings begin a sentence: a single letter before them loses its full stop.
	beginnings = capitalized(`a about according additionally after an as at but earlier he her here however if in it
		last many more now once one other our she since so some such that the their then there these they this we
		what when while yet you`) + "|M[rRsSſ]\\."

	extensions = anyOf(`bat bmp c class cgi cpp dll doc docx exe gif gz h htm html jar java jpeg jpg mov mp3 pdf php pl
		png ppt ps py sql tar txt wav x xml zip`)
)

package meteor

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"captionlab/captioning/internal/atomicfile"
)

// Sources are the texts of METEOR's tables, in the format of its distribution, uncompressed. A nil reader is an empty
// table.
type Sources struct {
	// Function lists function words, one a line.
	Function io.Reader
	// Prefixes lists the words whose dot does not end a sentence, one a line, followed by #NUMERIC_ONLY# if that holds
	// before numbers only. Lines that begin with # are comments.
	Prefixes io.Reader
	// Synsets has two lines for each word: the word, and the numbers of its synsets.
	Synsets io.Reader
	// Exceptions has two lines for each base form: the base form, and its irregular forms.
	Exceptions io.Reader
	// Paraphrases has three lines for each pair: a probability, which METEOR does not use, a phrase, and its
	// paraphrase. Pairs of the same phrase follow each other.
	Paraphrases io.Reader
	// Origin says where the tables come from.
	Origin string
}

// entry is what the dictionary says of a word.
type entry struct {
	flags   byte
	phrase  uint16
	synsets []uint32
	bases   []string
}

// builder collects the dictionary and the sections of an index.
type builder struct {
	words    map[string]*entry
	phrases  []uint16          // section phrases
	starts   []uint32          // of the records in phrases
	lengths  []byte            // section phraseLengths
	inPhrase map[string]uint16 // numbers, from 1
	sections [sectionCount][]byte
}

// Build writes the index of s to path, whole or not at all. The real tables take 450 MB of memory and some seconds. It
// fails if a text is not in the format of its table; the error names the table and the line.
func Build(path string, s Sources) error {
	b := &builder{words: make(map[string]*entry), inPhrase: make(map[string]uint16)}
	for _, table := range []struct {
		name string
		from io.Reader
		read func(*lines) error
	}{
		{"function words", s.Function, b.readFunction}, {"prefixes", s.Prefixes, b.readPrefixes},
		{"synsets", s.Synsets, b.readSynsets}, {"irregular forms", s.Exceptions, b.readExceptions},
		{"paraphrases", s.Paraphrases, b.readParaphrases},
	} {
		if table.from == nil {
			continue
		}
		in := newLines(table.from)
		err := table.read(in)
		if err == nil {
			err = in.scanner.Err()
		}
		if err != nil {
			return fmt.Errorf("METEOR's %s, line %d: %w", table.name, in.number, err)
		}
	}
	b.layDictionary()
	b.layPhrases()
	b.sections[origin] = []byte(s.Origin)
	return atomicfile.Write(path, b.write)
}

// lines reads a text line by line.
type lines struct {
	scanner *bufio.Scanner
	number  int // of the line that was read last
}

func newLines(r io.Reader) *lines {
	l := &lines{scanner: bufio.NewScanner(r)}
	l.scanner.Buffer(nil, 1<<20)
	return l
}

func (l *lines) next() (string, bool) {
	if !l.scanner.Scan() {
		return "", false
	}
	l.number++
	return l.scanner.Text(), true
}

// second reads the line that must follow another one.
func (l *lines) second() (string, error) {
	line, ok := l.next()
	if !ok && l.scanner.Err() == nil {
		return "", fmt.Errorf("the text ends within an entry: it is cut off")
	}
	return line, nil
}

func (b *builder) entry(word string) *entry {
	e := b.words[word]
	if e == nil {
		e = new(entry)
		b.words[word] = e
	}
	return e
}

func (b *builder) readFunction(in *lines) error {
	for word, ok := in.next(); ok; word, ok = in.next() {
		if word != "" {
			b.entry(word).flags |= functionFlag
		}
	}
	return nil
}

func (b *builder) readPrefixes(in *lines) error {
	for line, ok := in.next(); ok; line, ok = in.next() {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		kind := anyPrefix
		if len(words) > 1 && words[1] == "#NUMERIC_ONLY#" {
			kind = numberPrefix
		}
		e := b.entry(words[0])
		e.flags = e.flags&functionFlag | byte(kind)<<1
	}
	return nil
}

func (b *builder) readSynsets(in *lines) error {
	for word, ok := in.next(); ok; word, ok = in.next() {
		numbers, err := in.second()
		if err != nil {
			return err
		}
		if strings.Contains(word, "_") { // several words, which METEOR does not look up
			continue
		}
		e := b.entry(word)
		for _, field := range strings.Fields(numbers) {
			n, err := strconv.ParseUint(field, 10, 32)
			if err != nil {
				return fmt.Errorf("%.40q is no number of a synset", field)
			}
			e.synsets = append(e.synsets, uint32(n))
		}
	}
	return nil
}

func (b *builder) readExceptions(in *lines) error {
	for base, ok := in.next(); ok; base, ok = in.next() {
		forms, err := in.second()
		if err != nil {
			return err
		}
		b.entry(base)
		for _, form := range strings.Fields(forms) {
			e := b.entry(form)
			e.bases = append(e.bases, base)
		}
	}
	return nil
}

// layDictionary fills the sections of words.
func (b *builder) layDictionary() {
	texts := slices.Sorted(maps.Keys(b.words))
	numbers := make(map[string]uint32, len(texts))
	for i, text := range texts {
		numbers[text] = uint32(i)
	}
	add := func(section int, n int) {
		b.sections[section] = binary.LittleEndian.AppendUint32(b.sections[section], uint32(n))
	}
	for _, text := range texts {
		e := b.words[text]
		add(wordStarts, len(b.sections[wordText]))
		b.sections[wordText] = append(b.sections[wordText], text...)
		b.sections[wordFlags] = append(b.sections[wordFlags], e.flags)
		b.sections[wordPhrase] = binary.LittleEndian.AppendUint16(b.sections[wordPhrase], b.inPhrase[text])
		add(synsetStarts, len(b.sections[synsets])/4)
		for _, n := range e.synsets {
			add(synsets, int(n))
		}
		add(baseStarts, len(b.sections[bases])/4)
		for _, base := range e.bases {
			add(bases, int(numbers[base]))
		}
	}
	add(wordStarts, len(b.sections[wordText]))
	add(synsetStarts, len(b.sections[synsets])/4)
	add(baseStarts, len(b.sections[bases])/4)
}

// write writes the header and the sections.
func (b *builder) write(w io.Writer) error {
	header := make([]byte, headerSize)
	copy(header, indexMagic)
	binary.LittleEndian.PutUint32(header[16:], indexVersion)
	at := uint64(headerSize)
	for i := range b.sections {
		binary.LittleEndian.PutUint64(header[32+16*i:], at)
		binary.LittleEndian.PutUint64(header[40+16*i:], uint64(len(b.sections[i])))
		b.sections[i] = append(b.sections[i], make([]byte, -len(b.sections[i])&7)...)
		at += uint64(len(b.sections[i]))
	}
	binary.LittleEndian.PutUint64(header[24:], at)
	sum := crc32.Checksum(header[24:], castagnoli)
	for _, s := range b.sections {
		sum = crc32.Update(sum, castagnoli, s)
	}
	binary.LittleEndian.PutUint32(header[20:], sum)
	if _, err := w.Write(header); err != nil {
		return err
	}
	for _, s := range b.sections {
		if _, err := w.Write(s); err != nil {
			return err
		}
	}
	return nil
}

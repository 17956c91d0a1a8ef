package meteor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The index is a file of numbers in little endian: a header, then the sections, each padded to 8 bytes.
//
//	0   magic, 16 bytes
//	16  version of the format, uint32
//	20  CRC-32C of everything from byte 24, uint32
//	24  size of the file, uint64
//	32  start and length in bytes of each section, uint64 each
const (
	indexMagic   = "captionlabMETEOR"
	indexVersion = 1
	headerSize   = 32 + 16*sectionCount
)

// Sections of the index. Words are the dictionary, sorted; a word's place in it is its number.
const (
	wordStarts       = iota // uint32: where each word starts in wordText, and the end of the last one
	wordText                // bytes
	wordFlags               // bytes: functionFlag, and the prefixKind
	wordPhrase              // uint16: number of the word in paraphrases, from 1; 0 for a word of none
	synsetStarts            // uint32: where the synsets of each word start in synsets, and the end of the last ones
	synsets                 // uint32
	baseStarts              // uint32: where the base forms of each irregular word start in bases, and the end
	bases                   // uint32: numbers of words
	phraseLengths           // bytes: by word number, the words of the longest phrase with paraphrases that starts there
	phraseSlots             // uint32: open addressing; 0, or 1 + where a phrase starts in phrases
	phraseBeginnings        // uint32: a bit set, by phraseHash, of the beginnings of such phrases
	phrases                 // uint16: phrase after phrase with its paraphrases, see phraseRecord
	origin                  // text: what the index was made of
	sectionCount
)

const functionFlag = 1

// prefixKind says what a dot after a word means.
type prefixKind uint8

const (
	noPrefix     prefixKind = iota // the dot ends a sentence, unless a lower-case word follows
	anyPrefix                      // the dot belongs to the word
	numberPrefix                   // the dot belongs to the word if a number follows
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Tables are METEOR's tables of function words, synonyms and paraphrases, in memory that is mapped to an index file.
// Several goroutines may use them.
type Tables struct {
	data     []byte
	sections [sectionCount][]byte
	cache    wordCache
}

// Open maps an index that Build wrote to memory, after it has checked its checksum. It fails if the file is not an
// index of this version, or damaged. Do not change the file while it is open; a new index replaces it by renaming, as
// Build does.
func Open(path string) (*Tables, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("METEOR's tables: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("METEOR's tables: %w", err)
	}
	if info.Size() < headerSize || info.Size() > 1<<31 {
		return nil, fmt.Errorf("%s: %d bytes are no index of METEOR's tables: build it again",
			path, info.Size())
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be mapped to memory: %w", path, err)
	}
	t, err := newTables(data)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w: build it again", path, err),
			unix.Munmap(data))
	}
	return t, nil
}

// Close ends the use of the tables and of metrics and scorers made of them.
func (t *Tables) Close() error {
	data := t.data
	t.data = nil
	if data == nil {
		return nil
	}
	return unix.Munmap(data)
}

// Origin says what the index was made of.
func (t *Tables) Origin() string { return string(t.sections[origin]) }

// newTables checks data and finds its sections.
func newTables(data []byte) (*Tables, error) {
	if string(data[:16]) != indexMagic {
		return nil, fmt.Errorf("this is no index of METEOR's tables")
	}
	if v := binary.LittleEndian.Uint32(data[16:]); v != indexVersion {
		return nil, fmt.Errorf("the index has version %d, not %d", v, indexVersion)
	}
	if size := binary.LittleEndian.Uint64(data[24:]); size != uint64(len(data)) {
		return nil, fmt.Errorf("the index has %d bytes, not %d: it is cut off", len(data), size)
	}
	want := binary.LittleEndian.Uint32(data[20:])
	if sum := checksum(data); sum != want {
		return nil, fmt.Errorf("the index has checksum %08x, not %08x: it is damaged", sum, want)
	}
	t := &Tables{data: data}
	for i := range t.sections {
		start := binary.LittleEndian.Uint64(data[32+16*i:])
		length := binary.LittleEndian.Uint64(data[40+16*i:])
		if start%8 != 0 || start > uint64(len(data)) || length > uint64(len(data))-start {
			return nil, fmt.Errorf("section %d of the index lies outside of it", i)
		}
		t.sections[i] = data[start : start+length]
	}
	return t, nil
}

func checksum(data []byte) uint32 { return crc32.Checksum(data[24:], castagnoli) }

// littleEndian reports whether this processor stores numbers as the index does.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// number returns number i of a section of uint32.
func (t *Tables) number(section, i int) uint32 {
	return binary.LittleEndian.Uint32(t.sections[section][4*i:])
}

// between returns the numbers of section list that belong to word at according to section starts.
func (t *Tables) between(starts, list, at int) []uint32 {
	from, to := t.number(starts, at), t.number(starts, at+1)
	if from == to {
		return nil
	}
	if littleEndian {
		return unsafe.Slice((*uint32)(unsafe.Pointer(&t.sections[list][4*from])), to-from)
	}
	out := make([]uint32, to-from)
	for i := range out {
		out[i] = t.number(list, int(from)+i)
	}
	return out
}

func (t *Tables) synsets(at int) []uint32 { return t.between(synsetStarts, synsets, at) }
func (t *Tables) bases(at int) []uint32   { return t.between(baseStarts, bases, at) }
func (t *Tables) flags(at int) byte       { return t.sections[wordFlags][at] }

// phraseNumber returns the number of a word in the paraphrase table, or -1.
func (t *Tables) phraseNumber(at int) int32 {
	return int32(binary.LittleEndian.Uint16(t.sections[wordPhrase][2*at:])) - 1
}

// prefix says what a dot after a word means.
func (t *Tables) prefix(s string) prefixKind {
	if at, found := t.find(s); found {
		return prefixKind(t.flags(at) >> 1)
	}
	return noPrefix
}

// find looks a word up in the dictionary.
func (t *Tables) find(s string) (at int, found bool) {
	low, high := 0, len(t.sections[wordFlags])
	for low < high {
		middle := (low + high) / 2
		text := t.sections[wordText][t.number(wordStarts, middle):t.number(wordStarts, middle+1)]
		switch strings.Compare(unsafe.String(unsafe.SliceData(text), len(text)), s) {
		case 0:
			return middle, true
		case -1:
			low = middle + 1
		default:
			high = middle
		}
	}
	return 0, false
}

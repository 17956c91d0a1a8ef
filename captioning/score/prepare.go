package score

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Options change how captions are scored. The zero value follows the reference implementation.
type Options struct {
	// Tokens names the tokenizer. Empty means the protocol's own: "whitespace" for PA4, else "ptb".
	Tokens string
	// AllowMissing skips images that lack a caption or references, and counts them in Left. Without it, they are
	// errors. coco-caption skips images without a caption if it is given the ids of the result file, as its demo does
	// (document frequencies are then those of the scored images); it refuses a caption without references.
	AllowMissing bool
	// Frequencies are the document frequencies of CIDEr-D. Nil means those of the references of the scored images.
	Frequencies *DocumentFrequencies
}

// Left counts the images that were skipped because of Options.AllowMissing.
type Left struct {
	NoCaption    int `json:"without_caption,omitempty"`    // images that only have references
	NoReferences int `json:"without_references,omitempty"` // images that only have a caption
}

// Prepared holds the tokenized captions and references of the scored images, sorted by ID. A [Metric] reads them.
type Prepared struct {
	segments []segment
	numbers  words
	given    *DocumentFrequencies // nil if none were given

	once  sync.Once
	words []string // by number; filled on demand
}

// Len returns the number of images.
func (p *Prepared) Len() int { return len(p.segments) }

// ID returns the ID of image i.
func (p *Prepared) ID(i int) ID { return p.segments[i].id }

// Caption returns the tokens of image i's caption.
func (p *Prepared) Caption(i int) []string { return p.tokens(p.segments[i].test) }

// References returns the tokens of image i's references; there is at least one.
func (p *Prepared) References(i int) [][]string {
	refs := make([][]string, len(p.segments[i].refs))
	for k, r := range p.segments[i].refs {
		refs[k] = p.tokens(r)
	}
	return refs
}

func (p *Prepared) tokens(numbers []uint32) []string {
	p.once.Do(func() {
		p.words = make([]string, len(p.numbers)+1)
		for word, n := range p.numbers {
			p.words[n] = word
		}
	})
	out := make([]string, len(numbers))
	for i, n := range numbers {
		out[i] = p.words[n]
	}
	return out
}

// prepare pairs captions with references, tokenizes them, sorts them by ID and counts their n-grams.
func prepare(refs References, captions []Caption, o Options) (*Prepared, Left, error) {
	alone, err := Tokenizer(o.Tokens)
	if err != nil {
		return nil, Left{}, err
	}
	tokenize := func(text, _ string) []string { return alone(text) }
	if err := o.Frequencies.suit(o.Tokens); err != nil {
		return nil, Left{}, err
	}
	if o.Tokens == "ptb" {
		tokenize = ptbWhole
	}
	scored, left, err := pairUp(refs, captions, o.AllowMissing)
	if err != nil {
		return nil, left, err
	}
	if err := checkTexts(refs, scored); err != nil {
		return nil, left, err
	}
	all := inContext(refs, scored)
	slices.SortFunc(all, func(a, b texts) int { return strings.Compare(string(a.id), string(b.id)) })

	// Each core numbers words on its own; then the numbers are made the same.
	segments, numberedBy := make([]segment, len(all)), make([]*numbering, len(all))
	var numberings []*numbering
	var lock sync.Mutex
	inParallelWith(len(all), func() func(int) {
		n := &numbering{words: make(words)}
		lock.Lock()
		numberings = append(numberings, n)
		lock.Unlock()
		return func(i int) { segments[i], numberedBy[i] = newSegment(n.words, all[i], tokenize), n }
	})
	if err := checkSegments(segments); err != nil {
		return nil, left, err
	}
	common := make(words)
	for _, n := range numberings {
		n.translate(common)
	}
	inParallelWith(len(segments), func() func(int) {
		var c counter
		return func(i int) {
			numberedBy[i].apply(&segments[i])
			c.count(&segments[i])
		}
	})
	return &Prepared{segments: segments, numbers: common, given: o.Frequencies}, left, nil
}

// inContext returns the texts of the scored images, in the order of captions.
func inContext(refs References, captions []Caption) []texts {
	all := make([]texts, len(captions))
	for i, c := range captions {
		all[i] = texts{id: c.ID, caption: c.Text, refs: refs[c.ID]}
		if i+1 < len(captions) {
			all[i].next, all[i].nextFirst = captions[i+1].Text, refs[captions[i+1].ID][0]
		}
	}
	return all
}

// pairUp returns the captions of images that have references, and the numbers of images that lack one of the two.
func pairUp(refs References, captions []Caption, allowMissing bool) (scored []Caption, left Left, err error) {
	captioned := make(map[ID]bool, len(captions))
	var noReferences, noCaption []ID
	for _, c := range captions {
		if captioned[c.ID] {
			return nil, left, fmt.Errorf("image %s has two captions: keep one", c.ID)
		}
		captioned[c.ID] = true
		if len(refs[c.ID]) > 0 {
			scored = append(scored, c)
		} else {
			noReferences = append(noReferences, c.ID)
		}
	}
	for id, r := range refs {
		if !captioned[id] && len(r) > 0 {
			noCaption = append(noCaption, id)
		}
	}
	left = Left{NoCaption: len(noCaption), NoReferences: len(noReferences)}
	switch {
	case allowMissing:
	case left.NoReferences > 0:
		return nil, left, missing(noReferences, "a caption but no references", alike(noReferences, noCaption))
	case left.NoCaption > 0:
		return nil, left, missing(noCaption, "references but no caption", "")
	}
	if len(scored) == 0 {
		return nil, left, fmt.Errorf("no image has both a caption and references: %d captions, "+
			"references of %d images%s", len(captions), len(refs), alike(noReferences, noCaption))
	}
	return scored, left, nil
}

// alike returns a note on a caption's id that looks like another spelling of a reference's id, or nothing.
func alike(captioned, referenced []ID) string {
	byNumber := make(map[string]ID)
	for _, id := range referenced {
		if n := number(id); n != "" && (byNumber[n] == "" || id < byNumber[n]) {
			byNumber[n] = id
		}
	}
	slices.Sort(captioned)
	for _, id := range captioned {
		if other := byNumber[number(id)]; other != "" {
			return fmt.Sprintf("; is image %.200q of the captions image %.200q of the references? "+
				"Write the id in the same way in both files, without padding and file names", id, other)
		}
	}
	return ""
}

// number returns the number, without padding, that an id ends in, not counting a file's folder and extension or a
// fraction.
func number(id ID) string {
	name := string(id[strings.LastIndexByte(string(id), '/')+1:])
	stem, _, _ := strings.Cut(strings.TrimSpace(name), ".")
	digits := stem[len(strings.TrimRight(stem, "0123456789")):]
	if digits == "" {
		return ""
	}
	return "0" + strings.TrimLeft(digits, "0")
}

// missing is the error that the images have only one of caption and references.
func missing(ids []ID, has, note string) error {
	others := ""
	switch n := len(ids) - 1; {
	case n == 1:
		others = ", like 1 other image"
	case n > 1:
		others = fmt.Sprintf(", like %d other images", n)
	}
	return fmt.Errorf("image %s has %s%s: add what is missing, or allow missing ones to skip them%s",
		slices.Min(ids), has, others, note)
}

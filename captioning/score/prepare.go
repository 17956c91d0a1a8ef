package score

import (
	"slices"
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
	ids       []ID
	blocks    []block
	blockSize int // images in each block but the last
	numbers   words
	width     width
	given     *DocumentFrequencies // nil if none were given
	segments  sync.Pool

	once  sync.Once
	words []string // by number; filled on demand
}

// Len returns the number of images.
func (p *Prepared) Len() int { return len(p.ids) }

// ID returns the ID of image i.
func (p *Prepared) ID(i int) ID { return p.ids[i] }

// Caption returns the tokens of image i's caption.
func (p *Prepared) Caption(i int) []string {
	b, k := p.at(i)
	return p.tokens(b.text(b.first[k]))
}

// References returns the tokens of image i's references; there is at least one.
func (p *Prepared) References(i int) [][]string {
	b, k := p.at(i)
	var refs [][]string
	for text := b.first[k] + 1; text < b.first[k+1]; text++ {
		refs = append(refs, p.tokens(b.text(text)))
	}
	return refs
}

// at returns the block of image i, and its index there.
func (p *Prepared) at(i int) (*block, int) { return &p.blocks[i/p.blockSize], i % p.blockSize }

// rows returns the function for Metric.Prepare that computes rows of some columns from segments.
func (p *Prepared) rows(columns int, fill func(s *segment, row []float64)) func(i int) []float64 {
	return func(i int) []float64 {
		s, ok := p.segments.Get().(*segment)
		if !ok {
			s = &segment{width: p.width}
		}
		defer p.segments.Put(s)
		b, k := p.at(i)
		b.load(s, k)
		row := make([]float64, columns)
		fill(s, row)
		return row
	}
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

// prepare pairs captions with references, tokenizes them and sorts them by ID.
func prepare(refs References, captions []Caption, o Options) (*Prepared, Left, error) {
	newTokenizer, err := contextTokenizer(o.Tokens)
	if err != nil {
		return nil, Left{}, err
	}
	if err := o.Frequencies.suit(o.Tokens); err != nil {
		return nil, Left{}, err
	}
	pairs, left, err := pairUp(refs, captions, o.AllowMissing)
	if err != nil {
		return nil, left, err
	}
	for i, c := range pairs.captions {
		if err := checkTexts(c.ID, c.Text, pairs.refs[i]); err != nil {
			return nil, left, err
		}
	}
	p := &Prepared{ids: make([]ID, len(pairs.captions)), numbers: make(words), given: o.Frequencies}
	for i, at := range pairs.byID {
		p.ids[i] = pairs.captions[at].ID
	}
	if err := p.tokenize(pairs, newTokenizer); err != nil {
		return nil, left, err
	}
	p.width = widthOf(len(p.numbers))
	return p, left, nil
}

// tokenize fills blocks and numbers. Each core numbers words on its own; then the numbers are made the same.
func (p *Prepared) tokenize(pairs *pairs, newTokenizer func() tokenizer) error {
	const blocks = 16 // at least, if there are enough images, so that all cores have some
	p.blockSize = min(maxBlock, (p.Len()+blocks-1)/blocks)
	p.blocks = make([]block, (p.Len()+p.blockSize-1)/p.blockSize)
	filledBy, errs := make([]*filler, len(p.blocks)), make([]error, len(p.blocks))
	var fillers []*filler
	var lock sync.Mutex
	inParallelWith(len(p.blocks), func() func(int) {
		f := &filler{words: make(words), tokenize: newTokenizer()}
		lock.Lock()
		fillers = append(fillers, f)
		lock.Unlock()
		return func(b int) {
			from := b * p.blockSize
			n := min(p.blockSize, p.Len()-from)
			p.blocks[b], errs[b] = f.fill(n, func(i int) texts { return pairs.texts(from + i) })
			filledBy[b] = f
		}
	})
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return errs[i]
	}
	for _, f := range fillers {
		f.translate(p.numbers)
	}
	inParallel(len(p.blocks), func(b int) { filledBy[b].apply(&p.blocks[b]) })
	return nil
}

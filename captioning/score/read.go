package score

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"captionlab/datasets/jsonfile"
)

// ReadCaptions reads a file (see jsonfile.Read) in COCO result format, [{"image_id": ..., "caption": "..."}], and keeps
// its order. It fails if an image occurs twice, if an entry lacks its id or caption, or if a caption has more than
// MaxWords words; the error names the entry.
func ReadCaptions(file string) ([]Caption, error) {
	var seen idIndex
	var captions []Caption
	var text arena
	entries := jsonfile.Elements[entry]{Each: func(i int, e entry) error {
		if err := e.check(i); err != nil {
			return err
		}
		first, added := seen.add(e.id, text.keep)
		if !added { // every entry so far has added its image
			return severalError(fmt.Sprintf("image %s has two captions, entries %d and %d: keep one", e.id, first, i))
		}
		captions = append(captions, Caption{ID: seen.ids[first], Text: text.keep(e.caption)})
		return nil
	}}
	if err := jsonfile.Read(file, &entries); err != nil {
		return nil, err
	}
	if len(captions) == 0 {
		return nil, fmt.Errorf("%s has no captions: want [{\"image_id\": ..., \"caption\": ...}, ...]", file)
	}
	return captions, nil
}

// ErrSeveralCaptions is the error of ReadCaptions for a file with several captions of an image. ReadSamples reads them.
var ErrSeveralCaptions = errors.New("several captions of an image")

// severalError is ErrSeveralCaptions with the place.
type severalError string

func (e severalError) Error() string        { return string(e) }
func (e severalError) Is(target error) bool { return target == ErrSeveralCaptions }

// ReadSamples is ReadCaptions for a file with several captions of each image. It fails where [Samples.Check] does.
func ReadSamples(file string) (Samples, error) {
	samples := make(Samples)
	var text arena
	entries := jsonfile.Elements[entry]{Each: func(i int, e entry) error {
		if err := e.check(i); err != nil {
			return err
		}
		samples[ID(e.id)] = append(samples[ID(e.id)], text.keep(e.caption))
		return nil
	}}
	if err := jsonfile.Read(file, &entries); err != nil {
		return nil, err
	}
	if err := samples.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return samples, nil
}

// ReadBoth reads a caption file and a reference file in parallel. It returns the captions in the order of the reference
// file's images, in which coco-caption tokenizes them, and those of other images after them.
func ReadBoth(captionFile, referenceFile string) (captions []Caption, refs References, err error) {
	var r *referenceFileReader
	var refsErr error
	var wg sync.WaitGroup
	wg.Go(func() { r, refsErr = readReferences(referenceFile) })
	captions, err = ReadCaptions(captionFile)
	wg.Wait()
	if err := errors.Join(err, refsErr); err != nil {
		return nil, nil, err
	}
	return r.inOrder(captions), r.references(), nil
}

// ReadReferences reads a file (see jsonfile.Read) in COCO caption annotation format, {"annotations": [{"image_id": ...,
// "caption": "..."}]}. It fails if an image has more than MaxReferences or one of them more than MaxWords words.
func ReadReferences(file string) (References, error) {
	r, err := readReferences(file)
	if err != nil {
		return nil, err
	}
	return r.references(), nil
}

// referenceFileReader holds what is read of a file of references. Images are numbered as they appear.
type referenceFileReader struct {
	text      arena
	numbers   idIndex
	last      int32 // the number asked for last
	listed    []int32
	annotated []int32 // as they appear in the annotations
	counts    []int32 // references by number
	captions  []string
	imageOf   []int32 // of each of captions
}

func readReferences(file string) (*referenceFileReader, error) {
	r := new(referenceFileReader)
	var content struct {
		Images      jsonfile.Elements[imageEntry] `json:"images"`
		Annotations jsonfile.Elements[entry]      `json:"annotations"`
	}
	content.Images.Each = func(_ int, i imageEntry) error {
		if i.id != nil {
			r.listed = append(r.listed, r.number(i.id))
		}
		return nil
	}
	content.Annotations.Each = func(i int, e entry) error {
		if err := e.check(i); err != nil {
			return err
		}
		return r.add(i, e)
	}
	if err := jsonfile.Read(file, &content); err != nil {
		return nil, err
	}
	if len(r.captions) == 0 {
		return nil, fmt.Errorf("%s has no \"annotations\": want a COCO caption annotation file", file)
	}
	return r, nil
}

// number returns the number of an image, which it gets if it has none.
func (r *referenceFileReader) number(id []byte) int32 {
	n, ok := r.guess(string(id))
	if !ok {
		if n, ok = r.numbers.add(id, r.text.keep); ok {
			r.counts = append(r.counts, 0)
		}
		r.last = n
	}
	return n
}

// guess returns the number of an image if it is the one that was asked for last, or the next one.
func (r *referenceFileReader) guess(id string) (n int32, ok bool) {
	for n := r.last; n <= r.last+1 && int(n) < len(r.numbers.ids); n++ {
		if string(r.numbers.ids[n]) == id {
			r.last = n
			return n, true
		}
	}
	return 0, false
}

// add adds the reference that is number i in the file.
func (r *referenceFileReader) add(i int, e entry) error {
	n := r.number(e.id)
	switch r.counts[n]++; {
	case r.counts[n] == 1:
		r.annotated = append(r.annotated, n)
	case r.counts[n] > MaxReferences:
		return fmt.Errorf("entry %d: image %s has more than %d references", i, e.id, MaxReferences)
	}
	r.captions, r.imageOf = append(r.captions, r.text.keep(e.caption)), append(r.imageOf, n)
	return nil
}

// references sorts the captions by image. The lists of all images share one array.
func (r *referenceFileReader) references() References {
	next := make([]int, len(r.numbers.ids))
	from := 0
	for n, count := range r.counts {
		next[n] = from
		from += int(count)
	}
	all := make([]string, len(r.captions))
	for k, n := range r.imageOf {
		all[next[n]] = r.captions[k]
		next[n]++
	}
	refs := make(References, len(r.annotated))
	for _, n := range r.annotated {
		to := next[n]
		refs[r.numbers.ids[n]] = all[to-int(r.counts[n]) : to : to]
	}
	return refs
}

// inOrder returns the captions in the order of the file's images: that of its list of images and then, for those that
// are not in the list, that of the annotations. Captions of other images come last.
func (r *referenceFileReader) inOrder(captions []Caption) []Caption {
	place := make([]int32, len(r.numbers.ids)) // of an image, from 1
	places := int32(0)
	for _, order := range [][]int32{r.listed, r.annotated} {
		for _, n := range order {
			if place[n] == 0 {
				places++
				place[n] = places
			}
		}
	}
	at := make([]int32, places+1) // index of the caption for a place, plus 1
	last := int32(0)
	r.last = 0
	var others []Caption
	ordered := true
	for i, c := range captions {
		n, known := r.guess(string(c.ID))
		if !known {
			n, known = r.numbers.find(string(c.ID))
		}
		if !known {
			others = append(others, c)
			continue
		}
		r.last = n
		at[place[n]] = int32(i + 1)
		ordered = ordered && others == nil && place[n] > last
		last = place[n]
	}
	if ordered {
		return captions
	}
	out := make([]Caption, 0, len(captions))
	for _, i := range at {
		if i > 0 {
			out = append(out, captions[i-1])
		}
	}
	return append(out, others...)
}

// arena keeps many short texts in few pieces of memory.
type arena struct{ piece strings.Builder }

// keep returns the text as a string.
func (a *arena) keep(text []byte) string {
	if a.piece.Cap()-a.piece.Len() < len(text) {
		a.piece = strings.Builder{}
		a.piece.Grow(max(1<<14, len(text)))
	}
	from := a.piece.Len()
	a.piece.Write(text)
	return a.piece.String()[from:]
}

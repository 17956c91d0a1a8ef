package score

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"captionlab/captioning/internal/atomicfile"
	"captionlab/datasets/jsonfile"
)

// ID identifies an image. In files, an ID that is a canonical decimal integer is a JSON number, any other a string.
type ID string

// MarshalJSON writes 42 for "42" and "a.jpg" for "a.jpg".
func (id ID) MarshalJSON() ([]byte, error) {
	if n, err := strconv.ParseInt(string(id), 10, 64); err == nil && strconv.FormatInt(n, 10) == string(id) {
		return []byte(id), nil
	}
	return json.Marshal(string(id))
}

// UnmarshalJSON reads an integer, which may be written as 42.0, or a string.
func (id *ID) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, (*string)(id))
	}
	n, err := jsonfile.WholeNumber(data)
	if err != nil {
		return fmt.Errorf("image id %.40s is neither an integer nor a string", data)
	}
	*id = ID(strconv.FormatInt(n, 10))
	return nil
}

// Caption is one generated caption.
type Caption struct {
	ID   ID
	Text string
	// LogProb is the natural logarithm of the caption's probability, as the model gave it. Caption files omit it.
	LogProb float64
}

// References are the reference captions of each image.
type References map[ID][]string

// entry is one caption in a COCO result or annotation file.
type entry struct {
	ImageID *ID     `json:"image_id"`
	Caption *string `json:"caption"`
}

func (e entry) check(index int) error {
	switch {
	case e.ImageID == nil:
		return fmt.Errorf("entry %d has no image_id", index)
	case e.Caption == nil:
		return fmt.Errorf("entry %d (image %s) has no caption, or null", index, *e.ImageID)
	}
	if err := checkText(*e.Caption); err != nil {
		return fmt.Errorf("entry %d (image %s): %w", index, *e.ImageID, err)
	}
	return nil
}

// ReadCaptions reads a file (see jsonfile.Read) in COCO result format, [{"image_id": ..., "caption": "..."}], and keeps
// its order. It fails if an image occurs twice, if an entry lacks its id or caption, or if a caption has more than
// MaxWords words; the error names the entry.
func ReadCaptions(file string) ([]Caption, error) {
	seen := make(map[ID]int)
	var captions []Caption
	entries := jsonfile.Elements[entry]{Each: func(i int, e entry) error {
		if err := e.check(i); err != nil {
			return err
		}
		if first, double := seen[*e.ImageID]; double {
			return fmt.Errorf("image %s has two captions, entries %d and %d: keep one", *e.ImageID, first, i)
		}
		seen[*e.ImageID] = i
		captions = append(captions, Caption{ID: *e.ImageID, Text: *e.Caption})
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

// ReadBoth reads a caption file and a reference file in parallel. It returns the captions in the order of the reference
// file's images, in which coco-caption tokenizes them, and those of other images after them.
func ReadBoth(captionFile, referenceFile string) (captions []Caption, refs References, err error) {
	var order []ID
	var refsErr error
	var wg sync.WaitGroup
	wg.Go(func() { refs, order, refsErr = readReferences(referenceFile) })
	captions, err = ReadCaptions(captionFile)
	wg.Wait()
	if err := errors.Join(err, refsErr); err != nil {
		return nil, nil, err
	}
	place := make(map[ID]int, len(order))
	for i, id := range slices.Backward(order) { // the first one counts
		place[id] = i - len(order)
	}
	slices.SortStableFunc(captions, func(a, b Caption) int { return cmp.Compare(place[a.ID], place[b.ID]) })
	return captions, refs, nil
}

// ReadReferences reads a file (see jsonfile.Read) in COCO caption annotation format, {"annotations": [{"image_id": ...,
// "caption": "..."}]}. It fails if an image has more than MaxReferences or one of them more than MaxWords words.
func ReadReferences(file string) (References, error) {
	refs, _, err := readReferences(file)
	return refs, err
}

// readReferences also returns the ids of the file's images in their order: that of its list of images or, without one,
// that of the annotations.
func readReferences(file string) (refs References, order []ID, err error) {
	refs = make(References)
	type image struct {
		ID *ID `json:"id"`
	}
	var content struct {
		Images      jsonfile.Elements[image] `json:"images"`
		Annotations jsonfile.Elements[entry] `json:"annotations"`
	}
	content.Images.Each = func(_ int, i image) error {
		if i.ID != nil {
			order = append(order, *i.ID)
		}
		return nil
	}
	var annotated []ID
	content.Annotations.Each = func(i int, e entry) error {
		if err := e.check(i); err != nil {
			return err
		}
		if len(refs[*e.ImageID]) == MaxReferences {
			return fmt.Errorf("entry %d: image %s has more than %d references", i, *e.ImageID, MaxReferences)
		}
		if len(refs[*e.ImageID]) == 0 {
			annotated = append(annotated, *e.ImageID)
		}
		refs[*e.ImageID] = append(refs[*e.ImageID], *e.Caption)
		return nil
	}
	if err := jsonfile.Read(file, &content); err != nil {
		return nil, nil, err
	}
	if len(refs) == 0 {
		return nil, nil, fmt.Errorf("%s has no \"annotations\": want a COCO caption annotation file", file)
	}
	return refs, append(order, annotated...), nil
}

// WriteCaptions writes captions in COCO result format, one per line. It replaces the file atomically.
func WriteCaptions(file string, captions []Caption) error {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	out.WriteString("[\n")
	for i, c := range captions {
		if err := encoder.Encode(entry{&c.ID, &c.Text}); err != nil {
			return err
		}
		if i < len(captions)-1 {
			out.Truncate(out.Len() - 1)
			out.WriteString(",\n")
		}
	}
	out.WriteString("]\n")
	return atomicfile.WriteFile(file, out.Bytes())
}

package custom

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"captionlab/datasets"
	"captionlab/datasets/internal/images"
)

// content is what the files of captions say, matched with the images.
type content struct {
	tree     *images.Tree // nil for shards
	entries  []*entry     // in the order in which the images occur
	byPlace  map[place]*entry
	problems []Problem
	partial  bool // a file could not be read to its end
	// splitFrom is how the data's own splits came about.
	splitFrom string
	missing   map[string]bool // images that are reported as missing
	outside   map[string]bool // links that lead out of the folder
}

// entry is an image with its captions.
type entry struct {
	id       string
	listed   string // the image's name in the file
	file     string // of the first row
	line     int
	offset   int64
	split    datasets.Split // "" if it has none
	place    place
	captions []string
}

// row is an image and captions of it as one row of a file states them.
type row struct {
	file     string // path below the folder
	line     int    // or 0 and
	offset   int64  // in bytes
	dir      string // the folder of file if it holds images; otherwise ""
	image    string
	id       string // its own; may be empty
	split    datasets.Split
	captions []string
}

func (r row) problem(kind, format string, args ...any) Problem {
	return Problem{Kind: kind, File: r.file, Line: r.line, Image: r.image, Detail: fmt.Sprintf(format, args...),
		offset: r.offset}
}

func newContent(tree *images.Tree) *content {
	c := &content{tree: tree, byPlace: make(map[place]*entry), missing: make(map[string]bool),
		outside: make(map[string]bool)}
	if tree != nil {
		for _, link := range tree.Outwards() {
			c.outside[link] = true
			c.problem(Problem{Kind: Outside, Image: link,
				Detail: "the link is broken or leads out of the folder: copy what it links to into the folder, or " +
					"name that as the folder of the images"})
		}
	}
	return c
}

func (c *content) problem(p Problem) { c.problems = append(c.problems, p) }

// add locates the image of a row and adds its captions.
func (c *content) add(r row) {
	name, ok := localName(r.image)
	switch {
	case strings.TrimSpace(r.image) == "":
		c.problem(r.problem(BadRow, "it names no image: add the name of a file"))
		return
	case !ok:
		c.problem(r.problem(Outside, "name the image by its path below the folder"))
		return
	}
	at, ok := c.locate(r, name)
	if !ok {
		return
	}
	if r.id == "" {
		r.id = path.Join(r.dir, name)
	}
	c.addAt(r, place{c.tree, at})
}

// localName cleans the name of an image. ok reports whether it stays in the folder.
func localName(image string) (name string, ok bool) {
	name = strings.ReplaceAll(strings.TrimSpace(image), `\`, "/")
	if name == "" || path.IsAbs(name) || len(name) > 1 && name[1] == ':' || strings.ContainsRune(name, 0) {
		return name, false
	}
	name = path.Clean(name)
	return name, name != "." && filepath.IsLocal(filepath.FromSlash(name))
}

// locate finds the file of the image with a local name.
func (c *content) locate(r row, name string) (at string, ok bool) {
	whole := path.Join(r.dir, name)
	found := c.tree.Find(whole)
	if len(found) == 0 && r.dir != "" { // deeper below the folder of the file
		found = slices.DeleteFunc(slices.Clone(c.tree.Find(name)), func(at string) bool {
			return !strings.HasPrefix(at, r.dir+"/")
		})
	}
	if len(found) > 1 && r.split != "" {
		found = slices.DeleteFunc(slices.Clone(found), func(at string) bool { return splitOfPath(at) != r.split })
	}
	switch {
	case len(found) == 1:
		return found[0], true
	case c.missing[whole] || c.outside[whole]:
	case len(found) > 1:
		c.problem(r.problem(Ambiguous, "it may be %s: write the path below the folder, or keep only one of them",
			strings.Join(found[:min(len(found), 3)], " or ")))
	case strings.Contains(r.image, "://"):
		c.problem(r.problem(NoFile, "it is an address: download the image and write its file name instead"))
	default:
		c.problem(r.problem(NoFile, "put the image into %s, or remove the row", c.tree.Place()))
	}
	c.missing[whole] = true
	return "", false
}

// addAt adds the captions of a row to the image at a place.
func (c *content) addAt(r row, at place) {
	e := c.byPlace[at]
	if e == nil {
		e = &entry{id: r.id, listed: r.image, file: r.file, line: r.line, offset: r.offset, split: r.split, place: at}
		c.byPlace[at], c.entries = e, append(c.entries, e)
	}
	switch {
	case e.split == "":
		e.split = r.split
	case r.split != "" && r.split != e.split:
		c.problem(r.problem(TwoSplits, "it is in %s here and in %s before: keep it in one of them", r.split, e.split))
		return
	}
	for _, caption := range r.captions {
		text := oneLine.Replace(strings.TrimSpace(caption))
		switch {
		case !utf8.ValidString(caption):
			c.problem(r.problem(BadRow, "its caption %.40q is not UTF-8: save the file as UTF-8", caption))
		case text == "":
			c.problem(r.problem(EmptyCaption, "write a caption, or remove the row"))
		default:
			e.captions = append(e.captions, text)
		}
	}
}

// oneLine replaces the line breaks in a caption.
var oneLine = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ")

// take makes the examples of the content.
func (ds *Dataset) take(c *content, o Options) {
	captioned := ds.layout != ImagesOnly
	if captioned {
		c.dropUncaptioned()
	}
	c.nameUniquely()
	if captioned {
		ds.splitBy = c.divide(o)
	} else {
		ds.splitBy = "images without captions are all in test"
		for _, e := range c.entries {
			e.split = datasets.Test
		}
	}
	for _, e := range c.entries {
		ds.images[e.id] = e.place
		ds.examples[e.split] = append(ds.examples[e.split], datasets.Example{ID: e.id, Captions: e.captions})
	}
	ds.problems = c.problems
	ds.notes = append(ds.notes, fmt.Sprintf("layout: %s (%s)", ds.layout, ds.why))
	if captioned {
		ds.notes = append(ds.notes, "splits: "+ds.splitBy)
	}
}

// dropUncaptioned removes images without captions, and reports them and those that no row names.
func (c *content) dropUncaptioned() {
	const write = "write a caption for it, or remove it"
	named := make(map[string]bool)
	kept := c.entries[:0]
	for _, e := range c.entries {
		named[e.place.name] = true
		if len(e.captions) > 0 {
			kept = append(kept, e)
			continue
		}
		c.problem(Problem{Kind: NoCaption, File: e.file, Line: e.line, Image: e.listed, Detail: write,
			offset: e.offset})
	}
	c.entries = kept
	if c.tree == nil || c.partial {
		return
	}
	for _, at := range c.tree.Images() {
		if !named[at] {
			c.problem(Problem{Kind: NoCaption, Image: at, Detail: write})
		}
	}
}

// nameUniquely makes ids unique: the files' own ids if they are; otherwise the images' paths; otherwise, for shards
// that repeat each other's names, those with the shard's.
func (c *content) nameUniquely() {
	for _, id := range []func(*entry) string{
		func(e *entry) string { return e.id },
		func(e *entry) string { return e.place.name },
		func(e *entry) string { return e.file + "/" + e.place.name },
	} {
		seen := make(map[string]bool)
		for _, e := range c.entries {
			seen[id(e)] = true
		}
		if len(seen) == len(c.entries) {
			for _, e := range c.entries {
				e.id = id(e)
			}
			return
		}
	}
}

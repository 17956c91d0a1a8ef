package custom

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"captionlab/datasets/internal/annotations"
	"captionlab/datasets/internal/images"
	"captionlab/datasets/internal/textfile"
)

// Layout is a way of storing captioned images.
type Layout string

// The layouts.
const (
	COCO       Layout = "COCO captions"
	Karpathy   Layout = "Karpathy's JSON"
	Rows       Layout = "rows"
	Pairs      Layout = "images with text files"
	Shards     Layout = "webdataset archives"
	ImagesOnly Layout = "images without captions"
)

// found is data whose layout is known.
type found struct {
	layout Layout
	why    string
	root   *os.Root
	files  []string // with captions, as paths below root
	tree   *images.Tree
	shards []*images.Shard
}

// closers lists what is to be closed in the end.
func (f *found) closers() []io.Closer {
	all := []io.Closer{f.root}
	if f.tree != nil {
		all = append(all, f.tree)
	}
	for _, s := range f.shards {
		all = append(all, s)
	}
	return all
}

func (f *found) close() error {
	var errs []error
	for _, c := range f.closers() {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// recognise finds out the layout of the data at a path.
func recognise(at string, o Options) (_ *found, err error) {
	info, err := os.Stat(at)
	if err != nil {
		return nil, fmt.Errorf("%w: name a folder with images and captions, or a file of captions", err)
	}
	if !info.IsDir() && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is neither a folder nor a regular file (%s)", at, info.Mode().Type())
	}
	absolute, err := filepath.Abs(at)
	if err != nil {
		return nil, err
	}
	dir := absolute
	if !info.IsDir() {
		dir = rootOf(absolute)
	}
	f := &found{}
	if f.root, err = os.OpenRoot(dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.close())
		}
	}()
	if info.IsDir() {
		return f, f.recogniseFolder(dir, o)
	}
	name, err := filepath.Rel(dir, absolute)
	if err != nil {
		return nil, err
	}
	return f, f.recogniseFile(filepath.ToSlash(name), dir, o)
}

// rootOf is the folder below which the images of a file of captions are looked for: its own or, for a file in a folder
// called annotations, the one above.
func rootOf(file string) string {
	dir := filepath.Dir(file)
	if isAnnotationFolder(filepath.Base(dir)) {
		return filepath.Dir(dir)
	}
	return dir
}

func isAnnotationFolder(name string) bool {
	return strings.EqualFold(name, "annotations") || strings.EqualFold(name, "annotation")
}

func isFile(at string) bool {
	info, err := os.Stat(at)
	return err == nil && !info.IsDir()
}

// recogniseFile finds out what a file of captions is.
func (f *found) recogniseFile(name, dir string, o Options) error {
	layout, why := f.kind(name)
	if layout == "" {
		return fmt.Errorf("%s: %s: give a JSON file of captions in COCO's or Karpathy's format, a table (JSONL, CSV, "+
			"TSV) with a column for images (file_name) and one for captions (text), or a tar archive",
			filepath.Join(dir, filepath.FromSlash(name)), why)
	}
	f.layout, f.why, f.files = layout, why, []string{name}
	if layout == Shards {
		return f.openShards()
	}
	return f.openTree(dir, o)
}

func (f *found) openTree(dir string, o Options) (err error) {
	if o.Images != "" {
		dir = o.Images
	}
	f.tree, err = images.OpenTree(dir)
	return err
}

// recogniseFolder finds out what a folder holds: the first of COCO's JSON, Karpathy's, rows, shards, images with text
// files, and images.
func (f *found) recogniseFolder(dir string, o Options) error {
	listing, err := images.OpenTree(dir)
	if err != nil {
		return err
	}
	f.tree = listing
	if o.Images != "" {
		if f.tree, err = images.OpenTree(o.Images); err != nil {
			return errors.Join(err, listing.Close())
		}
		defer listing.Close()
	}
	kinds, whys, rejected := make(map[Layout][]string), make(map[Layout]string), ""
	for _, name := range candidates(listing) {
		layout, why := f.kind(name)
		if layout != "" {
			kinds[layout], whys[layout] = append(kinds[layout], name), why
		} else if rejected == "" && claimsCaptions(name) {
			rejected = fmt.Sprintf("; %s was not read: %s", name, why)
		}
	}
	for _, layout := range []Layout{Karpathy, COCO, Rows, Shards} {
		if len(kinds[layout]) == 0 {
			continue
		}
		if f.files, err = choose(layout, kinds[layout]); err != nil {
			return err
		}
		f.layout, f.why = layout, fmt.Sprintf("found %s: %s", strings.Join(f.files[:min(3, len(f.files))], ", "),
			whys[layout])
		f.mentionUnused(kinds)
		if layout == Shards {
			return f.openShards()
		}
		return nil
	}
	f.layout, f.why = ImagesOnly, fmt.Sprintf("found %d images and no captions", len(f.tree.Images()))
	if n := len(textsOf(f.tree)); n > 0 {
		f.layout, f.why = Pairs, fmt.Sprintf("%d of %d images have a text file of the same name", n,
			len(f.tree.Images()))
	}
	f.why += rejected
	if len(f.tree.Images()) == 0 {
		return nothing(dir, listing)
	}
	return nil
}

// claimsCaptions reports whether the name of a file says that it holds captions.
func claimsCaptions(name string) bool {
	base := strings.ToLower(path.Base(name))
	return path.Ext(base) != ".txt" && path.Ext(base) != ".json" || strings.Contains(base, "caption") ||
		base == "dataset.json" || strings.HasPrefix(base, "metadata.")
}

// nothing explains a folder without images.
func nothing(dir string, listing *images.Tree) error {
	for _, name := range listing.Others() {
		switch ending := strings.ToLower(path.Ext(name)); ending {
		case ".zip", ".rar", ".7z", ".gz", ".tgz":
			return fmt.Errorf("%s holds no images but %s: unpack it first", dir, name)
		}
	}
	return fmt.Errorf("%s holds no images (JPEG, PNG, WebP, GIF) and no tar archives: name the folder that does", dir)
}

// mentionUnused adds the files of captions that are not used.
func (f *found) mentionUnused(kinds map[Layout][]string) {
	var unused []string
	for _, names := range kinds {
		for _, name := range names {
			if !slices.Contains(f.files, name) {
				unused = append(unused, name)
			}
		}
	}
	if slices.Sort(unused); len(unused) > 0 {
		f.why += fmt.Sprintf("; not used: %s, which is read if you name the file instead of the folder",
			strings.Join(unused[:min(3, len(unused))], ", "))
	}
}

// candidates lists the files that may hold captions of many images: those in the folder itself, in one called
// annotations, and tables and archives in any other sub-folder.
func candidates(tree *images.Tree) []string {
	const most = 1000
	stems := make(map[string]bool)
	for _, at := range tree.Images() {
		stems[images.Stem(at)] = true
	}
	var names []string
	for _, name := range tree.Others() {
		dir, ending := path.Dir(name), strings.ToLower(path.Ext(name))
		top := dir == "." || isAnnotationFolder(dir)
		switch {
		case stems[strings.TrimSuffix(name, path.Ext(name))] || strings.Count(name, "/") > 1:
		case ending == ".tar", ending == ".jsonl", ending == ".ndjson", ending == ".csv", ending == ".tsv",
			top && (ending == ".json" || ending == ".txt"):
			names = append(names, name)
		}
	}
	return names[:min(len(names), most)]
}

// choose returns the files to read: one for each split, or the only one.
func choose(layout Layout, names []string) ([]string, error) {
	if layout == Shards || len(names) == 1 {
		return names, nil
	}
	ofSplit := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return splitIn(name) == "" })
	if len(ofSplit) > 0 && layout != Karpathy {
		names = ofSplit
	}
	chosen := make(map[string][]string) // by split
	for _, name := range names {
		split := string(splitIn(name))
		chosen[split] = append(chosen[split], name)
	}
	var out []string
	for _, same := range chosen {
		if best := slices.DeleteFunc(slices.Clone(same), func(name string) bool {
			base := path.Base(name)
			return !strings.Contains(base, "caption") && !strings.HasPrefix(base, "metadata.") && base != "dataset.json"
		}); len(same) > 1 && len(best) > 0 {
			same = best
		}
		if len(same) > 1 {
			return nil, fmt.Errorf("%s and %s both hold captions (%s): name the file to use instead of the folder, or "+
				"keep only one of them", same[0], same[1], layout)
		}
		out = append(out, same...)
	}
	slices.Sort(out)
	return out, nil
}

// kind returns the layout to which a file of captions belongs, or "", and why.
func (f *found) kind(name string) (Layout, string) {
	in, err := f.open(name)
	if err != nil {
		return "", err.Error()
	}
	defer in.Close()
	ending := strings.ToLower(path.Ext(name))
	if ending == ".tar" {
		return Shards, "tar archives"
	}
	start := make([]byte, maxHeader)
	n, err := io.ReadFull(in, start)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return "", err.Error()
	}
	if textfile.IsUTF16(string(start[:n])) && (claimsCaptions(name) || ending == ".json") {
		return Rows, "it is encoded in UTF-16" // as whatever, since reading it says so
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return "", err.Error()
	}
	switch ending {
	case ".json":
		kind, first := annotations.KindOf(in)
		switch kind {
		case annotations.CaptionFile:
			return COCO, `JSON with "images" and "annotations"`
		case annotations.KarpathyFile:
			return Karpathy, `JSON whose "images" have "sentences"`
		case annotations.ListFile:
			if isRow(first) {
				return Rows, "a JSON list"
			}
			return "", "its entries have no image and no caption: give them the members file_name and text"
		case annotations.OtherCOCOFile:
			return "", "its annotations are not captions"
		}
		return "", "it is not JSON of a known kind"
	case ".jsonl", ".ndjson":
		for line := range strings.Lines(strings.TrimPrefix(string(start[:n]), "\ufeff")) {
			if isRow([]byte(line)) {
				return Rows, "a row of JSON on each line"
			}
		}
		return "", "its lines have no image and no caption: give them the members file_name and text"
	}
	h, err := parseHeader(string(start[:n]))
	if err != nil {
		return "", err.Error()
	}
	return Rows, fmt.Sprintf("the first line names the columns %s and %s", h.names[h.image], h.names[h.caption])
}

// open opens a file of captions.
func (f *found) open(name string) (*os.File, error) {
	local := filepath.FromSlash(name)
	info, err := f.root.Stat(local)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file (%s)", name, info.Mode().Type())
	}
	return f.root.Open(local)
}

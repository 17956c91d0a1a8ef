package images

import (
	"fmt"
	"path"
	"strings"
)

// endings are the name endings of images. Releases hold JPEG; converted copies of them may hold any of these.
var endings = []string{".jpg", ".jpeg", ".png", ".webp", ".gif"}

// lookup finds images by the names under which a release lists them.
type lookup[F any] struct {
	place  string                // as given
	images map[string][]found[F] // by name without ending
}

// found is an image in a source.
type found[F any] struct {
	path string // in the source, with slashes
	file F
}

func newLookup[F any](place string) lookup[F] { return lookup[F]{place, make(map[string][]found[F])} }

// add adds an image. It returns the path of a previous one with the same name, if any.
func (l lookup[F]) add(at string, file F) (previous string, double bool) {
	name := path.Base(at)
	key := Stem(name)
	for _, f := range l.images[key] {
		if path.Base(f.path) == name {
			previous, double = f.path, true
		}
	}
	l.images[key] = append(l.images[key], found[F]{at, file})
	return previous, double
}

// candidates returns the images that name may stand for: those with exactly this name or else, if there are none,
// those with another ending.
func (l lookup[F]) candidates(name string) []found[F] {
	all := l.images[Stem(name)]
	var exact []found[F]
	for _, f := range all {
		if path.Base(f.path) == name {
			exact = append(exact, f)
		}
	}
	if len(exact) > 0 {
		return exact
	}
	return all
}

func (l lookup[F]) has(name string) bool { return len(l.candidates(name)) > 0 }

// find returns the only image that name stands for.
func (l lookup[F]) find(name string) (F, error) {
	all := l.candidates(name)
	switch len(all) {
	case 1:
		return all[0].file, nil
	case 0:
		var none F
		return none, fmt.Errorf("%s holds no image %q", l.place, name)
	}
	var paths []string
	for _, f := range all {
		paths = append(paths, f.path)
	}
	return all[0].file, fmt.Errorf("image %q may be %s in %s: keep only one of them", name,
		strings.Join(paths, " or "), l.place)
}

func (l lookup[F]) names() []string {
	var out []string
	for _, all := range l.images {
		for _, f := range all {
			out = append(out, path.Base(f.path))
		}
	}
	return out
}

func (l lookup[F]) unlisted(listed []string) []string {
	meant := make(map[string]bool)
	for _, name := range listed {
		for _, f := range l.candidates(name) {
			meant[f.path] = true
		}
	}
	var out []string
	for _, all := range l.images {
		for _, f := range all {
			if !meant[f.path] {
				out = append(out, path.Base(f.path))
			}
		}
	}
	return out
}

// Stem is a name without the ending of an image.
func Stem(name string) string {
	if ending := path.Ext(name); isEnding(ending) {
		return strings.TrimSuffix(name, ending)
	}
	return name
}

func isEnding(ending string) bool {
	for _, e := range endings {
		if strings.EqualFold(e, ending) {
			return true
		}
	}
	return false
}

// isImage reports whether a file in a release is an image, by its name.
func isImage(name string) bool { return isEnding(path.Ext(name)) && !strings.HasPrefix(name, ".") }

// isJPEG reports whether a file is an image of an original release, which are all JPEG.
func isJPEG(name string) bool {
	return isImage(name) && (strings.EqualFold(path.Ext(name), ".jpg") || strings.EqualFold(path.Ext(name), ".jpeg"))
}

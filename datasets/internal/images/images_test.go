package images

import (
	"archive/zip"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// inFolder and inArchive make a source of files, each of which holds its own path.
func inFolder(t *testing.T, files ...string) (Source, error) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "images")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		at := filepath.Join(dir, filepath.FromSlash(f))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(f), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return OpenFolder(dir)
}

func inArchive(t *testing.T, files ...string) (Source, error) {
	t.Helper()
	at := filepath.Join(t.TempDir(), "images.zip")
	f, err := os.Create(at)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := zip.NewWriter(f)
	for _, name := range files {
		member, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(member, name); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return OpenArchive(at)
}

var kinds = map[string]func(t *testing.T, files ...string) (Source, error){"folder": inFolder, "archive": inArchive}

func TestLookup(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []string
		ask   string
		want  string // the file; empty if there is none
		fails string // parts of the error if there are several, separated by "|"
	}{
		{"as listed", []string{"a.jpg", "b.jpg"}, "a.jpg", "a.jpg", ""},
		{"another ending", []string{"a.png"}, "a.jpg", "a.png", ""},
		{"a longer ending", []string{"a.jpeg"}, "a.jpg", "a.jpeg", ""},
		{"capitals", []string{"a.JPG"}, "a.jpg", "a.JPG", ""},
		{"WebP", []string{"a.webp"}, "a.jpg", "a.webp", ""},
		{"GIF for PNG", []string{"a.gif"}, "a.png", "a.gif", ""},
		{"no ending", []string{"a.jpg"}, "a", "a.jpg", ""},
		{"dots in the name", []string{"a.b.png", "a.c.png"}, "a.b.jpg", "a.b.png", ""},
		{"as listed before others", []string{"a.png", "a.jpg", "a.webp"}, "a.jpg", "a.jpg", ""},
		{"several", []string{"a.png", "a.webp"}, "a.jpg", "", "a.png|a.webp|keep only one"},
		{"other letter case of the name", []string{"A.jpg"}, "a.jpg", "", ""},
		{"not an image", []string{"a.txt", "b.jpg"}, "a.jpg", "", ""},
		{"hidden", []string{".a.jpg", "b.jpg"}, ".a.jpg", "", ""},
		{"empty", []string{"a.jpg"}, "", "", ""},
		{"a path", []string{"a.jpg"}, "../images/a.jpg", "", ""},
	} {
		for kind, open := range kinds {
			t.Run(c.name+" in a "+kind, func(t *testing.T) {
				s, err := open(t, c.files...)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				if has := s.Has(c.ask); has != (c.want != "" || c.fails != "") {
					t.Fatalf("Has(%q) is %v", c.ask, has)
				}
				checkOpen(t, s, c.ask, c.want, c.fails)
			})
		}
	}
}

// checkOpen expects Open to yield a file that contains want, or to fail with all parts of fails.
func checkOpen(t *testing.T, s Source, name, want, fails string) {
	t.Helper()
	f, err := s.Open(name)
	_, fileErr := s.File(name)
	if want == "" {
		if err == nil || fileErr == nil {
			t.Fatalf("Open: %v, File: %v", err, fileErr)
		}
		for part := range strings.SplitSeq(fails, "|") {
			if !strings.Contains(err.Error(), part) || !strings.Contains(fileErr.Error(), part) {
				t.Errorf("errors %v, %v, want %q", err, fileErr, part)
			}
		}
		return
	}
	if err != nil || fileErr != nil {
		t.Fatalf("Open: %v, File: %v", err, fileErr)
	}
	defer f.Close()
	if got, err := io.ReadAll(f); err != nil || string(got) != want {
		t.Errorf("opened %q, error %v, want %q", got, err, want)
	}
}

// TestDoubledFolder: an archive that was unpacked into a folder of the same name is found as in the archive.
func TestDoubledFolder(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []string
		want  string // the file found as a.jpg; empty if there is none
	}{
		{"once", []string{"images/a.jpg"}, "images/a.jpg"},
		{"another ending", []string{"images/a.png"}, "images/a.png"},
		{"twice", []string{"x/y/a.jpg", "x/y/b.jpg"}, "x/y/a.jpg"},
		{"files of macOS", []string{"__MACOSX/images/a.jpg", "images/a.jpg"}, "images/a.jpg"},
	} {
		for kind, open := range kinds {
			t.Run(c.name+" in a "+kind, func(t *testing.T) {
				s, err := open(t, c.files...)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				checkOpen(t, s, "a.jpg", c.want, "")
			})
		}
	}
	t.Run("images beside the folder", func(t *testing.T) {
		s, err := inFolder(t, "b.jpg", "small/a.jpg")
		if err != nil || s.Has("a.jpg") {
			t.Errorf("error %v, or found in a sub-folder", err)
		}
	})
	t.Run("a link", func(t *testing.T) {
		s, err := inFolder(t, "images/a.jpg")
		if err != nil {
			t.Fatal(err)
		}
		link := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(s.Place(), link); err != nil {
			t.Fatal(err)
		}
		if s, err = OpenFolder(link); err != nil || !s.Has("a.jpg") {
			t.Errorf("error %v, or not found behind a link", err)
		}
	})
	for kind, open := range kinds {
		if _, err := open(t, "x/a.jpg", "y/a.jpg"); err == nil || !strings.Contains(err.Error(), "y/a.jpg") {
			t.Errorf("twice in a %s: error %v", kind, err)
		}
		s, err := open(t, "x/a.png", "y/a.png")
		if err != nil {
			t.Fatal(err)
		}
		checkOpen(t, s, "a.jpg", "", "x/a.png|y/a.png")
		s.Close()
	}
}

func TestUnlisted(t *testing.T) {
	for kind, open := range kinds {
		s, err := open(t, "a.png", "b.jpg", "c.jpg", "c.png")
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		got, names := s.Unlisted([]string{"a.jpg", "c.jpg", "d.jpg"}), s.Names()
		slices.Sort(got)
		slices.Sort(names)
		if !slices.Equal(got, []string{"b.jpg", "c.png"}) {
			t.Errorf("%s: unlisted %v", kind, got)
		}
		if !slices.Equal(names, []string{"a.png", "b.jpg", "c.jpg", "c.png"}) {
			t.Errorf("%s: names %v", kind, names)
		}
		if base := path.Base(filepath.ToSlash(s.Place())); !strings.HasPrefix(base, "images") {
			t.Errorf("place %s", s.Place())
		}
	}
}

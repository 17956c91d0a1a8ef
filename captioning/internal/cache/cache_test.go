package cache

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestDir(t *testing.T) {
	t.Setenv("CAPTIONLAB_CACHE", "some/where")
	dir, err := Dir()
	if err != nil || !filepath.IsAbs(dir) || !strings.HasSuffix(dir, filepath.Join("some", "where")) {
		t.Errorf("%q, %v", dir, err)
	}
	t.Setenv("CAPTIONLAB_CACHE", "")
	t.Setenv("XDG_CACHE_HOME", "/users/cache")
	if dir, err := Dir(); err != nil || dir != filepath.Join("/users/cache", "captionlab") {
		t.Errorf("in the user's cache folder: %q, %v", dir, err)
	}
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	if _, err := Dir(); err == nil || !strings.Contains(err.Error(), "CAPTIONLAB_CACHE") {
		t.Errorf("without a home: error %v, want one that names CAPTIONLAB_CACHE", err)
	}
	if dir, err := Runs(); err == nil || dir != "" {
		t.Errorf("without a home: runs in %q, %v", dir, err)
	}
}

// TestFolders pins the folders: files that earlier versions wrote must be found.
func TestFolders(t *testing.T) {
	t.Setenv("CAPTIONLAB_CACHE", "/c")
	named := func(folder func(string) (string, error)) func() (string, error) {
		return func() (string, error) { return folder("x") }
	}
	for want, folder := range map[string]func() (string, error){
		"/c/features": Features, "/c/runs": Runs, "/c/weights": Weights, "/c/sums": Sums, "/c/bench-venv": Bench,
		"/c/tables": Tables,
		"/c/data/x": named(Data), "/c/notebooks/x": named(Notebooks),
	} {
		if got, err := folder(); err != nil || got != filepath.FromSlash(want) {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
}

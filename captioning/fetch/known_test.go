package fetch

import (
	"path/filepath"
	"strings"
	"testing"
)

// Every known file has an encrypted address, a checksum, a size and a path below the folder.
func TestKnownCollections(t *testing.T) {
	for _, c := range Known() {
		for _, f := range c.Files {
			checksum := len(f.SHA256) >= 8 || len(f.MD5) == 32
			if !strings.HasPrefix(f.URL, "https://") || f.Size <= 0 || !filepath.IsLocal(f.Path) || !checksum {
				t.Errorf("%s: %+v", c.Name, f)
			}
		}
	}
	if _, err := Lookup("nosuch"); err == nil || !strings.Contains(err.Error(), "flickr8k") {
		t.Errorf("error %v does not list the known collections", err)
	}
}

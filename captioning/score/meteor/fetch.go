package meteor

import (
	"archive/zip"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"captionlab/captioning/internal/cache"
	"captionlab/captioning/internal/wheel"
)

// wheelPackage is the Python package that METEOR 1.5 and its tables come in, and wheelSum the SHA-256 of its wheel.
const (
	wheelPackage = "pycocoevalcap==1.2"
	wheelSum     = "083ed7910f1aec000b0a237ef6665f74edf19954204d0b1cbdb8399ed132228d"
)

// DownloadSize is the size in bytes of what Fetch downloads.
const DownloadSize = 104312215

// License says what rights the tables come with. captionlab does not pass them on.
const License = "METEOR 1.5's tables, from " + wheelPackage + ": function words and paraphrases under the GNU LGPL " +
	"(METEOR, Carnegie Mellon University), synonyms from WordNet 3.0 under the WordNet license (Princeton University)"

var (
	jarFile = wheel.File{Package: wheelPackage, Wheel: wheelSum, Path: "pycocoevalcap/meteor/meteor-1.5.jar",
		SHA256: "1e57b4c72c0830ebe68558f1c799a624e96cbc1b6045c9f6330e26dcff6eafc2", MaxSize: 1 << 24}
	paraphraseFile = wheel.File{Package: wheelPackage, Wheel: wheelSum,
		Path:   "pycocoevalcap/meteor/data/paraphrase-en.gz",
		SHA256: "c147ac7d2c91f2fbb3ad31e4b352235061eb83145e0434daf217ee9ca5975f48", MaxSize: 1 << 27}
)

// Path is the file in the cache folder that holds the index of METEOR's tables.
func Path() (string, error) {
	dir, err := cache.Tables()
	return filepath.Join(dir, fmt.Sprintf("meteor-en-%d.index", indexVersion)), err
}

// ErrNotFetched means that the tables are not on this machine.
var ErrNotFetched = errors.New("METEOR's tables are not on this machine: fetch them once (a download of 104 MB)")

// OpenFetched opens the index that Fetch made. It fails with ErrNotFetched if there is none.
func OpenFetched() (*Tables, error) {
	path, err := Path()
	if err != nil {
		return nil, err
	}
	t, err := Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFetched
	}
	return t, err
}

// Fetch makes sure that the index of METEOR's tables is in the cache folder, and returns its path and whether it was
// made now. It downloads the wheel of pycocoevalcap 1.2 with pip, checks the SHA-256 of the wheel and of the files that
// it takes, and compiles the index. Nothing of the wheel is installed or run. An index that is there and whole stays; a
// damaged one is replaced.
func Fetch(ctx context.Context) (path string, made bool, err error) {
	if path, err = Path(); err != nil {
		return "", false, err
	}
	if t, err := Open(path); err == nil {
		return path, false, t.Close()
	}
	return path, true, wheel.Download(ctx, wheelPackage, func(file string) error { return BuildFromWheel(file, path) })
}

// BuildFromWheel is Fetch with a wheel that was downloaded already, and writes the index to path.
func BuildFromWheel(file, path string) error {
	dir, err := os.MkdirTemp("", "captionlab-meteor-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	jar, paraphrases := filepath.Join(dir, "jar"), filepath.Join(dir, "paraphrases")
	if err := wheel.Extract(file, jarFile, jar); err != nil {
		return err
	}
	if err := wheel.Extract(file, paraphraseFile, paraphrases); err != nil {
		return err
	}
	return buildFromFiles(jar, paraphrases, path)
}

// buildFromFiles builds the index from METEOR's jar, of which it only reads the tables, and its paraphrases.
func buildFromFiles(jar, paraphrases, path string) error {
	archive, err := zip.OpenReader(jar)
	if err != nil {
		return fmt.Errorf("METEOR's jar: %w", err)
	}
	defer archive.Close()
	s := Sources{Origin: License}
	for name, to := range map[string]*io.Reader{
		"function/english.words": &s.Function, "nonbreaking/english.prefixes": &s.Prefixes,
		"synonym/english.synsets": &s.Synsets, "synonym/english.exceptions": &s.Exceptions,
	} {
		table, err := archive.Open(name)
		if err != nil {
			return fmt.Errorf("METEOR's jar: %w", err)
		}
		defer table.Close()
		*to = table
	}
	in, err := os.Open(paraphrases)
	if err != nil {
		return err
	}
	defer in.Close()
	if s.Paraphrases, err = gzip.NewReader(in); err != nil {
		return fmt.Errorf("METEOR's paraphrases: %w", err)
	}
	return Build(path, s)
}

// Package cache names the folders below the cache folder. It creates nothing: whoever writes a file creates its folder.
package cache

import (
	"fmt"
	"os"
	"path/filepath"
)

// Dir is the folder of everything that captionlab can compute or fetch again: $CAPTIONLAB_CACHE, or captionlab in the
// user's cache folder. Fails if neither is known.
func Dir() (string, error) {
	if dir := os.Getenv("CAPTIONLAB_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("the cache folder is unknown (%w); set CAPTIONLAB_CACHE to a folder", err)
	}
	return filepath.Join(dir, "captionlab"), nil
}

// Features holds a folder for each pair of dataset and encoder; see encoder.FeatureFolder.
func Features() (string, error) { return below("features") }

// Runs holds the checkpoints of declared runs.
func Runs() (string, error) { return below("runs") }

// Weights holds the weights of pretrained encoders.
func Weights() (string, error) { return below("weights") }

// Data holds the dataset called name.
func Data(name string) (string, error) { return below("data", name) }

// Notebooks holds what the notebook called name writes.
func Notebooks(name string) (string, error) { return below("notebooks", name) }

// Sums holds remembered checksums of files; see package checksum.
func Sums() (string, error) { return below("sums") }

// Programs holds compiled programs; see package programs.
func Programs() (string, error) { return below("programs") }

// Tables holds indexes of metrics' tables; see package meteor.
func Tables() (string, error) { return below("tables") }

// Bench holds the Python environment of the benchmarks.
func Bench() (string, error) { return below("bench-venv") }

func below(names ...string) (string, error) {
	dir, err := Dir()
	if err != nil {
		return "", err
	}
	return filepath.Join(append([]string{dir}, names...)...), nil
}

package nbkit

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"captionlab/datasets"
	"captionlab/datasets/custom"
)

// TestDrawnFolder: the folder is data that can be trained on, and the check finds the two mistakes in it.
func TestDrawnFolder(t *testing.T) {
	root := t.TempDir()
	t.Setenv("CAPTIONLAB_CACHE", root)
	dir, err := drawnFolder()
	must(t, err)
	ds, err := custom.Open(dir, custom.Options{})
	must(t, err)
	defer ds.Close()
	for i, split := range datasets.Splits {
		want := drawnSizes[i]
		if split == datasets.Train {
			want++ // the file that is no image
		}
		if got := len(ds.Examples(split)); got != want {
			t.Errorf("%d images in %s, want %d", got, split, want)
		}
	}
	l := &Lab{Context: context.Background(), Dataset: ds, dataset: dir}
	table, err := l.CheckData()
	must(t, err)
	for _, want := range []string{"captions.csv", "lost.png", "broken.png", "training can start", "400 images"} {
		if !strings.Contains(string(table), want) {
			t.Errorf("the report lacks %q:\n%s", want, table)
		}
	}
	before, err := os.Stat(filepath.Join(dir, "captions.csv"))
	must(t, err)
	if again, err := drawnFolder(); err != nil || again != dir {
		t.Errorf("drawn again in %s, error %v", again, err)
	}
	after, err := os.Stat(filepath.Join(dir, "captions.csv"))
	must(t, err)
	if !after.ModTime().Equal(before.ModTime()) {
		t.Error("the folder was written again")
	}
	if got := ServeCommand(&Trained{Dir: filepath.Join(root, "run")}); got != "captionlab serve $CAPTIONLAB_CACHE/run" {
		t.Errorf("command %q", got)
	}
	l.dataset = "shapes"
	if _, err := l.CheckData(); err == nil || !strings.Contains(err.Error(), "your own data") {
		t.Errorf("error %v", err)
	}
}

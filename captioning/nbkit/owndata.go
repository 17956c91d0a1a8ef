package nbkit

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"captionlab/captioning/encoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/internal/atomicfile"
	"captionlab/captioning/internal/cache"
	"captionlab/captioning/score"
	"captionlab/datasets"
	"captionlab/datasets/custom"
	"captionlab/datasets/shapes"
)

// OwnData is the body of a settings cell for your own images and captions, in a folder or a file that package custom
// understands. With an empty path it uses a folder of images that the program draws. Of the flags of Settings, -seed
// and -small count.
func OwnData(folder string) {
	run(func(ctx context.Context) error {
		s, err := overridden(chosen)
		if err != nil {
			return err
		}
		if folder == "" {
			if folder, err = drawnFolder(); err != nil {
				return err
			}
		}
		if s.Dataset, err = filepath.Abs(folder); err != nil {
			return err
		}
		s.Data, s.Experiment = "", "baseline"
		return choose(ctx, s)
	})
}

// CheckData shows what a folder of images and captions holds and what is wrong with it, like captionlab data check.
func (l *Lab) CheckData() (template.HTML, error) {
	settings := experiment.Defaults()
	tokenize, err := score.Tokenizer(settings.Tokens)
	if err != nil {
		return "", err
	}
	if l.dataset == "" || !filepath.IsAbs(l.dataset) {
		return "", fmt.Errorf("the dataset of this notebook is %s: CheckData is for your own data, named by a path",
			l.Dataset.Name())
	}
	r, err := custom.Check(l.Context, l.dataset, custom.CheckOptions{
		Words: tokenize, MinCount: settings.MinCount, MaxWords: settings.MaxTokens - 2,
		Decode: func(in io.Reader) error { _, err := encoder.Decode(in); return err },
	})
	if err != nil {
		return "", err
	}
	return reportTable(r), nil
}

// reportTable shows a report, with the first few of each kind of problems.
func reportTable(r *custom.Report) template.HTML {
	rows := [][]string{{"layout", fmt.Sprintf("%s: %s", r.Layout, r.Why)}, {"splits", r.SplitBy}}
	for _, s := range r.Splits {
		rows = append(rows, []string{string(s.Split), fmt.Sprintf("%d images, %d captions", s.Images, s.Captions)})
	}
	rows = append(rows,
		[]string{"captions", fmt.Sprintf("%d to %d of an image", r.PerImage.Least, r.PerImage.Largest)},
		[]string{"words", fmt.Sprintf("%d to %d in a caption, %.1f on average", r.Words.Least, r.Words.Largest,
			r.Words.Mean)},
		[]string{"vocabulary", fmt.Sprintf("%d words, of %d different ones", r.Vocabulary, r.Different)})
	for _, part := range []struct {
		title  string
		groups []custom.Group
	}{{"not used", r.Problems}, {"worth knowing", r.Oddities}} {
		for _, g := range part.groups {
			text := fmt.Sprintf("%s: %d", g.Kind, g.Count)
			for _, p := range g.Problems[:min(2, len(g.Problems))] {
				text += "; " + p.String()
			}
			rows = append(rows, []string{part.title, strings.ReplaceAll(text, r.Path+string(filepath.Separator), "")})
		}
	}
	verdict := "training can start"
	if !r.Trainable {
		verdict = "training cannot start: " + r.Missing
	}
	return Table(nil, append(rows, []string{"verdict", verdict}))
}

// drawnSizes are the numbers of training, validation and test images in the folder that drawnFolder makes.
var drawnSizes = [3]int{400, 50, 50}

// drawnFolder returns a folder in the cache with drawn images and a table of their captions, as somebody may have
// collected them: a row has lost its image, and a file is no image.
func drawnFolder() (string, error) {
	dir, err := cache.Notebooks("drawn")
	if err != nil {
		return "", err
	}
	table := filepath.Join(dir, "captions.csv") // written last
	if _, err := os.Stat(table); !errors.Is(err, fs.ErrNotExist) {
		return dir, err
	}
	ds, err := shapes.Open(shapes.WithSize(drawnSizes[0], drawnSizes[1], drawnSizes[2]), shapes.WithImageSize(96))
	if err != nil {
		return "", err
	}
	rows := []string{"image,caption,split"}
	for _, split := range datasets.Splits {
		for _, ex := range ds.Examples(split) {
			image, err := read(ds, ex.ID)
			if err != nil {
				return "", err
			}
			name := filepath.Join("images", ex.ID+".png")
			if err := atomicfile.WriteFile(filepath.Join(dir, name), image); err != nil {
				return "", err
			}
			for _, caption := range ex.Captions {
				rows = append(rows, fmt.Sprintf("%s,%s,%s", filepath.ToSlash(name), caption, split))
			}
		}
	}
	rows = append(rows, "images/lost.png,a picture that was deleted,train")
	if err := atomicfile.WriteFile(filepath.Join(dir, "images", "broken.png"), []byte("no image")); err != nil {
		return "", err
	}
	rows = append(rows, "images/broken.png,a picture that was damaged,train", "")
	return dir, atomicfile.WriteFile(table, []byte(strings.Join(rows, "\n")))
}

func read(ds datasets.Dataset, id string) ([]byte, error) {
	in, err := ds.OpenImage(id)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return io.ReadAll(in)
}

// ServeCommand is the command that shows the page of a trained run, to which images can be dragged.
func ServeCommand(t *Trained) string {
	dir := t.Dir
	if root := os.Getenv("CAPTIONLAB_CACHE"); root != "" {
		dir = strings.Replace(dir, root, "$CAPTIONLAB_CACHE", 1) // the same text on every machine
	}
	return "captionlab serve " + dir
}

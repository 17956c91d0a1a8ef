package nbkit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"

	"captionlab/captioning"
	"captionlab/captioning/encoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/weights"
	"captionlab/captioning/xla"
	"captionlab/datasets"
)

// settings are what the first cell of a notebook chooses. They lie in a file, since every cell is a process of its own.
type settings struct {
	Dataset     string `json:"dataset"`
	Data        string `json:"data,omitempty"` // folder of the dataset; empty means its usual place
	Experiment  string `json:"experiment"`
	Seed        int64  `json:"seed"`
	Small       bool   `json:"small"`
	Fingerprint string `json:"fingerprint"` // of the dataset; it takes a second to compute
}

// overrideVariable holds flags that win over those in the settings cell: how notebooks are run headlessly.
const overrideVariable = "CAPTIONLAB_NOTEBOOK"

var chosen settings

func register(f *flag.FlagSet, s *settings) {
	f.StringVar(&s.Dataset, "dataset", "flickr8k", "dataset: "+strings.Join(captioning.DatasetNames, " or "))
	f.StringVar(&s.Data, "data", "", "folder of the dataset (default: its folder under $CAPTIONLAB_DATA)")
	f.StringVar(&s.Experiment, "experiment", "baseline", "declared experiment")
	f.Int64Var(&s.Seed, "seed", 1, "seed of initial weights and shuffling")
	f.BoolVar(&s.Small, "small", false, "a fast setting: a small part of the data, few epochs")
}

func init() {
	if gonbui.IsNotebook { // a cell that begins with %% parses its flags before anything else
		register(flag.CommandLine, &chosen)
	}
}

// Settings is the body of a notebook's first cell, whose flags it keeps for all later ones:
//
//	%% -dataset=flickr8k -experiment=baseline
//	nbkit.Settings()
//
// Where Flickr8k is not on this machine it takes the drawn shapes instead and says so. -seed, -data and -small are the other
// flags.
func Settings() {
	run(func(ctx context.Context) error {
		s := chosen
		if words := strings.Fields(os.Getenv(overrideVariable)); len(words) > 0 {
			f := flag.NewFlagSet(overrideVariable, flag.ContinueOnError)
			chosen := s
			register(f, &s)
			s = chosen
			if err := f.Parse(words); err != nil {
				return fmt.Errorf("%s: %w", overrideVariable, err)
			}
		}
		return choose(ctx, s)
	})
}

// choose checks the settings, keeps them and tells what they mean.
func choose(ctx context.Context, s settings) error {
	e, err := named(s.Experiment)
	if err != nil {
		return err
	}
	if kind, _, _ := strings.Cut(s.Dataset, "-"); !slices.Contains(captioning.DatasetNames, kind) {
		return fmt.Errorf("unknown dataset %q: the datasets are %s", s.Dataset, strings.Join(captioning.DatasetNames, ", "))
	}
	ds, err := captioning.OpenDataset(s.Dataset, s.Data)
	if err != nil && s.Dataset != "shapes" && s.Data == "" && (os.Getenv("CAPTIONLAB_DATA") == "" || errors.Is(err, fs.ErrNotExist)) {
		Note("%s is not on this machine, so this notebook works with shapes, pictures that the program draws. To use %s, name its folder with -data=, or its parent in the variable CAPTIONLAB_DATA before Jupyter starts, and run this cell again.", s.Dataset, s.Dataset)
		s.Dataset = "shapes"
		ds, err = captioning.OpenDataset(s.Dataset, "")
	}
	if err != nil {
		return err
	}
	if s.Fingerprint, err = datasets.Fingerprint(ctx, ds); err != nil {
		return err
	}
	path, err := settingsPath()
	if err != nil {
		return err
	}
	if err := experiment.WriteJSON(path, s); err != nil {
		return err
	}
	rows := [][]string{{"dataset", fmt.Sprintf("%s: %d training, %d validation, %d test pictures", s.Dataset, len(ds.Examples(datasets.Train)), len(ds.Examples(datasets.Val)), len(ds.Examples(datasets.Test)))},
		{"experiment", e.Name + ": " + e.About}}
	if s.Small {
		rows = append(rows, []string{"setting", "small: a part of the data, few epochs"})
	}
	Show(Table(nil, rows))
	return nil
}

func settingsPath() (string, error) {
	dir := os.Getenv(protocol.GONB_TMP_DIR_ENV)
	if dir == "" {
		return "", errors.New("this is no GoNB notebook: package nbkit's cells run in Jupyter with the GoNB kernel; start it with `make notebook`")
	}
	return filepath.Join(dir, "captionlab-settings.json"), nil
}

// named is the declared experiment of that name.
func named(name string) (experiment.Experiment, error) {
	if _, err := experiment.Named(name); err != nil {
		return experiment.Experiment{}, err
	}
	all, err := experiment.Declared()
	for _, e := range all {
		if e.Name == name {
			return e, nil
		}
	}
	return experiment.Experiment{}, err
}

// Lab is what the cells of a notebook work with. What is costly is opened when it is first asked for.
type Lab struct {
	Context    context.Context // ends when the cell is interrupted
	Dataset    datasets.Dataset
	Experiment experiment.Experiment
	Seed       int64
	Small      bool // the fast setting: take a part of the data and few epochs

	fingerprint string
	backend     compute.Backend
	encoder     *encoder.Encoder
	features    *encoder.Features
	models      []*captioning.Model
}

func open(ctx context.Context) (*Lab, error) {
	path, err := settingsPath()
	if err != nil {
		return nil, err
	}
	var s settings
	if err := experiment.ReadJSON(path, &s); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = errors.New("the settings are not chosen yet: run the settings cell at the top of the notebook first, then this one")
		}
		return nil, err
	}
	l := &Lab{Context: ctx, Seed: s.Seed, Small: s.Small, fingerprint: s.Fingerprint}
	if l.Experiment, err = named(s.Experiment); err != nil {
		return nil, err
	}
	l.Dataset, err = captioning.OpenDataset(s.Dataset, s.Data)
	return l, err
}

func (l *Lab) close() {
	for _, m := range l.models {
		m.Finalize()
	}
}

// Backend opens the device. Fails where no XLA plugin is installed.
func (l *Lab) Backend() (compute.Backend, error) {
	if l.backend != nil {
		return l.backend, nil
	}
	backend, _, err := xla.Open(xla.OpenOptions{})
	l.backend = backend
	return backend, err
}

// Encoder opens the encoder: ResNet-50 where its weights are found, else the small one.
func (l *Lab) Encoder() (*encoder.Encoder, error) { return l.openEncoder("") }

func (l *Lab) openEncoder(name string) (*encoder.Encoder, error) {
	if l.encoder != nil && (name == "" || l.encoder.Spec().Name == name) {
		return l.encoder, nil
	}
	backend, err := l.Backend()
	if err != nil {
		return nil, err
	}
	l.encoder, err = captioning.OpenEncoder(l.Context, backend, captioning.EncoderOptions{Name: name})
	return l.encoder, err
}

// Features returns the features of all pictures: out of the cache folder, or computed now, with progress, which takes a
// minute or two once.
func (l *Lab) Features() (*encoder.Features, error) {
	if l.features != nil {
		return l.features, nil
	}
	e, err := l.Encoder()
	if err != nil {
		return nil, err
	}
	live := newLive()
	l.features, err = captioning.Features(l.Context, l.Dataset, l.fingerprint, e, func(p encoder.Progress) {
		live.line("Features: %d of %d pictures, %.0f a second, %v left.", p.Done, p.Total, p.Rate, p.Remaining.Round(1e9))
	})
	live.end("")
	return l.features, err
}

// Model opens the trained model in a run folder: one that Train returned, or records below Results whose checkpoint is in
// the cache folder.
func (l *Lab) Model(dir string) (*captioning.Model, error) {
	backend, err := l.Backend()
	if err != nil {
		return nil, err
	}
	m, err := captioning.Open(backend, dir)
	if err == nil {
		l.models = append(l.models, m)
	}
	return m, err
}

// Part returns the first pictures of each split, with a fingerprint of its own, for training on a small part.
func (l *Lab) Part(train, val, test int) (datasets.Dataset, string) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d %d", l.fingerprint, train, val, test))
	return datasets.Subset(l.Dataset, train, val, test), hex.EncodeToString(sum[:])
}

// Picture returns the picture called id as a thumbnail, at most side pixels wide and high.
func (l *Lab) Picture(id string, side int) (template.URL, error) {
	f, err := l.Dataset.OpenImage(id)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return Thumbnail(f, side)
}

// Cards makes gallery cards of examples, each with its references.
func (l *Lab) Cards(examples []datasets.Example, side int) ([]Card, error) {
	var cards []Card
	for _, ex := range examples {
		picture, err := l.Picture(ex.ID, side)
		if err != nil {
			return nil, err
		}
		cards = append(cards, Card{Title: ex.ID, Image: picture, References: ex.Captions})
	}
	return cards, nil
}

// workFolder is where a notebook's own runs are kept, in the cache folder.
func workFolder(name string) (string, error) {
	cache, err := weights.CacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "notebooks", name), nil
}

package nbkit

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"

	"captionlab/captioning"
	"captionlab/captioning/experiment"
	"captionlab/datasets"
)

// settings are the choices of a notebook's first cell. They are kept in a file, since every cell is its own process.
type settings struct {
	Dataset     string `json:"dataset"`
	Data        string `json:"data,omitempty"` // folder of the dataset; empty means the usual one
	Experiment  string `json:"experiment"`
	Seed        int64  `json:"seed"`
	Small       bool   `json:"small"`
	Fingerprint string `json:"fingerprint"` // of the dataset, so that cells need not compute it
}

// overrideVariable holds flags that override those of the settings cell, for running notebooks headlessly.
const overrideVariable = "CAPTIONLAB_NOTEBOOK"

var chosen settings

func register(f *flag.FlagSet, s *settings) {
	f.StringVar(&s.Dataset, "dataset", "flickr8k", "dataset: "+strings.Join(captioning.DatasetNames(), " or ")+
		", or the path of your own images and captions")
	f.StringVar(&s.Data, "data", "", "folder of the dataset (default: its folder under $CAPTIONLAB_DATA)")
	f.StringVar(&s.Experiment, "experiment", "baseline", "declared experiment")
	f.Int64Var(&s.Seed, "seed", 1, "seed of initial weights and shuffling")
	f.BoolVar(&s.Small, "small", false, "a fast setting: a small part of the data, few epochs")
}

func init() {
	if gonbui.IsNotebook { // a cell that begins with %% parses its flags first
		register(flag.CommandLine, &chosen)
	}
}

// Settings is the body of a notebook's first cell. It keeps the cell's flags for all other cells:
//
//	%% -dataset=flickr8k -experiment=baseline
//	nbkit.Settings()
//
// If Flickr8k is not on this machine, Settings says so and uses the generated shapes instead. The other flags are
// -seed, -data and -small.
func Settings() {
	run(func(ctx context.Context) error {
		s, err := overridden(chosen)
		if err != nil {
			return err
		}
		return choose(ctx, s)
	})
}

// overridden returns s with the flags in overrideVariable.
func overridden(s settings) (settings, error) {
	words := strings.Fields(os.Getenv(overrideVariable))
	if len(words) == 0 {
		return s, nil
	}
	f, kept := flag.NewFlagSet(overrideVariable, flag.ContinueOnError), s
	register(f, &s)
	s = kept // register has set the defaults
	if err := f.Parse(words); err != nil {
		return s, fmt.Errorf("%s: %w", overrideVariable, err)
	}
	return s, nil
}

// choose checks the settings, keeps them and shows what they mean.
func choose(ctx context.Context, s settings) error {
	e, err := named(s.Experiment)
	if err != nil {
		return err
	}
	if err := captioning.CheckDatasetName(s.Dataset); err != nil {
		return err
	}
	ds, err := captioning.OpenDataset(s.Dataset, s.Data, "")
	if err != nil && s.replaceable(err) {
		Note("%s is not on this machine, so this notebook uses shapes, images that the program generates. "+
			"To use %s, name its folder with -data= and run this cell again, or set CAPTIONLAB_DATA to the parent of "+
			"that folder before Jupyter starts.", s.Dataset, s.Dataset)
		s.Dataset = "shapes"
		ds, err = captioning.OpenDataset(s.Dataset, "", "")
	}
	if err != nil {
		return err
	}
	data, err := captioning.NewData(ctx, nil, ds, captioning.DataOptions{})
	if err != nil {
		return err
	}
	defer data.Close()
	s.Fingerprint = data.Fingerprint
	path, err := settingsPath()
	if err != nil {
		return err
	}
	if err := experiment.WriteJSON(path, s); err != nil {
		return err
	}
	Show(s.table(data, e))
	return nil
}

// table shows what the settings mean.
func (s settings) table(data *captioning.Data, e experiment.Experiment) template.HTML {
	images := func(split datasets.Split) int { return len(data.Dataset.Examples(split)) }
	encoder := data.Encoder().Name
	if encoder != "resnet50" {
		encoder += ": the weights of ResNet-50, the paper's encoder, are not on this machine"
	}
	rows := [][]string{
		{"dataset", fmt.Sprintf("%s: %d training, %d validation, %d test images", data.Name(),
			images(datasets.Train), images(datasets.Val), images(datasets.Test))},
		{"encoder", encoder},
		{"experiment", e.Name + ": " + e.About},
	}
	if s.Small {
		rows = append(rows, []string{"setting", "small: a part of the data, few epochs"})
	}
	return Table(nil, rows)
}

// replaceable reports whether shapes may replace a dataset that did not open: it is missing, and nobody named its
// folder.
func (s settings) replaceable(err error) bool {
	return s.Dataset != "shapes" && s.Data == "" &&
		(os.Getenv("CAPTIONLAB_DATA") == "" || errors.Is(err, fs.ErrNotExist))
}

func settingsPath() (string, error) {
	dir := os.Getenv(protocol.GONB_TMP_DIR_ENV)
	if dir == "" {
		return "", errors.New("this is not a GoNB notebook: the cells of package nbkit run in Jupyter with the " +
			"GoNB kernel; start it with `make notebook`")
	}
	return filepath.Join(dir, "captionlab-settings.json"), nil
}

// readSettings returns the settings that choose kept.
func readSettings() (settings, error) {
	var s settings
	path, err := settingsPath()
	if err != nil {
		return s, err
	}
	err = experiment.ReadJSON(path, &s)
	if errors.Is(err, fs.ErrNotExist) {
		err = errors.New("the settings are not chosen yet: run the settings cell at the top of the notebook " +
			"first, then this one")
	}
	return s, err
}

// named returns the declared experiment of that name.
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

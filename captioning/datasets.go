package captioning

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"captionlab/captioning/internal/cache"
	"captionlab/datasets"
	"captionlab/datasets/coco"
	"captionlab/datasets/custom"
	"captionlab/datasets/flickr8k"
	"captionlab/datasets/shapes"
)

// A knownDataset is a dataset that OpenDataset opens by name.
type knownDataset struct {
	name     string
	embedded bool // needs no files
	splits   bool // has several splits to choose from
	open     func(dir, split string) (datasets.Dataset, error)
}

// knownDatasets is the list of datasets: a new one is a package below datasets and a line here. A dataset from outside
// this module needs neither; see NewData.
var knownDatasets = []knownDataset{
	{name: "shapes", embedded: true, open: func(_, _ string) (datasets.Dataset, error) { return shapes.Open() }},
	{name: "flickr8k", open: func(dir, _ string) (datasets.Dataset, error) { return flickr8k.Open(dir) }},
	{
		name:   "coco",
		splits: true,
		open:   func(dir, split string) (datasets.Dataset, error) { return coco.Open(dir, split) },
	},
}

// DatasetNames lists the datasets that OpenDataset knows.
func DatasetNames() []string {
	var names []string
	for _, d := range knownDatasets {
		names = append(names, d.name)
	}
	return names
}

// CheckDatasetName returns an error that lists the known datasets unless OpenDataset knows name or it is a path.
func CheckDatasetName(name string) error {
	if isDataPath(name) {
		return nil
	}
	_, _, err := lookUpDataset(name)
	return err
}

// isDataPath reports whether name is the path of custom data: no known dataset is called so, and it has a slash, or
// something is there.
func isDataPath(name string) bool {
	if _, _, err := lookUpDataset(name); err == nil || name == "" {
		return false
	}
	if strings.ContainsRune(filepath.ToSlash(name), '/') || name == "." || name == ".." {
		return true
	}
	_, err := os.Stat(name)
	return err == nil
}

// RecordName returns the name under which the records of a dataset are kept: that of a known dataset, or "own-" and the
// name of the folder of custom data.
func RecordName(dataset string) (string, error) {
	if isDataPath(dataset) {
		return custom.Name(dataset)
	}
	return dataset, nil
}

// Source says where custom data comes from, so that it can be opened again.
type Source struct {
	Path    string         `json:"path"` // absolute
	Options custom.Options `json:"options"`
}

// lookUpDataset finds a dataset by its name. A dataset with several splits may carry the split in its name:
// "coco-karpathy".
func lookUpDataset(name string) (d knownDataset, split string, err error) {
	base, suffix, hasSplit := strings.Cut(name, "-")
	i := slices.IndexFunc(knownDatasets, func(d knownDataset) bool { return d.name == base })
	if i < 0 || hasSplit && !knownDatasets[i].splits {
		return d, "", fmt.Errorf("unknown dataset %q: the datasets are %s; for your own images and captions, give the "+
			"path of their folder, such as ./photos", name, strings.Join(DatasetNames(), ", "))
	}
	return knownDatasets[i], suffix, nil
}

// DatasetFolder returns the folder in which a dataset is expected: below $CAPTIONLAB_DATA or, if that is not set, below
// data in the cache folder.
func DatasetFolder(name string) (string, error) {
	if root := os.Getenv("CAPTIONLAB_DATA"); root != "" {
		return filepath.Join(root, name), nil
	}
	return cache.Data(name)
}

// OpenDataset opens a known dataset: "shapes", which needs no files, or "flickr8k" or "coco" in the folder dir. An
// empty dir means DatasetFolder. split chooses one of COCO's splits and must be empty for the others: "pa4", the
// paper's, which is the default; "karpathy"; a folder with three lists of ids; or a file like Karpathy's (see package
// datasets/coco). The name that an opened dataset reports, such as "coco-karpathy", opens it again unless its split was
// given by path.
//
// name may also be the path of custom images and captions, a folder or a file (see package custom). dir is then the
// folder of the images, if that is another one.
func OpenDataset(name, dir, split string) (datasets.Dataset, error) {
	if isDataPath(name) {
		ds, _, err := openCustom(name, DataOptions{Dir: dir, Split: split})
		return ds, err
	}
	d, named, err := lookUpDataset(name)
	if err != nil {
		return nil, err
	}
	if split == "" {
		split = named
	}
	if split != "" && !d.splits {
		return nil, fmt.Errorf("dataset %s has only one split, so %q cannot be chosen: leave it out", name, split)
	}
	if !d.embedded && dir == "" {
		if dir, err = DatasetFolder(d.name); err != nil {
			return nil, err
		}
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf(
				"dataset %s is not in %s: name its folder, set CAPTIONLAB_DATA to the parent of that "+
					"folder, or download it with `captionlab fetch %s` (%w)",
				name,
				dir,
				d.name,
				err,
			)
		}
	}
	return d.open(dir, split)
}

// openCustom opens the custom data at a path.
func openCustom(path string, o DataOptions) (datasets.Dataset, *Source, error) {
	if o.Split != "" {
		return nil, nil, fmt.Errorf("%s has no split called %q: custom data has its own splits, or they are drawn by "+
			"shares and a seed; leave it out", path, o.Split)
	}
	options := o.Custom
	absolute, err := filepath.Abs(path)
	if err == nil && o.Dir != "" {
		options.Images, err = filepath.Abs(o.Dir)
	}
	if err != nil {
		return nil, nil, err
	}
	ds, err := custom.Open(path, options)
	if err != nil {
		return nil, nil, err
	}
	return ds, &Source{absolute, options}, nil
}

// trainable fails if a dataset explains why no model can be trained on it.
func trainable(ds datasets.Dataset) error {
	if d, ok := ds.(interface{ Trainable() error }); ok {
		return d.Trainable()
	}
	return nil
}

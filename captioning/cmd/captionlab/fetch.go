package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"captionlab/captioning"
	"captionlab/captioning/fetch"
	"captionlab/captioning/internal/cache"
	"captionlab/captioning/score/meteor"
)

// fetchCall is one call of captionlab fetch.
type fetchCall struct {
	to     string
	dryRun bool
}

func newFetchCommand() *cobra.Command {
	var c fetchCall
	cmd := &cobra.Command{
		Use:   "fetch [NAME...]",
		Short: "Download a dataset or the weights of ResNet-50 from the official address",
		Long: "Interrupted downloads resume. Every download is checked, and no incomplete file appears under its\n" +
			"final name. Datasets go to the folder where --dataset NAME looks for them, weights to that of\n" +
			"--encoder resnet50. Without a name, the command lists what it can download. Karpathy's split\n" +
			"(dataset_coco.json) has no published checksum; place it next to COCO's annotations yourself.",
		Example: "  captionlab fetch\n" +
			"  captionlab fetch coco resnet50 --dry-run\n" +
			"  captionlab fetch flickr8k --to ~/flickr8k",
		RunE: func(cmd *cobra.Command, names []string) error {
			return c.run(cmd.Context(), cmd.OutOrStdout(), names)
		},
	}
	cmd.Flags().StringVar(&c.to, "to", "", "target folder (default: where captionlab looks)")
	cmd.Flags().BoolVar(&c.dryRun, "dry-run", false, "only list addresses, sizes and target files")
	return cmd
}

func (c *fetchCall) run(ctx context.Context, out io.Writer, names []string) error {
	if len(names) == 0 {
		return listCollections(out)
	}
	if c.to != "" && len(names) > 1 {
		return usageError{fmt.Errorf("--to names one folder for %d downloads: fetch them one at a time", len(names))}
	}
	var collections []fetch.Collection
	for _, name := range names {
		if name == chooseMeteor {
			continue
		}
		collection, err := fetch.Lookup(name)
		if err != nil {
			return usageError{err}
		}
		collections = append(collections, collection)
	}
	if slices.Contains(names, chooseMeteor) {
		if c.to != "" {
			return usageError{fmt.Errorf("meteor goes to the cache folder only: leave out --to")}
		}
		if err := fetchMeteor(ctx, out, c.dryRun); err != nil {
			return err
		}
	}
	for _, collection := range collections {
		if err := c.one(ctx, out, collection); err != nil {
			return err
		}
	}
	return nil
}

func listCollections(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, c := range fetch.Known() {
		fmt.Fprintf(w, "%s\t%s\t%s\n", c.Name, fetch.Bytes(c.Size()), c.About)
	}
	fmt.Fprintf(w, "%s\t%s\t%s\n", chooseMeteor, fetch.Bytes(meteor.DownloadSize), aboutMeteor)
	return w.Flush()
}

// folder is the target folder of a collection: by default the one in which captionlab looks for it.
func (c *fetchCall) folder(collection fetch.Collection) (string, error) {
	switch {
	case c.to != "":
		return c.to, nil
	case collection.IsWeights():
		return cache.Weights()
	}
	return captioning.DatasetFolder(collection.Dataset())
}

func (c *fetchCall) one(ctx context.Context, out io.Writer, collection fetch.Collection) error {
	dir, err := c.folder(collection)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s: %s, into %s\n", collection.Name, collection.About, dir)
	for _, f := range collection.Files {
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.URL, fetch.Bytes(f.Size), filepath.Join(dir, filepath.FromSlash(f.Path)))
	}
	if err := w.Flush(); err != nil || c.dryRun {
		return err
	}
	m := newMeter()
	done, err := fetch.Get(ctx, collection, dir, fetch.Options{Progress: func(p fetch.Progress) {
		of := ""
		if p.Total > 0 {
			of = fmt.Sprintf(" of %s, %v left", fetch.Bytes(p.Total), short(p.Remaining))
		}
		m.show(false, "%s %s: %s%s, %s/s", p.Step, p.File.Path, fetch.Bytes(p.Done), of, fetch.Bytes(int64(p.Rate)))
	}})
	for _, line := range done {
		m.say("%s", line)
	}
	return err
}

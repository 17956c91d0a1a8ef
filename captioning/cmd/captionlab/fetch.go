package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"captionlab/captioning"
	"captionlab/captioning/fetch"
	"captionlab/captioning/weights"
)

func newFetchCommand() *cobra.Command {
	var to string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "fetch [NAME...]",
		Short: "Download a dataset or ResNet-50's weights from the official address",
		Long: "Downloads go on where they were stopped, are checked, and never leave half a file under its name. Datasets go where\n" +
			"--dataset NAME looks for them, weights where --encoder resnet50 does. Without a name it lists what there is. Karpathy's\n" +
			"split (dataset_coco.json), of which no checksum is published, is for you to place beside COCO's annotations.",
		Example: "  captionlab fetch\n" +
			"  captionlab fetch coco resnet50 --dry-run\n" +
			"  captionlab fetch flickr8k --to ~/flickr8k",
		RunE: func(cmd *cobra.Command, names []string) error {
			if len(names) == 0 {
				return listCollections(cmd.OutOrStdout())
			}
			if to != "" && len(names) > 1 {
				return usageError{fmt.Errorf("--to names one folder, and %d things are to be fetched: fetch them one by one", len(names))}
			}
			var collections []fetch.Collection
			for _, name := range names {
				c, err := fetch.Lookup(name)
				if err != nil {
					return usageError{err}
				}
				collections = append(collections, c)
			}
			for _, c := range collections {
				dir := to
				if dir == "" {
					var err error
					if dir, err = fetchFolder(c); err != nil {
						return err
					}
				}
				if err := fetchOne(cmd.Context(), cmd.OutOrStdout(), c, dir, dryRun); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "target folder (default: where captionlab looks)")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "list addresses, sizes and target files alone")
	return cmd
}

func listCollections(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, c := range fetch.Known() {
		fmt.Fprintf(w, "%s\t%s\t%s\n", c.Name, fetch.Bytes(c.Size()), c.About)
	}
	return w.Flush()
}

// fetchFolder is where captionlab looks for what a collection holds.
func fetchFolder(c fetch.Collection) (string, error) {
	if !c.IsWeights() {
		return captioning.DatasetFolder(c.Dataset())
	}
	cache, err := weights.CacheDir()
	return filepath.Join(cache, "weights"), err
}

func fetchOne(ctx context.Context, out io.Writer, c fetch.Collection, dir string, dryRun bool) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s: %s, into %s\n", c.Name, c.About, dir)
	for _, f := range c.Files {
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.URL, fetch.Bytes(f.Size), filepath.Join(dir, filepath.FromSlash(f.Path)))
	}
	if err := w.Flush(); err != nil || dryRun {
		return err
	}
	m := newMeter()
	done, err := fetch.Get(ctx, c, dir, fetch.Options{Progress: func(p fetch.Progress) {
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

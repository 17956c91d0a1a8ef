package nbkit

import (
	"os"
	"path"
	"strings"
)

// recordsVariable names a file to which nbkit appends the path of every record that a cell shows, one a line,
// relative to the root of the repository. A notebook keeps these paths with their checksums, so that a test can find
// out whether its outputs are up to date.
const recordsVariable = "CAPTIONLAB_NOTEBOOK_RECORDS"

// noteRecords notes that a cell shows files of the results folder. names are relative to that folder, with slashes.
func noteRecords(names ...string) error {
	file := os.Getenv(recordsVariable)
	if file == "" {
		return nil
	}
	var lines strings.Builder
	for _, name := range names {
		lines.WriteString(path.Join("results", name) + "\n")
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(lines.String()); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"captionlab/captioning"
)

// splitArguments separates the model of a call of captionlab caption from the images. The first argument is the model
// if it is one; without it and the flag --run, the model is the one that comes with captionlab, which is "".
func splitArguments(run string, arguments []string) (model string, images []string, err error) {
	if run == "" && len(arguments) > 0 && captioning.IsRun(arguments[0]) {
		run, arguments = arguments[0], arguments[1:]
	}
	if len(arguments) == 0 {
		return "", nil, usageError{errors.New("no image given: name at least one image or folder of images")}
	}
	if run != "" {
		return run, arguments, nil
	}
	first := arguments[0]
	info, err := os.Stat(first)
	if err != nil && len(arguments) > 1 && filepath.Ext(first) == "" {
		return "", nil, usageError{fmt.Errorf("%s is neither a run nor an image: %w; name a run folder or a packed "+
			"model, or only images, for the model that comes with captionlab", first, err)}
	}
	if err == nil && info.IsDir() {
		if inside, _ := filepath.Glob(filepath.Join(first, "*", "run.json")); len(inside) > 0 {
			return "", nil, usageError{fmt.Errorf("%s is not a run, but holds runs: use one of them, such as %s", first,
				filepath.Dir(inside[0]))}
		}
	}
	return "", arguments, nil
}

// filesOf replaces folders by the files in them and below, in order, without hidden ones and those that leaveOut names.
// It does not follow links to folders, which could form a circle.
func filesOf(arguments []string, leaveOut func(path string) bool) ([]string, error) {
	var files []string
	for _, argument := range arguments {
		info, err := os.Stat(argument)
		if err != nil || !info.IsDir() { // a missing file is reported like one that cannot be read
			files = append(files, argument)
			continue
		}
		before := len(files)
		root := argument
		if link, err := os.Lstat(argument); err == nil && link.Mode()&fs.ModeSymlink != 0 {
			root += string(filepath.Separator) // WalkDir does not enter a link
		}
		err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			hidden := strings.HasPrefix(entry.Name(), ".") && path != root
			if hidden && entry.IsDir() {
				return fs.SkipDir
			}
			if !hidden && isFile(path, entry) && !leaveOut(path) {
				files = append(files, path)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("folder %s: %w", argument, err)
		}
		if len(files) == before {
			return nil, fmt.Errorf("folder %s contains no files", argument)
		}
	}
	return files, nil
}

// isFile reports whether an entry of a folder is to be captioned: everything but folders and links to folders. What is
// not a regular file, or a link to one, is reported when it is opened.
func isFile(path string, entry fs.DirEntry) bool {
	if entry.Type()&fs.ModeSymlink == 0 {
		return !entry.IsDir()
	}
	info, err := os.Stat(path)
	return err != nil || !info.IsDir()
}

// badFiles is the list of the files that could not be read, or nil.
func badFiles(problems []error, files int) error {
	all := errors.Join(problems...)
	if joined, ok := all.(interface{ Unwrap() []error }); ok && len(joined.Unwrap()) > 1 {
		return fmt.Errorf("%d of %d files have no caption:\n%w", len(joined.Unwrap()), files, all)
	}
	return all
}

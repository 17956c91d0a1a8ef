package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"captionlab/captioning"
)

// imageEndings are the ends of the names of images, also of those that are recognised but not decoded. They only serve
// to guess what a path was meant to be: files are recognised by their content.
var imageEndings = []string{".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".gif", ".heic", ".heif",
	".hif", ".avif", ".jxl", ".tif", ".tiff", ".bmp", ".dng", ".nef", ".cr2", ".cr3", ".arw", ".orf", ".rw2", ".raf"}

func looksLikeImage(path string) bool {
	return slices.Contains(imageEndings, strings.ToLower(filepath.Ext(path)))
}

// choices explains what the arguments may be.
const choices = "name images or folders of images; to choose the model, put the folder of a run or a packed model " +
	"(.safetensors) first or after --run; without one, the model that comes with captionlab is used"

// splitRun separates the run from the images: it is the value of --run or, without that, the first argument if it is a
// run or a packed model. An empty run means the model that comes with captionlab.
func splitRun(flag string, arguments []string) (run string, images []string, err error) {
	run, images = flag, arguments
	if run == "" && len(arguments) > 0 && captioning.IsRun(arguments[0]) {
		run, images = arguments[0], arguments[1:]
	}
	switch {
	case len(images) == 0 && run != "":
		return "", nil, usageError{fmt.Errorf("nothing to caption with %s: name at least one image or folder", run)}
	case len(images) == 0:
		return "", nil, usageError{errors.New("no arguments given, want at least one image or folder")}
	case flag != "":
		if !captioning.IsRun(flag) {
			return "", nil, fmt.Errorf("--run %s is not the folder of a trained run and not a packed model: "+
				"%s; train a model with captionlab train, or leave --run out", flag, found(flag))
		}
		return run, images, nil
	case run != "":
		return run, images, nil
	}
	return run, images, checkFirst(images[0])
}

// found says what is at a path that is not a run.
func found(path string) string {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is nothing with that name"
	case err != nil:
		return err.Error()
	case !info.IsDir():
		return "it is a file whose name does not end in .safetensors"
	}
	if runs := runsBelow(path); len(runs) > 0 {
		return "the folder holds runs, name one of them: " + strings.Join(runs, ", ")
	}
	return "the folder holds no checkpoint and no record of a run"
}

// checkFirst reports a first argument that was probably meant to be a run: one that does not exist and does not look
// like an image, or a folder that holds runs but no images.
func checkFirst(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !looksLikeImage(path):
		return fmt.Errorf("%s does not exist: %s", path, choices)
	case err == nil && info.IsDir() && !holdsImages(path):
		if runs := runsBelow(path); len(runs) > 0 {
			return fmt.Errorf("%s is not a run and holds no images, but these runs: %s; %s", path,
				strings.Join(runs, ", "), choices)
		}
	}
	return nil
}

// holdsImages reports whether a file directly in a folder has the name of an image.
func holdsImages(dir string) bool {
	entries, _ := os.ReadDir(dir)
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return looksLikeImage(e.Name()) })
}

// runsBelow returns the first few runs one or two levels below a folder.
func runsBelow(dir string) []string {
	var runs []string
	for _, pattern := range []string{"*", filepath.Join("*", "*")} {
		paths, _ := fs.Glob(os.DirFS(dir), filepath.ToSlash(pattern))
		for _, path := range paths {
			full := filepath.Join(dir, filepath.FromSlash(path))
			if info, err := os.Stat(full); err == nil && info.IsDir() && captioning.IsRun(full) && len(runs) < 3 {
				runs = append(runs, full)
			}
		}
	}
	return runs
}

// filesOf replaces folders by the files in them and below, in order, without hidden ones and without what this command
// writes there: sidecars next to an image of the same name, and the files in except. It does not follow links to
// folders, which could form a circle.
func filesOf(arguments []string, except ...string) ([]string, error) {
	var files []string
	for _, argument := range arguments {
		info, err := os.Stat(argument)
		if err != nil || !info.IsDir() { // a missing file is reported like one that cannot be read
			files = append(files, argument)
			continue
		}
		inside, err := walk(argument)
		if err != nil {
			return nil, fmt.Errorf("folder %s: %w", argument, err)
		}
		inside = withoutOutput(inside, except)
		if len(inside) == 0 {
			return nil, fmt.Errorf("folder %s contains no files", argument)
		}
		files = append(files, inside...)
	}
	return files, nil
}

// walk returns the files in and below a folder.
func walk(folder string) (files []string, err error) {
	root := folder
	if link, err := os.Lstat(folder); err == nil && link.Mode()&fs.ModeSymlink != 0 {
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
		if !hidden && isFile(path, entry) {
			files = append(files, path)
		}
		return nil
	})
	return files, err
}

// withoutOutput leaves out sidecars of other files, also half-written ones, and the files in except.
func withoutOutput(files, except []string) []string {
	others := make(map[string]bool) // paths without their endings, of files that may have a sidecar
	for _, file := range files {
		if ending := filepath.Ext(file); ending != sidecarEnding {
			others[strings.TrimSuffix(file, ending)] = true
		}
	}
	return slices.DeleteFunc(files, func(file string) bool {
		stem, _, sidecar := strings.Cut(filepath.Base(file), sidecarEnding)
		stem = filepath.Join(filepath.Dir(file), stem)
		whole := file == stem+sidecarEnding
		if sidecar && others[stem] && (whole || strings.HasPrefix(file, stem+sidecarEnding+".partial-")) {
			return true
		}
		return slices.ContainsFunc(except, func(path string) bool { return samePath(path, file) })
	})
}

func samePath(a, b string) bool {
	x, errX := filepath.Abs(a)
	y, errY := filepath.Abs(b)
	return errX == nil && errY == nil && x == y
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
